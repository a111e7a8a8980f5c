"""Two and more nodes over real sockets: they find the same chain, lose each other and find back; strangers who flood, lie
or stay silent; an orderly end with connections open."""
import os
import socket
import struct
import threading
import time
from pathlib import Path

from framework import CAIRND, case, check, contains, equal, free_port, run_cases, wait_until
from peer import MAGIC, Peer, message

SCRIPT = "raw(51)"
ROUNDS = 300  # calls that are timed


def listener(t, name, *args):
    """A node that listens at node.p2p_port, with the log of its connections."""
    port = free_port()
    node = t.node(args=["-listen=1", f"-bind=127.0.0.1:{port}", f"-port={port}", "-debug=net", *args], name=name)
    node.p2p_port = port
    return node


def connect(a, b):
    before = b.rpc.getconnectioncount()
    a.rpc.addnode(f"127.0.0.1:{b.p2p_port}", "onetry")
    wait_until(lambda: b.rpc.getconnectioncount() > before and any(
        p["version"] for p in a.rpc.getpeerinfo()), "the two are connected")


def same_tip(*nodes):
    tip = nodes[0].rpc.getbestblockhash()
    return all(n.rpc.getbestblockhash() == tip for n in nodes)


def wait_same_tip(*nodes):
    wait_until(lambda: same_tip(*nodes), "all are on the same tip")


def check_memory(grown_kb, most_kb, what):
    """Sanitizers keep what was freed, and more: there sizes mean nothing."""
    if not any(mark in CAIRND.read_bytes() for mark in (b"__asan_init", b"__tsan_init")):
        check(grown_kb < most_kb, f"{what}: {grown_kb} KB more")


