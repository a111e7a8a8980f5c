"""cairn-lab live: a theft among real processes, orders while it runs, a node that hangs; and after every kind of end
nothing is left: no process, no port, no file, and nothing of anybody else's is touched."""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from framework import BIN, Node, Rpc, case, check, contains, equal, run_cases, wait_until  # noqa: E402

LAB = BIN / "cairn-lab"
BASE = 16000  # ports; below those that the system gives to connections
STORY = """title = A theft
about = A test.
[setup]
seed = 3
honest = {honest}
q = {q}
confirmations = 2
budget = 0
pay = {pay}
[story]
{story}
"""


class Live:
    """A laboratory in a folder of its own, its events as they come."""

    def __init__(self, t, story="", honest=3, q="70%", pay="0s", speed=1500, wait=True, args=()):
        self.folder = t.dir / "tmp"
        self.folder.mkdir(exist_ok=True)
        scenario = t.dir / "theft.lab"
        scenario.write_text(STORY.format(honest=honest, q=q, pay=pay, story=story))
        # Names as the laboratory numbers them.
        self.names = [f"honest-{i + 1}" for i in range(honest)] + ["merchant", "outlet", "hideout"]
        self.ports = list(range(BASE, BASE + 2 * len(self.names)))
        self.events, self.changed = [], threading.Condition()
        self.stderr = open(t.dir / "stderr", "w+")
        t.nodes.append(self)
        self.process = subprocess.Popen(
            [str(LAB), "live", str(scenario), "--json", "--speed", str(speed), "--port-base", str(BASE), *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr, start_new_session=True,
            env={**os.environ, "TMPDIR": str(self.folder)})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if wait:
            self.wait_event(lambda e: e["e"] == "node" and e["name"] == "hideout", "all nodes are there")

    def read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            with self.changed:
                self.events.append(event)
                self.changed.notify_all()
        with self.changed:
            self.over = True
            self.changed.notify_all()

    over = False

    def find(self, holds, start=0):
        return next((e for e in self.events[start:] if holds(e)), None)

    def wait_event(self, holds, what, start=0, timeout=120):
        with self.changed:
            self.changed.wait_for(lambda: self.over or self.find(holds, start), timeout)
            found = self.find(holds, start)
        check(found, f"no event: {what}; the last ones: {self.events[-5:]}; {self.errors()}")
        return found

    def errors(self):
        return (self.folder.parent / "stderr").read_text()[-2000:]

    def order(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def home(self):
        found = [p for p in self.folder.iterdir() if p.name.startswith("cairn-lab-")]
        equal(len(found), 1, "folders of a laboratory")
        return found[0]

    def rpc(self, name):
        cookie = (self.home() / name / "regtest" / ".cookie").read_text()
        return Rpc(BASE + 2 * self.names.index(name) + 1, cookie)

    def processes(self):
        """Whatever has the test's folder in its command line: the laboratory, its guardian, the nodes."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    line = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.folder.parent).encode() in line:
                    found[int(entry.name)] = line.replace(b"\0", b" ").decode(errors="replace")
        return found

    def nodes(self):
        return {pid: line for pid, line in self.processes().items() if "cairnd -datadir=" in line}

    def guardian(self):
        """A process that it forks is called as it is, until it becomes a miner or a node."""
        def others():
            processes = self.processes()
            return [pid for pid, line in processes.items() if "-datadir=" not in line and pid != self.process.pid]
        wait_until(lambda: len(others()) == 1, f"one guardian among {self.processes()}", step=0.02)
        return min(others())

    def wait(self, timeout=120):
        code = self.process.wait(timeout)
        self.reader.join(timeout)
        return code

    def nothing_is_left(self, but=()):
        wait_until(lambda: not self.processes(), f"no process is left of {self.processes()}")
        wait_until(lambda: sorted(p.name for p in self.folder.iterdir()) == sorted(but),
                   f"no file is left of {list(self.folder.iterdir())}")
        for port in self.ports:
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
                s.listen()

    # What the framework asks of a node that it must end.
    def kill(self):
        self.process.kill()


def ledger(state):
    return lambda e: e["e"] == "ledger" and e["state"] == state


@case
def theft(t):
    """The whole life of a theft, each step as the merchant's own node tells it."""
    lab = Live(t, "on start: attack double", pay="30s")
    payment = lab.wait_event(lambda e: e["e"] == "payment", "the payment")
    conflict = lab.wait_event(lambda e: e["e"] == "conflict", "the conflict")
    lab.wait_event(ledger("delivered"), "the goods are gone")
    lab.wait_event(ledger("lost"), "the payment is gone")
    lab.process.send_signal(signal.SIGSTOP)  # the nodes go on, nobody mines: time to look
    try:
        merchant = lab.rpc("merchant")
        equal(merchant.gettxout(payment["txid"], 0), None, "the paid output")
        check(payment["txid"] not in merchant.getrawmempool(), "the payment waits in the pool")
        equal(merchant.gettxout(conflict["txid"], 0)["confirmations"] > 0, True, "the conflict is confirmed")
        dropped = [tx for r in merchant.getreorgs() for tx in r["txs"] if tx["txid"] == payment["txid"]]
        equal((dropped[0]["fate"], dropped[0]["conflict"]), ("conflicted", conflict["txid"]), "fate of the payment")
        states = [tip["status"] for tip in merchant.getchaintips()]
        equal((states.count("active"), "valid-fork" in states), (1, True), f"tips: {states}")
        said = [out.read_text() for out in lab.folder.glob("*/hideout-miner.out")]
        check(said and "accepted: block" in said[0], f"the attacker's miner: {said}")
    finally:
        lab.process.send_signal(signal.SIGCONT)
    equal(lab.wait(), 0, f"exit status; {lab.errors()}")
    states = []
    for e in lab.events:
        if e["e"] == "ledger" and e["order"] == 0 and e["state"] not in states[-1:]:
            states.append(e["state"])
    equal(states, ["waiting", "confirmed", "delivered", "lost"], "the merchant's book")
    equal([e["what"] for e in lab.events if e["e"] == "attack"][-1], "won", "the attack")
    equal(lab.events[-1]["outcome"], "stolen", "the end")
    secret = [e["block"] for e in lab.events if e["e"] == "block" and e["secret"]]
    equal(sorted(e["block"] for e in lab.events if e["e"] == "shown"), sorted(secret), "blocks that were shown")
    lab.nothing_is_left()


@case
def orders(t):
    """What is typed: two halves part and meet, a customer pays, wrong lines are told."""
    lab = Live(t, honest=4, q="10%")
    for line in ("nonsense", "latency 2s", "partition", "pay 1"):
        lab.order(line)
    lab.wait_event(lambda e: e["e"] == "link" and e["what"] == "partition", "the partition")
    sides = {e["node"]: e["side"] for e in lab.events if e["e"] == "side"}

    def tips():
        last = {e["node"]: e for e in lab.events if e["e"] == "tip"}
        return [{last[n]["block"] for n in (0, 1, 2, 3) if n in last and sides[n] == side} for side in (0, 1)]

    lab.wait_event(lambda e: e["e"] == "side" and e["node"] == 5, "sides")
    sides.update({e["node"]: e["side"] for e in lab.events if e["e"] == "side"})
    wait_until(lambda: all(tips()) and not tips()[0] & tips()[1], "two histories")
    lab.order("heal")
    lab.wait_event(lambda e: e["e"] == "reorg", "one half gives in")
    lab.wait_event(ledger("confirmed"), "the customer's payment")
    lab.order("end")
    equal(lab.wait(), 0, f"exit status; {lab.errors()}")
    contains(lab.errors(), "there is no command nonsense")
    contains(lab.errors(), "latency is what it is")
    lab.nothing_is_left()


@case
def recovery(t):
    """Operators call the attacker's branch invalid and are back on their own."""
    lab = Live(t, "on start: attack takeover", honest=2, q="80%")
    reorg = lab.wait_event(lambda e: e["e"] == "reorg" and e["node"] == 0 and e["depth"] >= 1, "the takeover")
    start = len(lab.events)
    lab.order("leave")
    lab.order("invalidate")
    back = lab.wait_event(lambda e: e["e"] == "tip" and e["node"] == 0 and e["height"] >= 0, "another tip", start)

    def on_honest_tip():
        honest = {e["block"] for e in lab.events if e["e"] == "block" and not e["attacker"]}
        return [e for e in lab.events[start:] if e["e"] == "tip" and e["node"] == 0][-1]["block"] in honest

    wait_until(on_honest_tip, f"an honest tip after {reorg} and {back}")
    lab.process.send_signal(signal.SIGINT)
    equal(lab.wait(), 0, f"exit status; {lab.errors()}")
    lab.nothing_is_left()


@case
def hung_node(t):
    """A node that is stopped does not stop the others, and takes part again when it goes on."""
    lab = Live(t, q="10%")
    pid = next(pid for pid, line in lab.nodes().items() if "honest-2" in line)
    os.kill(pid, signal.SIGSTOP)
    try:
        start = len(lab.events)
        for _ in range(3):
            found = lab.wait_event(lambda e: e["e"] == "block" and e["node"] != 1, "others find blocks", start)
            start = lab.events.index(found) + 1
    finally:
        os.kill(pid, signal.SIGCONT)
    height = max(e["height"] for e in lab.events if e["e"] == "block")
    lab.wait_event(lambda e: e["e"] == "tip" and e["node"] == 1 and e["height"] >= height, "it caught up")
    lab.process.terminate()
    equal(lab.wait(), 0, f"exit status; {lab.errors()}")
    lab.nothing_is_left()


@case
def interrupted(t):
    """Ctrl-C goes to the whole group of the terminal, once at the beginning and once in full swing."""
    for wait in (False, True):
        lab = Live(t, "on start: attack double", wait=wait)
        if not wait:
            wait_until(lambda lab=lab: lab.nodes(), "a node is there", step=0.01)
        os.killpg(lab.process.pid, signal.SIGINT)
        equal(lab.wait(), 0, f"exit status; {lab.errors()}")
        check(not lab.processes(), f"processes behind the end: {lab.processes()}")
        lab.nothing_is_left()


@case
def killed(t):
    """kill -9: before there is a folder, with the first node, later, in full swing."""
    for moment in ("at once", "folder", "node", "running"):
        lab = Live(t, "on start: attack double", wait=moment == "running")
        if moment == "folder":
            wait_until(lambda lab=lab: list(lab.folder.iterdir()), "a folder is there", step=0.001)
        if moment == "node":
            wait_until(lambda lab=lab: lab.nodes(), "a node is there", step=0.001)
        lab.process.kill()
        equal(lab.wait(), -signal.SIGKILL, "exit status")
        lab.nothing_is_left()


@case
def guardian_killed(t):
    """Without its guardian the laboratory has no nodes; it says so, and cleans up itself."""
    lab = Live(t)
    os.kill(lab.guardian(), signal.SIGKILL)
    equal(lab.wait(), 1, "exit status")
    contains(lab.errors(), "guardian")
    lab.nothing_is_left()


@case
def others_files(t):
    """What leads out of the folder is left alone, and so is what lies beside it."""
    precious = t.dir / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    (t.dir / "tmp").mkdir()
    (t.dir / "tmp" / "beside").write_text("mine, too")
    for sig in (signal.SIGTERM, signal.SIGKILL):
        lab = Live(t)
        home = next(p for p in lab.folder.iterdir() if p.name.startswith("cairn-lab-"))
        (home / "link").symlink_to(precious)
        (home / "merchant" / "deep").mkdir()
        (home / "merchant" / "deep" / "link").symlink_to(precious / "file")
        lab.process.send_signal(sig)
        lab.wait()
        lab.nothing_is_left(but=["beside"])
        equal((precious / "file").read_text(), "mine", "a file outside")


@case
def foreign_chain(t):
    """A node with a longer chain of its own, left over from yesterday, would take the network over: that is said."""
    other = Node(t.dir / "yesterday", args=["-networkactive=1"]).start()
    t.nodes.append(other)
    other.rpc.generatetodescriptor(140, "raw(51)")
    lab = Live(t, q="10%")
    other.rpc.addnode(f"127.0.0.1:{BASE}", "onetry")
    equal(lab.wait(), 1, f"exit status; {lab.errors()}")
    contains(lab.errors(), "not of this laboratory")
    other.stop()
    lab.nothing_is_left()


@case
def refusals(t):
    """What cannot work is said at once, and leaves nothing."""
    def fails(status, text, *args, **env):
        folder = t.dir / "tmp"
        folder.mkdir(exist_ok=True)
        done = subprocess.run([str(LAB), "live", *args], capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
                              env={**os.environ, "TMPDIR": str(folder), **env})
        equal((done.returncode, text in done.stderr.decode()), (status, True), f"{args}: {done.stderr.decode()!r}")
        equal([p for p in Path(folder).iterdir()] if folder.is_dir() else [], [], "files")

    fails(2, "--speed", "--speed", "0")
    fails(2, "there is no scenario", "no-such")
    fails(2, "honest", "--set", "honest=0")
    fails(2, "no cairnd", "--cairnd", "/nonexistent/cairnd")
    fails(1, "cannot use", TMPDIR=str(t.dir / "absent"))
    fails(1, "ended at its start", "--cairnd", "/bin/false")
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", BASE + 3))
        s.listen()
        fails(1, f"port {BASE + 3}", "--port-base", str(BASE))


run_cases()
