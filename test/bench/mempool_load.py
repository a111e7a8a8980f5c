#!/usr/bin/env python3
"""A million transactions at full speed, half by sendrawtransaction and half from peers, into a pool of 50 MB: what the node's
memory grows by, how long a user waits for a small answer meanwhile, and whether a restart loses anything.

    CAIRN_BIN_DIR=build/bin test/bench/mempool_load.py LOAD_TXS [COUNT [CONNECTIONS [PEERS]]]

What has limits of its own beside the pool (the cache of signatures, the peers' receive buffers) is kept small, so that what
grows is the pool; and a twentieth of the load goes through the node and into blocks before anything is measured, so that its
code and all that does not depend on the pool is there. LOAD_TXS is that program (it makes the transactions). Callers and peers
are processes of their own on the same processors as the node; peers send without being asked. CAIRN_LOAD_ARGS adds options, CAIRN_LOAD_PERF names a file for what perf records."""
import hashlib
import json
import multiprocessing
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))
from framework import Rpc, Test, check, equal, wait_until  # noqa: E402
from test_network import Peer, listener, message  # noqa: E402

WARM_PART = 20
TRIM_S = 6  # within which the node gives freed memory back
POOL_MB, BATCH, CLUSTER, BLOCK_OUTPUTS = 50, 100, 50, 4000
SCRIPT = b"\0\x20" + hashlib.sha256(b"\x51").digest()