def memory_kb(node):
    for line in Path(f"/proc/{node.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


@case
def blocks_travel(t):
    a, b = listener(t, "a").start(), listener(t, "b").start()
    a.rpc.generatetodescriptor(60, SCRIPT)
    connect(b, a)
    wait_same_tip(a, b)
    equal(b.rpc.getblockcount(), 60, "height")
    for node, other in ((a, b), (b, a), (a, b)):
        node.rpc.generatetodescriptor(2, SCRIPT)
        wait_same_tip(node, other)
    peer, = a.rpc.getpeerinfo()
    equal((peer["inbound"], peer["addrbind"]), (True, f"127.0.0.1:{a.p2p_port}"), "a's side")
    peer, = b.rpc.getpeerinfo()
    equal((peer["inbound"], peer["addr"], peer["connection_type"]), (False, f"127.0.0.1:{a.p2p_port}", "manual"),
          "b's side")
    a.stop()
    b.stop()


@case
def a_longer_chain_wins(t):
    a, b = listener(t, "a").start(), listener(t, "b").start()
    a.rpc.generatetodescriptor(10, SCRIPT)
    b.rpc.generatetodescriptor(25, "raw(52)")
    connect(a, b)
    wait_same_tip(a, b)
    equal(a.rpc.getblockcount(), 25, "the chain with more work")
    contains(str(a.rpc.getchaintips()), "valid-fork", "the other one")


@case
def lost_and_found(t):
    a, b = listener(t, "a").start(), listener(t, "b").start()
    a.rpc.generatetodescriptor(5, SCRIPT)
    connect(b, a)
    wait_same_tip(a, b)
    b.rpc.disconnectnode(f"127.0.0.1:{a.p2p_port}")
    wait_until(lambda: not a.rpc.getpeerinfo() and not b.rpc.getpeerinfo(), "both know that it is over")
    a.wait_log("socket closed, disconnecting peer=0")
    a.rpc.generatetodescriptor(5, SCRIPT)
    equal(b.rpc.getblockcount(), 5, "nothing is told to who has left")
    connect(b, a)
    wait_same_tip(a, b)
    b.stop()
    a.rpc.generatetodescriptor(5, SCRIPT)
    b.start(f"-addnode=127.0.0.1:{a.p2p_port}")
    wait_same_tip(a, b)
    a.kill()
    wait_until(lambda: not b.rpc.getpeerinfo(), "a killed node is missed")
    a.start()
    a.rpc.generatetodescriptor(1, SCRIPT)
    connect(b, a)
    wait_same_tip(a, b)


@case
def a_line_of_nodes(t):
    nodes = [listener(t, f"n{i}").start() for i in range(4)]
    for left, right in zip(nodes, nodes[1:]):
        connect(left, right)
    nodes[0].rpc.generatetodescriptor(20, SCRIPT)
    wait_same_tip(*nodes)
    nodes[3].rpc.generatetodescriptor(1, SCRIPT)
    wait_same_tip(*nodes)
    nodes[1].rpc.setnetworkactive(False)
    wait_until(lambda: not nodes[1].rpc.getpeerinfo() and not nodes[0].rpc.getpeerinfo(), "the network is off")
    refused = socket.create_connection(("127.0.0.1", nodes[1].p2p_port), 30)
    equal(refused.recv(1), b"", "nobody is let in")
    nodes[1].rpc.setnetworkactive(True)
    connect(nodes[0], nodes[1])


@case
def bad_messages(t):
    node = listener(t, "a").start()
    peer = Peer(node.p2p_port)
    peer.send("ping", b"12345678", b"\xff" * 4)
    peer.wait_end()
    node.wait_log("Header error: Wrong MessageStart ffffffff received, peer=0")
    peer = Peer(node.p2p_port)
    peer.socket.sendall(MAGIC + b"block".ljust(12, b"\0") + struct.pack("<II", 4000001, 0))
    peer.wait_end()
    node.wait_log("Header error: Size too large (block, 4000001 bytes), peer=1")
    peer = Peer(node.p2p_port)
    whole = bytearray(message("ping", b"12345678"))
    whole[20] ^= 1
    peer.socket.sendall(bytes(whole))
    peer.ping()  # the connection goes on
    node.wait_log("Header error: Wrong checksum (ping, 8 bytes)")
    for byte in message("ping", b"abcdefgh"):
        peer.socket.sendall(bytes([byte]))
    equal(peer.expect("pong"), b"abcdefgh", "a ping that came byte by byte")
    half = Peer(node.p2p_port)
    half.socket.sendall(message("block", b"x" * 1000)[:700])
    half.close()
    node.stop()


@case
def a_flood_does_not_stop_users(t):
    node = listener(t, "a").start()
    node.rpc.generatetodescriptor(10, SCRIPT)
    before = memory_kb(node)
    stop = threading.Event()
    ping = message("ping", b"12345678")
    junk = message("junk", b"x" * 900000)
    inv = message("inv", b"\xfd\x10\x27" + b"".join(struct.pack("<I", 1) + os.urandom(32) for _ in range(10000)))

    def flood(i):
        peer = Peer(node.p2p_port)
        peer.socket.settimeout(0.2)
        bytes_of_mine = (ping * 1000, junk, inv)[i % 3]
        while not stop.is_set():
            try:
                peer.socket.sendall(bytes_of_mine)
            except TimeoutError:
                pass  # what is half out makes the rest nonsense: fine, too
            except OSError:
                return

    threads = [threading.Thread(target=flood, args=(i,)) for i in range(24)]
    for thread in threads:
        thread.start()
    times, most = [], 0
    for _ in range(ROUNDS):
        begun = time.monotonic()
        node.rpc.getblockcount()
        times.append(time.monotonic() - begun)
        most = max(most, memory_kb(node))
    stop.set()
    for thread in threads:
        thread.join()
    times.sort()
    print(f"    calls under flood: median {times[len(times) // 2] * 1000:.1f} ms, longest {times[-1] * 1000:.0f} ms; "
          f"memory {before // 1024} MB, then at most {most // 1024} MB")
    check(times[len(times) // 2] < 1, "calls are answered while strangers flood")
    check_memory(most - before, 24 * 8 * 1024, "memory stays bounded")
    node.stop()


@case
def a_peer_that_never_reads(t):
    node = listener(t, "a").start()
    node.rpc.generatetodescriptor(10, SCRIPT)
    peer = Peer(node.p2p_port)
    peer.socket.settimeout(1)
    before, sent = memory_kb(node), 0
    try:
        while sent < 200 << 20:  # pongs pile up at ours until it reads no more
            peer.socket.sendall(message("ping", b"12345678") * 10000)
            sent += 320000
    except TimeoutError:
        pass
    check(sent < 200 << 20, "the node stops to read from who does not read")
    check_memory(memory_kb(node) - before, 64 * 1024, "and it holds little meanwhile")
    other = Peer(node.p2p_port)
    other.ping()
    node.stop()


@case
def a_port_that_is_taken(t):
    a = listener(t, "a").start()
    b = t.node(args=["-listen=1", f"-bind=127.0.0.1:{a.p2p_port}"], name="b")
    ended = b.run()
    equal(ended.code, 1, "exit code")
    contains(ended.err, f"Unable to bind to 127.0.0.1:{a.p2p_port} on this computer. cairn is probably already running.")


@case
def slots_for_those_without_transactions(t):
    """Two of four inbound slots: the third peer that wants transactions would cost another its place, and all are
    protected."""
    node = listener(t, "a", "-maxconnections=15").start()
    peers = [Peer(node.p2p_port) for _ in range(2)]
    third = Peer(node.p2p_port, greet=False)
    third.send_version()
    third.wait_end()
    for peer in peers:
        peer.ping()
    node.stop()
    node = listener(t, "b", "-maxconnections=15", "-inboundrelaypercent=100").start()
    for peer in [Peer(node.p2p_port) for _ in range(4)]:
        peer.ping()
    node.stop()


@case
def the_end_with_connections_open(t):
    node = listener(t, "a").start()
    peers = [Peer(node.p2p_port) for _ in range(20)]
    half_open = [Peer(node.p2p_port, greet=False) for _ in range(5)]
    begun = time.monotonic()
    node.stop()
    check(time.monotonic() - begun < 10, "it ends at once")
    for peer in peers + half_open:
        peer.wait_end()


if __name__ == "__main__":
    run_cases()
