#!/usr/bin/env python3
"""A live laboratory with Bitcoin Core in it: a theft among processes, seen by Core as by our nodes at every moment.

    CAIRN_BIN_DIR=build/bin test/interop/lab_with_core.py --core=FOLDER

FOLDER holds bitcoind, built outside of this project. Six honest nodes, a merchant, an attacker's two nodes; Core
connects to the first honest node. Whenever that node has another tip, Core must come to the same one; when the goods
are stolen, both have the same tips with the same statuses; a block that Core mines is taken by all; at the end the
hashes of all coins are equal. Then the laboratory is killed and must leave nothing. Nothing here is run by ctest."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))
from framework import BIN, Rpc, check, equal, free_port, wait_until  # noqa: E402

STORY = """title = Theft beside Bitcoin Core
about = Six honest nodes, a merchant, an attacker.
[setup]
seed = {seed}
honest = 6
q = 45%
confirmations = {z}
budget = 0
pay = 2m
[story]
at 2m: attack double
"""
SETTLE_S = 20
BASE = 17000


class Comparison:
    def __init__(self):
        self.count, self.differences, self.slowest = 0, [], 0.0

    def tips(self, ours, core):
        """Both come to one tip; a tip that has moved on meanwhile is no difference."""
        start = time.monotonic()
        while True:
            a, b, again = ours.getbestblockhash(), core.getbestblockhash(), ours.getbestblockhash()
            if a == b:
                break
            if a == again and time.monotonic() - start > SETTLE_S:
                self.differences.append((a, b))
                break
            time.sleep(0.01)
        self.count += 1
        self.slowest = max(self.slowest, time.monotonic() - start)

    def same(self, what, a, b):
        self.count += 1
        if a != b:
            self.differences.append((what, a, b))


def option(name, default=None):
    for arg in sys.argv[1:]:
        if arg.startswith(f"--{name}="):
            return arg.split("=", 1)[1]
    return default


class Lab:
    def __init__(self, folder, speed):
        self.folder = folder / "tmp"
        self.folder.mkdir()
        (folder / "theft.lab").write_text(STORY.format(seed=option("seed", "5"), z=option("z", "2")))
        self.events, self.changed, self.over = [], threading.Condition(), False
        self.process = subprocess.Popen(
            [str(BIN / "cairn-lab"), "live", str(folder / "theft.lab"), "--json", f"--speed={speed}",
             f"--port-base={BASE}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(folder / "stderr", "w"),
            env={**os.environ, "TMPDIR": str(self.folder)})
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.events.append(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def next_events(self, start):
        with self.changed:
            self.changed.wait_for(lambda: len(self.events) > start or self.over, 60)
            return self.events[start:]

    def rpc(self, name, number):
        home = next(self.folder.glob("cairn-lab-*"))
        return Rpc(BASE + 2 * number + 1, (home / name / "regtest" / ".cookie").read_text())


def start_core(folder, core):
    folder.mkdir()
    port = free_port()
    process = subprocess.Popen(
        [str(Path(core) / "bitcoind"), "-regtest", f"-datadir={folder}", "-listen=0", f"-connect=127.0.0.1:{BASE}",
         f"-rpcport={port}", "-printtoconsole=0", "-disablewallet=1"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)

    def up():
        try:
            rpc = Rpc(port, (folder / "regtest" / ".cookie").read_text())
            rpc.uptime()
            return rpc
        except Exception:  # not yet
            return None

    return process, wait_until(up, "Core answers")


def follow(lab, ours, core, comparison):
    """Until the theft is over: a comparison for every tip of the first honest node. The instant of payment and theft."""
    at, paid, stolen = 0, None, None
    while stolen is None:
        new = lab.next_events(at)
        check(new, "the laboratory is silent or over")
        at += len(new)
        for e in new:
            if e["e"] == "payment" and e["theft"]:
                paid = time.monotonic()
            if e["e"] == "tip" and e["node"] == 0:
                comparison.tips(ours, core)
            if e["e"] == "ledger" and e["order"] == 0 and e["state"] == "lost":
                stolen = time.monotonic()
    return paid, stolen


def tips_of(rpc):
    return sorted((t["hash"], t["height"], t["status"]) for t in rpc.getchaintips())


def after_theft(lab, ours, core, comparison):
    """The laboratory holds its breath: nobody mines, the nodes go on."""
    lab.process.send_signal(signal.SIGSTOP)
    comparison.tips(ours, core)
    comparison.same("tips and their statuses", tips_of(ours), tips_of(core))
    payment = next(e["txid"] for e in lab.events if e["e"] == "payment" and e["theft"])
    conflict = next(e["txid"] for e in lab.events if e["e"] == "conflict")
    comparison.same("the paid output", ours.gettxout(payment, 0), core.gettxout(payment, 0))
    comparison.same("the conflicting one", ours.gettxout(conflict, 0)["confirmations"],
                    core.gettxout(conflict, 0)["confirmations"])
    print(f"    tips of both: {[t[1:] for t in tips_of(core)]}")
    mined = core.generatetodescriptor(1, "raw(51)")[0]
    others = [lab.rpc(f"honest-{i + 1}", i) for i in range(6)] + [lab.rpc("merchant", 6), lab.rpc("outlet", 7)]
    for rpc in others:
        wait_until(lambda rpc=rpc: rpc.getbestblockhash() == mined, "Core's block is the tip of all", SETTLE_S)
        comparison.same("Core's block", rpc.getbestblockhash(), core.getbestblockhash())
    hashes = [rpc.gettxoutsetinfo("hash_serialized_3")["hash_serialized_3"] for rpc in (core, *others)]
    for one in hashes[1:]:
        comparison.same("hash of all coins", one, hashes[0])
    print(f"    hash of all coins, Core and {len(others)} nodes: {hashes[0]}")
    lab.process.send_signal(signal.SIGCONT)
    number = len(lab.events)
    while not any(e["e"] == "block" and e["hash"] == mined for e in lab.events):
        check(lab.next_events(number), "the laboratory tells of Core's block")
        number = len(lab.events)


def nothing_is_left(lab):
    def lines():
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    yield (entry / "cmdline").read_bytes()
                except OSError:
                    pass

    place = f"-datadir={lab.folder}".encode()
    wait_until(lambda: not any(place in line for line in lines()), "no process is left")
    wait_until(lambda: not list(lab.folder.iterdir()), "no file is left")
    for port in range(BASE, BASE + 18):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started must end, too
    core_folder = option("core")
    check(core_folder, "--core=FOLDER says where bitcoind is")
    comparison = Comparison()
    with tempfile.TemporaryDirectory(prefix="cairn-test-") as name:
        folder, core_process = Path(name), None
        began = time.monotonic()
        lab = Lab(folder, option("speed", "150"))
        try:
            wait_until(lambda: lab.over or any(e["e"] == "node" and e["name"] == "hideout" for e in lab.events),
                       "the laboratory starts")
            check(not lab.over, f"the laboratory is over at its start: {(folder / 'stderr').read_text()[-300:]}")
            print(f"    six honest nodes, merchant, outlet and hideout are there after {time.monotonic() - began:.1f} s")
            ours = lab.rpc("honest-1", 0)
            core_process, core = start_core(folder / "core", core_folder)
            comparison.tips(ours, core)
            paid, stolen = follow(lab, ours, core, comparison)
            depth = max(e["depth"] for e in lab.events if e["e"] == "reorg" and e["node"] == 0)
            print(f"    stolen {stolen - paid:.1f} s after the payment, {stolen - began:.1f} s after the start; "
                  f"blocks thrown away: {depth}")
            after_theft(lab, ours, core, comparison)
            lab.process.kill()
            lab.process.wait()
            nothing_is_left(lab)
            print("    after kill -9 of the laboratory: no process, no port, no file")
        finally:
            lab.process.kill()
            if core_process:
                core_process.terminate()
                core_process.wait(60)
    for difference in comparison.differences:
        print(f"    difference: {difference}")
    print(f"{comparison.count} comparisons, {len(comparison.differences)} differences; slowest agreement "
          f"{comparison.slowest:.2f} s")
    equal(len(comparison.differences), 0, "differences")


main()
