"""One host of a libtorrent fleet.

    libtorrent_host.py seed  TORRENT FOLDER ADDRESS:PORT           prints "ready", serves until it is ended
    libtorrent_host.py leech TORRENT FOLDER ADDRESS:PORT PEER...   prints "completed MILLISECONDS", goes on seeding

It listens on ADDRESS:PORT and is told where the others are; others it learns of by PEX.
"""
import sys
import time

from libtorrent_session import connect, serve, start, wait_until_complete

mode, torrent, folder, own = sys.argv[1:5]

session, handle = start(mode, torrent, folder, {
    "listen_interfaces": own,
    "outgoing_interfaces": own.split(":")[0],
    # A host that does not listen yet is asked again soon.
    "min_reconnect_time": 1,
    "hashing_threads": 1,
})

if mode == "seed":
    print("ready", flush=True)
else:
    for peer in sys.argv[5:]:
        if peer != own:
            connect(handle, peer)
    wait_until_complete(handle, 0.02)
    print(f"completed {round(time.time() * 1000)}", flush=True)
serve()
