#!/usr/bin/env python3
"""Strangers who send as fast as they can: how long an honest peer waits for its pong meanwhile, and a user for an answer,
and how much memory it takes.

    CAIRN_BIN_DIR=build/bin test/bench/flood.py [STRANGERS [SECONDS]]

A third of them sends pings (and never reads the pongs), a third messages of an unknown kind with 900,000 bytes, a third
full inv messages. They run in two processes on the same processors as the node."""
import multiprocessing
import os
import struct
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))
from framework import Test  # noqa: E402
from test_network import SCRIPT, Peer, listener, memory_kb, message  # noqa: E402


def kinds():
    inv = b"\xfd\x10\x27" + b"".join(struct.pack("<I", 1) + os.urandom(32) for _ in range(10000))
    return [message("ping", b"12345678") * 1000, message("junk", b"x" * 900000), message("inv", inv)]


def flood(port, numbers, stop):
    bytes_of = kinds()

    def one(number):
        try:
            peer = Peer(port)
            peer.socket.settimeout(0.2)
            view, at = memoryview(bytes_of[number % 3]), 0
            while not stop.is_set():
                try:
                    at = (at + peer.socket.send(view[at:])) % len(view)
                except TimeoutError:
                    pass
        except (OSError, AssertionError):
            pass

    threads = [threading.Thread(target=one, args=(n,)) for n in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def measure(call, seconds, times, watch=lambda: None):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.monotonic()
        call()
        times.append(time.monotonic() - begun)
        watch()
        time.sleep(0.01)


def say(what, times):
    times.sort()
    print(f"{what}: {len(times)} times; median {times[len(times) // 2] * 1000:.1f} ms, "
          f"p99 {times[len(times) * 99 // 100] * 1000:.1f} ms, longest {times[-1] * 1000:.1f} ms", flush=True)


def both(node, honest, seconds, title):
    pings, calls, memory = [], [], [0]

    def watch():
        memory[0] = max(memory[0], memory_kb(node))

    pinging = threading.Thread(target=measure, args=(honest.ping, seconds, pings))
    pinging.start()
    measure(node.rpc.getblockcount, seconds, calls, watch)
    pinging.join()
    say(f"{title}: ping", pings)
    say(f"{title}: getblockcount", calls)
    print(f"{title}: at most {memory[0] // 1024} MB", flush=True)


def main():
    strangers = int(sys.argv[1]) if len(sys.argv) > 1 else 110
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    t = Test("flood")
    try:
        node = listener(t, "node", "-debug=0", "-maxconnections=140", "-inboundrelaypercent=100").start()
        node.rpc.generatetodescriptor(101, SCRIPT)
        honest = Peer(node.p2p_port)
        both(node, honest, min(seconds, 5), "alone")
        stop = multiprocessing.Event()
        workers = [multiprocessing.Process(target=flood, args=(node.p2p_port, range(i, strangers, 2), stop))
                   for i in range(2)]
        for worker in workers:
            worker.start()
        time.sleep(2)
        print(f"{node.rpc.getconnectioncount()} connections", flush=True)
        both(node, honest, seconds, "flooded")
        print(f"{node.rpc.getconnectioncount()} connections, "
              f"{node.rpc.getnettotals()['totalbytesrecv'] / 1e6:.0f} MB received", flush=True)
        stop.set()
        for worker in workers:
            worker.join()
        begun = time.monotonic()
        node.stop()
        print(f"stopped in {time.monotonic() - begun:.1f} s")
    finally:
        t.close()


if __name__ == "__main__":
    main()
