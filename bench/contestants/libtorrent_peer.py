"""One side of a libtorrent transfer, tuned for a single fast connection on one host.

    libtorrent_peer.py seed  TORRENT FOLDER          prints "ready PORT", serves until it is ended
    libtorrent_peer.py leech TORRENT FOLDER ADDRESS  prints "begun MILLISECONDS", exits when the file is complete

No encryption, no DHT, no local discovery, no uTP, no port mapping; it speaks to the given address alone.
"""
import os
import sys
import time

import libtorrent as lt

begun = time.time()
mode, torrent, folder = sys.argv[1:4]

session = lt.session({
    "listen_interfaces": "127.0.0.1:0",
    "outgoing_interfaces": "127.0.0.1",
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
    "allow_multiple_connections_per_ip": True,
    "smooth_connects": False,
    "connection_speed": 500,
    # A thread more than there are cores for only takes time from the others.
    "aio_threads": 2,
    "hashing_threads": 2,
    "unchoke_slots_limit": -1,
    "max_out_request_queue": 2000,
    "max_allowed_in_request_queue": 4000,
    "request_queue_time": 10,
    "send_buffer_low_watermark": 1 << 20,
    "send_buffer_watermark": 8 << 20,
    "send_buffer_watermark_factor": 150,
    "send_not_sent_low_watermark": 512 << 10,
    "max_peer_recv_buffer_size": 8 << 20,
    "max_queued_disk_bytes": 64 << 20,
    "tick_interval": 100,
})

parameters = lt.add_torrent_params()
parameters.ti = lt.torrent_info(torrent)
parameters.save_path = folder
parameters.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
if mode == "seed":
    parameters.flags |= lt.torrent_flags.seed_mode
handle = session.add_torrent(parameters)

if mode == "seed":
    print(f"ready {session.listen_port()}", flush=True)
    while True:
        time.sleep(3600)

host, port = sys.argv[4].split(":")
handle.connect_peer((host, int(port)))
while not handle.status().is_seeding:
    time.sleep(0.005)
print(f"begun {round(begun * 1000)}", flush=True)
# The file is complete and written; an orderly farewell would only add to the time.
os._exit(0)
