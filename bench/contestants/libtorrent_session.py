"""What libtorrent_peer.py and libtorrent_host.py have in common: a plain peer with one torrent.

No encryption, no DHT, no local discovery, no uTP, no port mapping.
"""
import time

import libtorrent as lt

PLAIN = {
    "alert_mask": 0,
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    # 2 is "disabled": blocks travel in the clear.
    "out_enc_policy": 2,
    "in_enc_policy": 2,
    "smooth_connects": False,
    "connection_speed": 500,
    # A thread more than there are cores for only takes time from the others.
    "aio_threads": 2,
}


def start(mode, torrent, folder, settings):
    """The session and the handle of the torrent; a seed believes that the file is whole."""
    session = lt.session({**PLAIN, **settings})
    parameters = lt.add_torrent_params()
    parameters.ti = lt.torrent_info(torrent)
    parameters.save_path = folder
    parameters.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
    if mode == "seed":
        parameters.flags |= lt.torrent_flags.seed_mode
    return session, session.add_torrent(parameters)


def connect(handle, address):
    host, port = address.split(":")
    handle.connect_peer((host, int(port)))


def wait_until_complete(handle, interval):
    while not handle.status().is_seeding:
        time.sleep(interval)


def serve():
    """Until it is ended."""
    while True:
        time.sleep(3600)
