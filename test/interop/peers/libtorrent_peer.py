"""A libtorrent peer for the interoperability tests: seeds a file or downloads a magnet, on one loopback address.

Prints "ready PORT" when it listens, "done" when the file is complete, and then goes on seeding until it is killed.
Contacts nothing but the addresses it is given: no trackers, no routers, no port mapping, no local discovery.
"""
import argparse
import sys
import time

import libtorrent as lt

parser = argparse.ArgumentParser()
parser.add_argument("mode", choices=["seed", "download"])
parser.add_argument("--ip", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--dir", required=True)
parser.add_argument("--torrent", help="seed: the .torrent file")
parser.add_argument("--magnet", help="download: the magnet URI")
parser.add_argument("--dht-node", help="HOST:PORT; without it the DHT is off")
options = parser.parse_args()

interface = f"{options.ip}:{options.port}"
session = lt.session({
    "listen_interfaces": interface,
    "outgoing_interfaces": options.ip,
    "enable_dht": options.dht_node is not None,
    "dht_bootstrap_nodes": options.dht_node or "",
    # The filters below are made for the Internet; on one loopback network they would refuse every node.
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "dht_ignore_dark_internet": False,
    "dht_prefer_verified_node_ids": False,
    "allow_multiple_connections_per_ip": True,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    "alert_mask": lt.alert.category_t.error_notification | lt.alert.category_t.connect_notification
    | lt.alert.category_t.dht_notification,
    "out_enc_policy": 2,
    "in_enc_policy": 2,
})

if options.mode == "seed":
    parameters = lt.add_torrent_params()
    parameters.ti = lt.torrent_info(options.torrent)
    parameters.flags |= lt.torrent_flags.seed_mode
else:
    parameters = lt.parse_magnet_uri(options.magnet)
parameters.save_path = options.dir
parameters.flags &= ~lt.torrent_flags.paused
parameters.flags &= ~lt.torrent_flags.auto_managed
handle = session.add_torrent(parameters)

print(f"ready {session.listen_port()}", flush=True)
done = False
ticks = 0
while True:
    time.sleep(0.1)
    ticks += 1
    # By itself libtorrent asks the DHT again only after 15 minutes, whatever the first answer was.
    if options.dht_node is not None and ticks % 10 == 0 and handle.status().num_peers == 0:
        handle.force_dht_announce()
    for alert in session.pop_alerts():
        print(alert.message(), file=sys.stderr, flush=True)
    if not done and handle.status().is_seeding:
        done = True
        print("done", flush=True)
