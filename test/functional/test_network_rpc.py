"""What users see and say of the network: methods, options, the files of addresses and bans, cairn-cli's tables."""
import json
import time

from framework import case, check, contains, equal, free_port, rpc_fails, run_cases, wait_until

PEER_KEYS = """id addr addrbind addrlocal network services servicesnames relaytxes last_inv_sequence inv_to_send lastsend
lastrecv last_transaction last_block bytessent bytesrecv conntime timeoffset pingtime minping pingwait version subver inbound
bip152_hb_to bip152_hb_from presynced_headers synced_headers synced_blocks inflight addr_relay_enabled addr_processed
addr_rate_limited permissions minfeefilter bytessent_per_msg bytesrecv_per_msg connection_type transport_protocol_type
session_id""".split()
OPTIONAL = {"addrlocal", "pingtime", "minping", "pingwait"}
INFO_KEYS = """version subversion protocolversion localservices localservicesnames localrelay timeoffset tx_send_rate
inv_buckets networkactive connections connections_in connections_out networks relayfee incrementalfee localaddresses
warnings""".split()


def listener(t, *args):
    """A node that listens at node.address."""
    node = t.node()
    node.p2p_port = free_port()
    node.address = f"127.0.0.1:{node.p2p_port}"
    node.listen = ["-listen=1", f"-bind={node.address}", *args]
    return node.start(*node.listen)


def is_open(node, count):
    peers = node.rpc.getpeerinfo()
    return len(peers) == count and all(p["version"] and "verack" in p["bytesrecv_per_msg"] for p in peers)


def connect(a, b, peers=1):
    a.rpc.addnode(b.address, "onetry")
    wait_until(lambda: is_open(a, peers) and is_open(b, peers), "the two are connected")


def pair(t, *args):
    a, b = listener(t, *args), listener(t)
    connect(a, b)
    return a, b


@case
def peers(t):
    a, b = pair(t, "-whitelist=addr,out@127.0.0.1")
    b.rpc.ping()
    wait_until(lambda: "pingtime" in b.rpc.getpeerinfo()[0], "a ping comes back")
    ours, theirs = a.rpc.getpeerinfo()[0], b.rpc.getpeerinfo()[0]
    for peer in (ours, theirs):
        equal(list(peer), [k for k in PEER_KEYS if k not in OPTIONAL or k in peer], "fields in their order")
        equal(peer["servicesnames"], ["NETWORK", "WITNESS", "NETWORK_LIMITED"], "services")
        equal((peer["services"], peer["network"]), ("0000000000000409", "not_publicly_routable"), "services and network")
        equal((peer["transport_protocol_type"], peer["session_id"]), ("v1", ""), "transport")
        equal(list(peer["bytesrecv_per_msg"]), sorted(peer["bytesrecv_per_msg"]), "traffic in the order of the names")
        check(abs(peer["conntime"] - time.time()) < 3600, "time of the connection")
    equal((ours["addr"], ours["inbound"], ours["connection_type"]), (b.address, False, "manual"), "a's side")
    equal((theirs["addr"], theirs["inbound"], theirs["connection_type"]), (ours["addrbind"], True, "inbound"), "b's side")
    equal((ours["permissions"], theirs["permissions"]), (["addr"], []), "permissions")
    equal((a.rpc.getconnectioncount(), b.rpc.getconnectioncount()), (1, 1), "counts")
    a.stop()
    wait_until(lambda: b.rpc.getconnectioncount() == 0, "b notices")
    b.stop()


@case
def adding_and_removing(t):
    a, b = listener(t), listener(t)
    rpc_fails(-1, 'addnode "node" "command"', a.rpc.addnode, b.address, "keep")
    rpc_fails(-8, "Error: Node address cannot be empty", a.rpc.addnode, " ", "add")
    rpc_fails(-24, "Error: Node could not be removed. It has not been added previously.", a.rpc.addnode, b.address, "remove")
    rpc_fails(-8, "Error: v2transport requested but not enabled (see -v2transport)", a.rpc.addnode, b.address, "add", True)
    rpc_fails(-24, "Error: Node has not been added.", a.rpc.getaddednodeinfo, b.address)
    equal(a.rpc.getaddednodeinfo(), [], "nobody")
    a.rpc.addnode(b.address, "add")
    rpc_fails(-23, "Error: Node already added", a.rpc.addnode, b.address, "add")
    wait_until(lambda: a.rpc.getaddednodeinfo(b.address)[0]["connected"], "a dials b")
    equal(a.rpc.getaddednodeinfo(), [{"addednode": b.address, "connected": True,
                                      "addresses": [{"address": b.address, "connected": "outbound"}]}], "one")
    a.rpc.addnode(b.address, "remove")
    rpc_fails(-32602, "Only one of address and nodeid should be provided.", a.rpc.disconnectnode, b.address, 0)
    rpc_fails(-32602, "Only one of address and nodeid should be provided.", a.rpc.disconnectnode)
    rpc_fails(-29, "Node not found in connected nodes", a.rpc.disconnectnode, "127.0.0.1:1")
    rpc_fails(-29, "Node not found in connected nodes", a.rpc.disconnectnode, "", 77)
    a.rpc.disconnectnode(nodeid=a.rpc.getpeerinfo()[0]["id"])
    wait_until(lambda: a.rpc.getconnectioncount() == 0, "gone")
    rpc_fails(-8, 'addconnection "address"', a.rpc.addconnection, b.address, "inbound", False)
    equal(a.rpc.addconnection(b.address, "block-relay-only", False),
          {"address": b.address, "connection_type": "block-relay-only"}, "addconnection")
    wait_until(lambda: is_open(a, 1), "it stands")
    equal((a.rpc.getpeerinfo()[0]["connection_type"], b.rpc.getpeerinfo()[0]["relaytxes"]), ("block-relay-only", False),
          "its sort")
    a.stop()
    b.stop()


