"""Compact block filters: the index, what light clients are served, what JSON-RPC says, and what a crash costs."""
import hashlib
import random
import struct
import time

from framework import case, check, contains, data_file, data_json, equal, free_port, rpc_fails, run_cases, wait_until
from peer import Peer

INDEX = "basic block filter index"
FILTERS = 1 << 6  # NODE_COMPACT_FILTERS


def double_hash(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def synced(node, height):
    wait_until(lambda: node.rpc.getindexinfo(INDEX).get(INDEX) == {"synced": True, "best_block_height": height}, "the index")


def all_filters(node):
    """hash -> (filter, header) of the active chain; the headers are chained."""
    found, header = {}, b"\0" * 32
    for height in range(node.rpc.getblockcount() + 1):
        block = node.rpc.getblockhash(height)
        got = node.rpc.getblockfilter(block)
        header = double_hash(double_hash(bytes.fromhex(got["filter"])) + header)
        equal(got["header"], header[::-1].hex(), f"header at {height}")
        found[block] = (got["filter"], got["header"])
    return found


@case
def what_core_says(t):
    """Filters and headers of a part of mainnet, followed and caught up."""
    expected = data_json("blocks", "expected.json")["mainnet-0-599"]
    node = t.node("main", ["-checkblocks=0", "-checklevel=4"])
    node.import_blocks(data_file("blocks", "mainnet-0-599.dat"), args=["-blockfilterindex"])
    for times in range(2):
        node.start("-blockfilterindex=basic", *(["-reindex"] if times else []))
        synced(node, 599)
        for row in expected["at_height"]:
            equal(node.rpc.getblockfilter(row["hash"]), {"filter": row["basic_filter"], "header": row["basic_filter_header"]},
                  f"filter at {row['height']}")
        all_filters(node)
        node.stop()
    node.start()
    equal(node.rpc.getindexinfo(), {}, "no index")
    rpc_fails(-1, "Index is not enabled for filtertype basic", node.rpc.getblockfilter, node.rpc.getblockhash(0))
    node.stop()


@case
def options(t):
    node = t.node()
    for args, error in ((["-blockfilterindex=abc"], "Unknown -blockfilterindex value abc."),
                        (["-blockfilterindex=basic", "-blockfilterindex=xyz"], "Unknown -blockfilterindex value xyz."),
                        (["-blockfilterindex=1", "-blockfilterindex=2"], "Unknown -blockfilterindex value 1."),
                        (["-peerblockfilters"], "Cannot set -peerblockfilters without -blockfilterindex."),
                        (["-peerblockfilters", "-blockfilterindex=0"],
                         "Cannot set -peerblockfilters without -blockfilterindex.")):
        ended = node.run(*args)
        equal((ended.code, ended.err), (1, f"Error: {error}\n"), " ".join(args))
    for args, there in (([], False), (["-blockfilterindex"], True), (["-blockfilterindex=1"], True),
                        (["-blockfilterindex=basic", "-blockfilterindex=basic"], True), (["-noblockfilterindex"], False)):
        node.start(*args)
        equal(INDEX in node.rpc.getindexinfo(), there, " ".join(args))
        path = node.chain_dir / "indexes/blockfilter/basic/db"
        if there:
            contains(node.new_log(), f"Opening LevelDB in {path}", "log")
        check(f"Wiping LevelDB in {path}" not in node.new_log(), "wiped")
        node.stop()


@case
def a_reorganisation(t):
    node = t.node("regtest", ["-blockfilterindex"]).start()
    node.rpc.generatetodescriptor(5, "raw(51)")
    left = all_filters(node)
    stale = node.rpc.getblockhash(3)
    node.rpc.invalidateblock(stale)
    node.rpc.generatetodescriptor(4, "raw(52)")
    now = all_filters(node)
    equal(len(set(now) & set(left)), 3, "blocks that stayed")
    for block, (content, header) in left.items():
        equal(node.rpc.getblockfilter(block), {"filter": content, "header": header}, "filters of stale blocks, too")
    node.stop()
    node.start()
    equal(all_filters(node), now, "filters after a restart")
    scan = node.rpc.scanblocks("start", ["raw(52)"])
    equal(scan, {"from_height": 0, "to_height": 6, "relevant_blocks": [node.rpc.getblockhash(h) for h in range(3, 7)],
                 "completed": True}, "scan")
    node.stop()


@case
def a_crash_while_it_catches_up(t):
    node = t.node().start()
    node.rpc.generatetodescriptor(1500, "raw(51)")
    node.stop()
    chance = random.Random(158)
    for _ in range(4):
        node.start("-blockfilterindex")
        time.sleep(chance.random() * 0.1)
        node.kill()
    node.start("-blockfilterindex")
    synced(node, 1500)
    crashed = all_filters(node)
    node.stop()
    node.start("-blockfilterindex", "-reindex")
    wait_until(lambda: node.rpc.getblockcount() == 1500, "the reindex")
    synced(node, 1500)
    equal(all_filters(node), crashed, "made anew")
    node.stop()


# ---- light clients ----

def request(start, stop):
    return struct.pack("<BI", 0, start) + bytes.fromhex(stop)[::-1]


def take_vectors(payload, at):
    """The hashes after their count at AT, of at most 2,000."""
    count = payload[at]
    at += 1
    if count == 0xfd:
        count, at = struct.unpack("<H", payload[at:at + 2])[0], at + 2
    equal(len(payload), at + 32 * count, "length")
    return [payload[at + 32 * i:at + 32 * i + 32] for i in range(count)]


def server(t, *args):
    port = free_port()
    node = t.node(args=["-listen=1", f"-bind=127.0.0.1:{port}", f"-port={port}", "-debug=net", "-blockfilterindex", *args])
    node.p2p_port = port
    return node.start()


@case
def served(t):
    """A light client's way: checkpoints, headers, filters, each committed to by the one before."""
    node = server(t, "-peerblockfilters")
    node.rpc.generatetodescriptor(2100, "raw(51)")
    want = all_filters(node)
    hashes = list(want)
    check(int(node.rpc.getnetworkinfo()["localservices"], 16) & FILTERS, "the service bit")
    check("COMPACT_FILTERS" in node.rpc.getnetworkinfo()["localservicesnames"], "its name")
    peer = Peer(node.p2p_port)
    peer.send("getcfcheckpt", b"\0" + bytes.fromhex(hashes[-1])[::-1])
    points = take_vectors(peer.expect("cfcheckpt"), 33)
    equal([p[::-1].hex() for p in points], [want[hashes[h]][1] for h in (1000, 2000)], "checkpoints")
    peer.send("getcfheaders", request(1, hashes[1000]))
    answer = peer.expect("cfheaders")
    header = answer[33:65]
    equal(header[::-1].hex(), want[hashes[0]][1], "the header before")
    filter_hashes = take_vectors(answer, 65)
    for one in filter_hashes:
        header = double_hash(one + header)
    equal(header, points[0], "what the hashes come to")
    peer.send("getcfilters", request(1, hashes[1000]))
    for height in range(1, 1001):
        answer = peer.expect("cfilter")
        equal(answer[1:33][::-1].hex(), hashes[height], "block")
        equal(double_hash(answer[34:34 + answer[33]]), filter_hashes[height - 1], "filter")
    peer.ping()
    for name, start, log in (("getcfilters", 1, "peer requested too many cfilters/cfheaders: 2100 / 1000"),
                             ("getcfheaders", 1, "peer requested too many cfilters/cfheaders: 2100 / 2000"),
                             ("getcfheaders", 2101, "peer sent invalid getcfilters/getcfheaders with start height 2101 and "
                              "stop height 2100")):
        other = Peer(node.p2p_port)
        other.send(name, request(start, hashes[-1]))
        other.wait_end()
        contains(node.new_log(), log, "log")
    peer.ping()
    node.stop()


@case
def not_served(t):
    node = server(t)
    check(not int(node.rpc.getnetworkinfo()["localservices"], 16) & FILTERS, "no service bit")
    for name in ("getcfilters", "getcfheaders", "getcfcheckpt"):
        peer = Peer(node.p2p_port)
        block = bytes.fromhex(node.rpc.getblockhash(0))[::-1]
        peer.send(name, b"\0" + (b"" if name == "getcfcheckpt" else b"\0" * 4) + block)
        peer.wait_end()
    contains(node.new_log(), "peer requested unsupported block filter type: 0, disconnecting peer=2", "log")
    node.stop()


run_cases()
