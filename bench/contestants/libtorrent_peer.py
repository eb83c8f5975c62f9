"""One side of a libtorrent transfer, tuned for a single fast connection on one host.

    libtorrent_peer.py seed  TORRENT FOLDER          prints "ready PORT", serves until it is ended
    libtorrent_peer.py leech TORRENT FOLDER ADDRESS  prints "begun MILLISECONDS", exits when the file is complete

It speaks to the given address alone.
"""
import os
import sys
import time

from libtorrent_session import connect, serve, start, wait_until_complete

begun = time.time()
mode, torrent, folder = sys.argv[1:4]

session, handle = start(mode, torrent, folder, {
    "listen_interfaces": "127.0.0.1:0",
    "outgoing_interfaces": "127.0.0.1",
    "allow_multiple_connections_per_ip": True,
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

if mode == "seed":
    print(f"ready {session.listen_port()}", flush=True)
    serve()

connect(handle, sys.argv[4])
wait_until_complete(handle, 0.005)
print(f"begun {round(begun * 1000)}", flush=True)
# The file is complete and written; an orderly farewell would only add to the time.
os._exit(0)