@case
def the_network(t):
    a, b = pair(t, "-externalip=8.8.8.8", "-externalip=[2001:4860::1]:77", "-minrelaytxfee=0.00002", "-blocksonly",
                "-maxuploadtarget=1000M", "-onlynet=ipv4", "-onlynet=cjdns", "-cjdnsreachable",
                "-proxy=127.0.0.1:9050=onion", "-proxy=127.0.0.1:1=cjdns")
    info = a.rpc.getnetworkinfo()
    equal(list(info), INFO_KEYS, "fields in their order")
    equal((info["connections"], info["connections_in"], info["connections_out"]), (1, 0, 1), "connections")
    equal((info["localrelay"], str(info["relayfee"]), info["networkactive"]), (False, "0.00002000", True), "relay")
    equal(info["localaddresses"], [{"address": "8.8.8.8", "port": a.p2p_port, "score": 4},
                                   {"address": "2001:4860::1", "port": 77, "score": 4}], "own addresses")
    equal([(n["name"], n["reachable"], n["limited"], n["proxy"]) for n in info["networks"]],
          [("ipv4", True, False, ""), ("ipv6", False, True, ""), ("onion", False, True, "127.0.0.1:9050"),
           ("i2p", False, True, ""), ("cjdns", True, False, "127.0.0.1:1")], "networks")
    before = a.rpc.getnettotals()
    equal(before["uploadtarget"]["target"], 1000 << 20, "target")
    equal((before["uploadtarget"]["timeframe"], before["uploadtarget"]["target_reached"]), (86400, False), "cycle")
    a.rpc.ping()
    wait_until(lambda: a.rpc.getnettotals()["totalbytessent"] >= before["totalbytessent"] + 32, "the ping is counted")
    wait_until(lambda: a.rpc.getnettotals()["totalbytesrecv"] >= before["totalbytesrecv"] + 32, "so is the pong")
    equal(a.rpc.setnetworkactive(False), False, "away")
    wait_until(lambda: a.rpc.getconnectioncount() + b.rpc.getconnectioncount() == 0, "everybody is gone")
    equal(a.rpc.getnetworkinfo()["networkactive"], False, "away")
    equal(a.rpc.setnetworkactive(True), True, "back")
    connect(b, a)
    a.stop()
    b.stop()


