"""One host of a libtorrent fleet.

    libtorrent_host.py seed  TORRENT FOLDER ADDRESS:PORT           prints "ready", serves until it is ended
    libtorrent_host.py leech TORRENT FOLDER ADDRESS:PORT PEER...   prints "completed MILLISECONDS", goes on seeding

It listens on ADDRESS:PORT and is told where the others are; whom it is not told of it learns by PEX. No encryption, no
DHT, no local discovery, no uTP, no port mapping.
"""
import sys
import time

import libtorrent as lt

mode, torrent, folder, own = sys.argv[1:5]

session = lt.session({
    "listen_interfaces": own,
    "outgoing_interfaces": own.split(":")[0],
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
    # Somebody who did not listen yet is asked again soon.
    "min_reconnect_time": 1,
    "aio_threads": 2,
    "hashing_threads": 1,
})

parameters = lt.add_torrent_params()
parameters.ti = lt.torrent_info(torrent)
parameters.save_path = folder
parameters.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
if mode == "seed":
    parameters.flags |= lt.torrent_flags.seed_mode
handle = session.add_torrent(parameters)

if mode == "seed":
    print("ready", flush=True)
else:
    for peer in sys.argv[5:]:
        if peer != own:
            host, port = peer.split(":")
            handle.connect_peer((host, int(port)))
    while not handle.status().is_seeding:
        time.sleep(0.02)
    print(f"completed {round(time.time() * 1000)}", flush=True)
while True:
    time.sleep(3600)