def status_kb(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def compact(n):
    return bytes([n]) if n < 0xfd else b"\xfd" + struct.pack("<H", n) if n < 0x10000 else b"\xfe" + struct.pack("<I", n)


def split_coins(node, wanted, out):
    """Mines WANTED coins that anybody can spend; writes them down."""
    rounds = -(-wanted // BLOCK_OUTPUTS)
    node.rpc.generatetodescriptor(100 + rounds, "raw(51)")
    with open(out, "w") as file:
        for i in range(rounds):
            block = node.rpc.getblock(node.rpc.getblockhash(1 + i), 2)
            coinbase = bytes.fromhex(block["tx"][0]["txid"])[::-1]
            count = min(wanted, BLOCK_OUTPUTS)
            wanted -= count
            value = (50 * 10**8 - 10000) // count
            outputs = (struct.pack("<q", value) + compact(len(SCRIPT)) + SCRIPT) * count
            raw = (struct.pack("<I", 2) + b"\x01" + coinbase + struct.pack("<I", 0) + b"\0" + b"\xff" * 4
                   + compact(count) + outputs + b"\0" * 4)
            txid = hashlib.sha256(hashlib.sha256(raw).digest()).digest()[::-1].hex()
            node.rpc.generateblock("raw(51)", [raw.hex()])
            file.writelines(f"{txid} {k} {value}\n" for k in range(count))


def transactions(path):
    with open(path, "rb") as file:
        while length := file.read(4):
            yield file.read(struct.unpack("<I", length)[0])


def pass_gate(gate):
    gate.wait()  # all are warm
    gate.wait()  # the measuring begins


def call_all(port, credentials, path, warm, gate, results):
    """Sends what is in PATH, a batch a request, each as soon as the last is answered. Stops at GATE after WARM of them."""
    rpc, counts = Rpc(port, credentials, 600), {}
    batch = []

    def flush():
        status, body = rpc.post("[" + ",".join(
            f'{{"jsonrpc":"1.0","id":0,"method":"sendrawtransaction","params":["{raw.hex()}"]}}' for raw in batch) + "]")
        check(status == 200, f"HTTP {status}")
        for reply in json.loads(body):
            what = "accepted" if reply["error"] is None else reply["error"]["message"].split(",")[0]
            counts[what] = counts.get(what, 0) + 1
        batch.clear()

    for n, raw in enumerate(transactions(path)):
        if n == warm:
            pass_gate(gate)
            counts.clear()
        batch.append(raw)
        if len(batch) == BATCH:
            flush()
    if batch:
        flush()
    results.put(("calls", counts))


def send_all(port, path, warm, gate, results):
    """A peer that sends what is in PATH as fast as it is taken. Stops at GATE after WARM of them."""
    peer, count, done = Peer(port), 0, threading.Event()

    def listen():
        while (got := peer.receive()) is not None:
            if got[0] == "ping":
                peer.send("pong", got[1])
            elif got == ("pong", b"the end!"):
                done.set()

    threading.Thread(target=listen, daemon=True).start()
    peer.socket.settimeout(600)
    chunk = []

    def flush():
        peer.socket.sendall(b"".join(chunk))
        chunk.clear()

    def finish():
        flush()
        done.clear()
        peer.send("ping", b"the end!")
        check(done.wait(600), "the node answers a peer's last ping")

    for n, raw in enumerate(transactions(path)):
        if n == warm:
            finish()
            pass_gate(gate)
            count = 0
        chunk.append(message("tx", raw))
        count += 1
        if len(chunk) == 200:
            flush()
    finish()
    results.put(("peers", {"sent": count}))
    peer.socket.close()


def watch(node, stop, calls, memory):
    while not stop.is_set():
        for method in ("getblockcount", "getmempoolinfo"):
            begun = time.monotonic()
            info = node.rpc.call(method, [])
            calls[method].append(time.monotonic() - begun)
        memory.append((status_kb(node.process.pid, "VmRSS"), info["usage"], info["size"]))
        time.sleep(0.01)


def say_times(what, times):
    times.sort()
    print(f"{what}: {len(times)} times; median {times[len(times) // 2] * 1000:.1f} ms, "
          f"p99 {times[len(times) * 99 // 100] * 1000:.1f} ms, longest {times[-1] * 1000:.1f} ms", flush=True)


def mine_all(node):
    while node.rpc.getmempoolinfo()["size"]:
        node.rpc.generatetodescriptor(1, "raw(51)")


def load(node, folder, connections, peers, count):
    """Everything at once. Returns the seconds it took and how many transactions were sent."""
    gate, warm = multiprocessing.Barrier(connections + peers + 1), count // (connections + peers) // WARM_PART
    results, stop = multiprocessing.Queue(), threading.Event()
    calls, memory = {"getblockcount": [], "getmempoolinfo": []}, []
    credentials = (node.chain_dir / ".cookie").read_text()
    workers = [multiprocessing.Process(target=call_all, args=(node.rpc_port, credentials, folder / str(i), warm, gate, results))
               for i in range(connections)]
    workers += [multiprocessing.Process(target=send_all, args=(node.p2p_port, folder / str(connections + i), warm, gate,
                                                               results)) for i in range(peers)]
    watching = threading.Thread(target=watch, args=(node, stop, calls, memory))
    for worker in workers:
        worker.start()
    gate.wait()
    mine_all(node)
    time.sleep(TRIM_S)
    base = status_kb(node.process.pid, "VmRSS")
    watching.start()
    gate.wait()
    begun = time.monotonic()
    totals = {}
    for _ in workers:
        kind, counts = results.get()
        for what, n in counts.items():
            totals[f"{kind}: {what}"] = totals.get(f"{kind}: {what}", 0) + n
    took = time.monotonic() - begun
    for worker in workers:
        worker.join()
    stop.set()
    watching.join()
    for what, n in sorted(totals.items()):
        print(f"{what}: {n}")
    for method, times in calls.items():
        say_times(method, times)
    print(f"memory: {base / 1024:.1f} MiB before, at most {max(m[0] for m in memory) / 1024:.1f} MiB; of the pool at most "
          f"{max(m[1] for m in memory) / 1e6:.1f} MB and {max(m[2] for m in memory)} transactions", flush=True)
    grown = (max(m[0] for m in memory) - base) * 1024 / 1e6
    print(f"grown by {grown:.1f} MB: {grown / POOL_MB:.2f} of -maxmempool={POOL_MB}")
    return took, count - warm * len(workers)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    count, connections, peers = (int(v) for v in (sys.argv[2:] + ["1000000", "4", "4"][len(sys.argv) - 2:]))
    more = os.environ.get("CAIRN_LOAD_ARGS", "").split()
    t = Test("load")
    try:
        args = [f"-maxmempool={POOL_MB}", "-checkmempool=0", "-debug=0", "-maxsigcachesize=0", "-maxreceivebuffer=500", *more]
        node = listener(t, "node", *args).start()
        folder = t.dir / "streams"
        folder.mkdir()
        split_coins(node, count // CLUSTER + 100, t.dir / "coins")
        made = int(subprocess.run([sys.argv[1], str(t.dir / "coins"), str(count), str(connections + peers), str(folder)],
                                  check=True, capture_output=True).stdout)
        equal(made, count, "transactions made")
        node.stop()
        node.start()
        perf = None
        if os.environ.get("CAIRN_LOAD_PERF"):
            perf = subprocess.Popen(["perf", "record", "-g", "-o", os.environ["CAIRN_LOAD_PERF"], "-p",
                                     str(node.process.pid)], stderr=subprocess.DEVNULL)
        took, sent = load(node, folder, connections, peers, count)
        if perf:
            perf.send_signal(signal.SIGINT)
            perf.wait()
        print(f"{sent} transactions in {took:.1f} s: {sent / took:.0f} a second", flush=True)
        before = sorted(node.rpc.getrawmempool())
        info = node.rpc.getmempoolinfo()
        print(f"at the end {len(before)} transactions, {info['usage'] / 1e6:.1f} MB, at least "
              f"{float(info['mempoolminfee']) * 1e5:.2f} satoshis a vbyte")
        begun = time.monotonic()
        node.stop()
        stopped = time.monotonic()
        node.start()
        wait_until(lambda: node.rpc.getmempoolinfo()["loaded"], "the pool is loaded", 600, step=0.1)
        print(f"stopped in {stopped - begun:.1f} s, loaded again in {time.monotonic() - stopped:.1f} s")
        after = sorted(node.rpc.getrawmempool())
        print(f"after the restart {len(after)} transactions; {len(set(before) - set(after))} lost, "
              f"{len(set(after) - set(before))} new")
        equal(after == before, True, "the pool before and after a restart")
        node.stop()
    finally:
        t.close()


if __name__ == "__main__":
    main()