@case
def bans(t):
    a, b = pair(t, "-bantime=1000")
    rpc_fails(-1, 'setban "subnet" "command"', a.rpc.setban, "1.2.3.4", "ban")
    rpc_fails(-30, "Error: Invalid IP/Subnet", a.rpc.setban, "1.2.3.4/33", "add")
    rpc_fails(-30, "Error: Invalid IP/Subnet", a.rpc.setban, "somewhere", "add")
    rpc_fails(-8, "Error: Absolute timestamp is in the past", a.rpc.setban, "1.2.3.4", "add", 1, True)
    rpc_fails(-30, "Error: Unban failed. Requested address/subnet was not previously manually banned.", a.rpc.setban,
              "1.2.3.4", "remove")
    a.rpc.setban("127.0.0.0/8", "add")
    wait_until(lambda: a.rpc.getconnectioncount() == 0, "the banned peer is gone")
    rpc_fails(-23, "Error: IP/Subnet already banned", a.rpc.setban, "127.0.0.0/8", "add")
    rpc_fails(-23, "Error: IP/Subnet already banned", a.rpc.setban, "127.3.4.5", "add")
    end = int(time.time()) + 5000
    a.rpc.setban("2001:4d48::/32", "add", end, True)
    a.rpc.setban("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "add", 50)
    listed = a.rpc.listbanned()
    equal([b["address"] for b in listed], ["127.0.0.0/8", "2001:4d48::/32",
                                           "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"], "addresses")
    equal((listed[0]["ban_duration"], listed[1]["banned_until"], listed[2]["ban_duration"]), (1000, end, 50), "times")
    equal(list(listed[0]), ["address", "ban_created", "banned_until", "ban_duration", "time_remaining"], "fields")
    file = a.chain_dir / "banlist.json"
    wait_until(lambda: len(json.loads(file.read_text())["banned_nets"]) == 3, "the file has them at once")
    a.stop()
    a.start(*a.listen)
    equal([b["address"] for b in a.rpc.listbanned()], [b["address"] for b in listed], "after a restart")
    b.rpc.addnode(a.address, "onetry")
    equal(a.rpc.getconnectioncount(), 0, "banned is banned")
    a.rpc.setban("127.0.0.0/8", "remove")
    connect(b, a)
    a.rpc.clearbanned()
    equal(a.rpc.listbanned(), [], "all lifted")
    a.stop()
    file.write_text("{")
    a.start(*a.listen)
    contains(a.new_log(), f"Cannot load banlist {file}", "log")
    contains(a.new_log(), "Recreating the banlist database", "log")
    a.stop()
    b.stop()


@case
def addresses(t):
    node = t.node().start("-test=addrman", "-checkaddrman=1")
    rpc_fails(-30, "Invalid IP address", node.rpc.addpeeraddress, "somewhere", 8333)
    rpc_fails(-1, "JSON integer out of range", node.rpc.addpeeraddress, "1.2.3.4", 65536)
    rpc_fails(-8, "Network not recognized: tor", node.rpc.getnodeaddresses, 1, "tor")
    rpc_fails(-8, "Address count out of range", node.rpc.getnodeaddresses, -1)
    equal(node.rpc.addpeeraddress("1.2.3.4", 8333, True), {"success": True}, "to tried")
    equal(node.rpc.addpeeraddress("1.2.3.4", 8333), {"error": "failed-adding-to-new", "success": False}, "twice")
    equal(node.rpc.addpeeraddress("1.2.5.45", 8333, True), {"error": "failed-adding-to-tried", "success": False}, "collides")
    equal(node.rpc.addpeeraddress("2001:4860::1", 8333), {"success": True}, "to new")
    counts = node.rpc.getaddrmaninfo()
    equal(list(counts), ["ipv4", "ipv6", "onion", "i2p", "cjdns", "all_networks"], "networks")
    equal(counts["all_networks"], {"new": 2, "tried": 1, "total": 3}, "all")
    equal(counts["ipv6"], {"new": 1, "tried": 0, "total": 1}, "IPv6")
    found = node.rpc.getnodeaddresses(0)
    equal(sorted(a["address"] for a in found), ["1.2.3.4", "1.2.5.45", "2001:4860::1"], "all addresses")
    equal(list(found[0]), ["time", "services", "address", "port", "network"], "fields")
    equal([a["address"] for a in node.rpc.getnodeaddresses(0, "ipv6")], ["2001:4860::1"], "of one network")
    raw = node.rpc.getrawaddrman()
    (position, entry), = raw["tried"].items()
    equal((list(raw), len(raw["new"])), (["new", "tried"], 2), "tables")
    equal(list(entry), ["address", "port", "services", "time", "network", "source", "source_network"], "fields")
    bucket, slot = map(int, position.split("/"))
    check(bucket < 256 and slot < 64, position)
    equal(node.cli("-addrinfo").out, '{\n  "addresses_known": {\n    "ipv4": 2,\n    "ipv6": 1,\n    "onion": 0,\n'
                                     '    "i2p": 0,\n    "cjdns": 0,\n    "total": 3\n  }\n}\n', "-addrinfo")
    node.stop()
    node.start("-test=addrman", "-checkaddrman=1")
    contains(node.new_log(), "Loaded 3 addresses from peers.dat", "log")
    equal(node.rpc.getaddrmaninfo(), counts, "after a restart")
    node.stop()


@case
def damaged_addresses(t):
    node = t.node().start()
    node.rpc.addpeeraddress("1.2.3.4", 8333)
    node.stop()
    file = node.chain_dir / "peers.dat"
    whole = file.read_bytes()
    for data, text in ((whole[:-1], "Checksum mismatch, data corrupted"), (b"abcd" + whole[4:], "Invalid network magic number"),
                       (b"", "AutoFile::read: end of file")):
        file.write_bytes(data)
        ended = node.run()
        equal(ended.code, 1, "it does not start")
        if data:
            contains(ended.err, "Error: Invalid or corrupt peers.dat (", "standard error")
        contains(ended.err, "As a workaround, you can move the file (\"" + str(file) + "\") out of the way", "standard error")
        equal(file.read_bytes(), data, "the file is left alone")
    later = bytearray(whole)
    later[5] = 32 + 111
    file.write_bytes(later)
    node.start()
    contains(node.new_log(), "Original backed up to peers.dat.bak", "log")
    equal(node.rpc.getaddrmaninfo()["all_networks"]["total"], 0, "begun anew")
    equal((node.chain_dir / "peers.dat.bak").read_bytes(), bytes(later), "the backup")
    node.stop()


@case
def asking_a_peer(t):
    a, b = pair(t)
    b.rpc.setnetworkactive(False)
    wait_until(lambda: a.rpc.getconnectioncount() == 0, "apart")
    tip, = a.rpc.generatetodescriptor(1, "raw(51)")
    b.rpc.generatetodescriptor(2, "raw(52)")
    b.rpc.setnetworkactive(True)
    rpc_fails(-1, "Block header missing", b.rpc.getblockfrompeer, tip, 0)
    b.rpc.submitheader(a.rpc.getblockheader(tip, False))
    rpc_fails(-1, "Peer does not exist", b.rpc.getblockfrompeer, tip, 99)
    connect(a, b)
    b.rpc.getblockfrompeer(tip, b.rpc.getpeerinfo()[0]["id"])
    wait_until(lambda: b.cli("getblock", tip).code == 0, "the block comes")
    rpc_fails(-1, "Block already downloaded", b.rpc.getblockfrompeer, tip, 0)
    rpc_fails(-1, "Error: Could not send message to peer", a.rpc.sendmsgtopeer, 99, "addr", "")
    rpc_fails(-8, "Error: msg_type too long, max length is 12", a.rpc.sendmsgtopeer, 0, "a" * 13, "")
    rpc_fails(-8, "Error parsing input for msg", a.rpc.sendmsgtopeer, 0, "addr", "f")
    equal(a.rpc.sendmsgtopeer(a.rpc.getpeerinfo()[0]["id"], "nonsense", "00"), {}, "sent")
    wait_until(lambda: b.rpc.getpeerinfo()[0]["bytesrecv_per_msg"].get("*other*") == 25, "counted as unknown")
    a.rpc.sendmsgtopeer(a.rpc.getpeerinfo()[0]["id"], "addr", "00" * 4000001)
    wait_until(lambda: b.rpc.getconnectioncount() == 0, "too much for anybody")
    a.stop()
    b.stop()


@case
def tables_of_the_client(t):
    a, b = pair(t)
    table = b.cli("-netinfo").out.splitlines()
    check(table[0].startswith("cairn client v") and " regtest - server 70017/Satoshi:" in table[0], table[0])
    equal(table[2:6], ["         ipv4    ipv6     npr   total   block", "in          0       0       1       1",
                       "out         0       0       0       0       0", "total       0       0       1       1"], "counts")
    equal(table[7:10], ["Local services: network, witness, network limited", "", "Local addresses: n/a"], "the rest")
    table = a.cli("-netinfo", "4", "outonly").out.splitlines()
    check(table[0].endswith(" - services nwl"), table[0])
    equal(table[2].split()[:2] + table[2].split()[-2:], ["<->", "type", "address", "version"], "columns")
    row = table[3].split()
    equal(row[:5] + row[-2:-1], ["out", "manual", "npr", "nwl", "1", b.address], "a row")
    contains(b.cli("-netinfo", "help").out, "outonly", "help")
    equal((a.cli("-netinfo", "x").code, a.cli("-addrinfo", "x").code, a.cli("-netinfo", "-getinfo").code), (1, 1, 1), "refused")
    contains(b.cli("-getinfo").out, "Network: in 1, out 0, total 1\n", "-getinfo")
    a.stop()
    b.stop()


@case
def refused_at_start(t):
    for args, text in ((["-bind=127.0.0.1:1"], "Cannot set -bind or -whitebind together with -listen=0"),
                       (["-maxuploadtarget=x"], "Unable to parse -maxuploadtarget: 'x'"),
                       (["-whitelist=x@1.2.3.4"], "Invalid P2P permission: 'x'"),
                       (["-onlynet=x"], "Unknown network specified in -onlynet: 'x'")):
        ended = t.node().run(*args)
        equal((ended.code, ended.out, ended.err), (1, "", f"Error: {text}\n"), str(args))
    taken = listener(t)
    node = t.node()
    ended = node.run("-listen=1", f"-bind={taken.address}")
    equal(ended.code, 1, "the port is taken")
    contains(ended.err, f"Unable to bind to {taken.address} on this computer.", "standard error")
    taken.stop()


run_cases()
