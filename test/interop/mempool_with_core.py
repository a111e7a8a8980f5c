#!/usr/bin/env python3
"""The pools of cairn and of Bitcoin Core, fed the same random transactions: verdict for verdict, entry for entry.

    CAIRN_BIN_DIR=build/bin test/interop/mempool_with_core.py --core=FOLDER [--transactions=N] [--seed=N]
        [--seeds=N] [--setting=NAME] [--failures=N] [--reasons] [--self]

FOLDER holds bitcoind, built outside of this project; the programs of ours, tx_stream among them (target tx_stream),
lie in CAIRN_BIN_DIR. --self runs Core against Core, to try the test itself. One seed gives one run. Each transaction
goes through testmempoolaccept and sendrawtransaction of both, packages through testmempoolaccept; blocks,
reorganisations, restarts, priorities and jumps of the clock come between; then everything that tells of a pool must be
equal. A difference is printed with the transaction and both answers, and the exit status is 1. Nothing here is run by
ctest."""
import argparse
import collections
import http.client
import json
import random
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "functional")]
import blocks  # noqa: E402
from framework import BIN, Node, RpcError, scratch, wait_until  # noqa: E402

START_TIME = 1_700_000_000
BATCH = 32
POOL_MAX = 1500
RELEARN = 20  # blocks that are read again when branches change
ENTRIES = 12  # whose relatives are compared
TEMPLATE_TOLERANCE = 0.001  # of the fees: two ways to fill the end of a block
COMMON = ["-printtoconsole=0", "-connect=0", "-dnsseed=0", "-fixedseeds=0", "-listen=0", "-rpcworkqueue=64",
          "-checkmempool=0", "-debug=0"]
SETTINGS = {
    "standard": [],
    "nonstandard": ["-acceptnonstdtxn=1"],
    "free": ["-minrelaytxfee=0", "-dustrelayfee=0.00003"],
    "strict": ["-permitbaremultisig=0", "-datacarriersize=83", "-limitclustercount=10", "-limitclustersize=12",
               "-incrementalrelayfee=0.00001", "-minrelaytxfee=0.00001", "-bytespersigop=50"],
}
NOT_COMPARED = {"usage", "maxmempool", "loaded"}  # of getmempoolinfo


class Side(Node):
    """One of the two, with a connection that stays."""

    def __init__(self, folder, program, args):
        super().__init__(folder, "regtest", args)
        self.program, self.connection = program, None

    def command(self, *args):
        base = [self.program, f"-datadir={self.datadir}", "-chain=regtest", f"-rpcport={self.rpc_port}"]
        return [str(c) for c in [*base, *COMMON, *self.args, *args]]

    def send(self, calls):
        body = json.dumps([{"jsonrpc": "1.0", "id": i, "method": m, "params": p} for i, (m, p) in enumerate(calls)])
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.rpc_port, timeout=600)
        try:
            self.connection.request("POST", "/", body, self.rpc.headers)
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection.request("POST", "/", body, self.rpc.headers)

    def receive(self):
        """Amounts stay text: how they are written is compared, too."""
        answer = self.connection.getresponse().read()
        return [(r["result"], r["error"]) for r in json.loads(answer, parse_float=str)]

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def one(self, method, *params):
        self.send([(method, list(params))])
        result, error = self.receive()[0]
        if error:
            raise RpcError(error["code"], error["message"], 200)
        return result


class Enough(Exception):
    """No use in going on."""


class Stream:
    """tx_stream."""

    def __init__(self, seed):
        self.process = subprocess.Popen([str(BIN / "tx_stream"), str(seed)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.txid, self.raw, self.number = {}, {}, {}

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def lines(self):
        for line in self.process.stdout:
            words = line.split()
            if words[0] == ".":
                return
            if words[0] == "d":
                number = int(words[1])
                self.txid[number], self.raw[number] = words[2], words[3]
                self.number.setdefault(words[2], number)
            else:
                yield words
        raise RuntimeError("tx_stream ended")

    def events(self, count):
        self.tell(f"gen {count}")
        return list(self.lines())

    def of_block(self, count):
        known = set(self.txid)
        self.tell(f"block {count}")
        for _ in self.lines():
            pass
        return [n for n in self.txid if n not in known]

    def address(self):
        self.tell("addresses")
        return [words[0] for words in self.lines()][0]

    def coinbase(self, txid, value, height):
        self.tell(f"coinbase {txid} {value} {height}")
        self.number[txid] = int(self.process.stdout.readline().split()[1])


class Run:
    def __init__(self, options, setting, seed, folder):
        self.options, self.setting, self.seed = options, setting, seed
        core = Path(options.core) / "bitcoind"
        self.ours = Side(folder / "ours", core if options.self else BIN / "cairnd", SETTINGS[setting])
        self.core = Side(folder / "core", core, SETTINGS[setting])
        self.sides = (self.ours, self.core)
        self.random = random.Random(seed)
        self.stream = Stream(seed)
        self.now = START_TIME
        self.differences = 0
        self.counts = collections.Counter()
        self.reasons = collections.Counter()
        self.worst_template = 0.0
        self.height, self.pool, self.confirmed = 0, set(), {}
        self.returned = set()  # by a reorganisation
        self.lately = collections.deque(maxlen=4)  # what was done besides feeding
        self.apart = self.reorganised = False  # the pools differ; the chain has just changed branches

    # ---- both ----

    def both(self, calls):
        for side in self.sides:
            side.send(calls)
        return self.ours.receive(), self.core.receive()

    def differ(self, what, ours, core, raws=()):
        self.differences += 1
        print(f"\nDIFFERENCE {self.differences}: {what} (setting {self.setting}, seed {self.seed}, after "
              f"{self.counts['transactions']} transactions; lately: {', '.join(self.lately)})\n  cairn: {ours}\n  core:  {core}")
        for raw in raws:
            print(f"  tx: {raw}")
        sys.stdout.flush()
        if self.differences >= self.options.failures:
            raise Enough

    def same(self, what, ours, core, raws=()):
        self.counts["comparisons"] += 1
        if ours != core:
            self.differ(what, *shortened(ours, core), raws)
        return ours == core

    def start(self):
        for side in self.sides:
            side.drop()
            side.launch(f"-mocktime={self.now}")
        for side in self.sides:
            wait_until(side.is_up, "the node answers", step=0.02)
        for side in self.sides:
            wait_until(lambda side=side: side.rpc.getmempoolinfo()["loaded"], "the pool is loaded", step=0.02)

    def restart(self, persist):
        self.counts["restarts"] += 1
        self.lately.append(f"restart {persist}")
        for side in self.sides:
            side.rpc.stop()
        for side in self.sides:
            side.wait()
            if not persist:  # what was written now may be another pool than the other's
                (side.chain_dir / "mempool.dat").unlink(missing_ok=True)
            side.args = [*SETTINGS[self.setting], f"-persistmempool={int(persist)}"]
        self.start()

    def set_time(self, seconds):
        if seconds > 86400:
            self.lately.append("weeks")
        self.now += seconds
        self.both([("setmocktime", [self.now])])

    # ---- what the stream should know ----

    def refresh(self, touched=(), pool=None):
        """Tells it what became of TOUCHED and of all that entered or left the pool."""
        pool = set(self.core.one("getrawmempool") if pool is None else pool)
        touched = (self.pool ^ pool) | set(touched)
        self.pool = pool
        living = []
        for number, txid in sorted((self.stream.number[t], t) for t in touched if t in self.stream.number):
            if txid in self.confirmed:
                living.append(f"life {number} c {self.confirmed[txid]}")
            elif txid in pool:
                living.append(f"life {number} p 0")
            else:
                self.stream.tell(f"life {number} d 0")
        for line in living:
            self.stream.tell(line)

    def learn_block(self, block_hash):
        block = self.core.one("getblock", block_hash, 2)
        coinbase = block["tx"][0]
        if coinbase["txid"] not in self.stream.number:
            value = int(coinbase["vout"][0]["value"].replace(".", ""))
            self.stream.coinbase(coinbase["txid"], value, block["height"])
        for tx in block["tx"]:
            self.confirmed[tx["txid"]] = block["height"]
        return [tx["txid"] for tx in block["tx"]]

    def learn_tip(self):
        info = self.core.one("getblockchaininfo")
        self.height = info["blocks"]
        self.stream.tell(f"tip {info['blocks']} {info['mediantime']}")

    # ---- the chain ----

    def hand_over(self, source, block_hash):
        """The other gets the block; the stream learns of it."""
        other = self.ours if source is self.core else self.core
        answers = {source: None, other: other.one("submitblock", source.one("getblock", block_hash, 0))}
        self.same(f"submitblock of {block_hash}", answers[self.ours], answers[self.core])
        tips = [side.one("getbestblockhash") for side in self.sides]
        if not self.same("tip", *tips):
            raise Enough
        self.counts["blocks"] += 1
        touched = self.learn_block(block_hash)
        self.learn_tip()
        self.refresh(touched)

    def mine_empty(self, count):
        for block_hash in self.core.one("generatetoaddress", count, self.address):
            self.ours.one("submitblock", self.core.one("getblock", block_hash, 0))
            self.learn_block(block_hash)
        self.learn_tip()
        self.refresh()

    def generate(self, what, source=None):
        """A block of these transactions, by one of the two; False where it would be invalid."""
        source = source or (self.core if self.random.random() < 0.5 else self.ours)
        self.set_time(self.random.randrange(1, 600))
        try:
            block_hash = source.one("generateblock", self.address, what)["hash"]
        except RpcError as e:
            self.reasons[f"(generateblock) {e.message[:60]}"] += 1
            return False
        self.hand_over(source, block_hash)
        return True

    def mine_pool(self, share):
        """Mines a part of the pool in the order in which it was told, parents first."""
        self.lately.append("mine_pool")
        entries = self.core.one("getrawmempool", True)
        order = sorted(entries, key=lambda t: (entries[t]["ancestorcount"], self.stream.number.get(t, 0), t))
        chosen, weight = set(), 0
        for txid in order:
            e = entries[txid]
            if (self.random.random() < share and weight + e["weight"] < 3_900_000
                    and all(p in chosen for p in e["depends"])):
                chosen.add(txid)
                weight += e["weight"]
        what = [t for t in order if t in chosen]
        while not self.generate(what) and what:
            what = what[:len(what) // 2]

    def mine_other(self):
        """Mines what is in nobody's pool: conflicts, and what is not standard."""
        self.lately.append("mine_other")
        new = self.stream.of_block(self.random.randrange(3, 25))
        raws = [self.stream.raw[n] for n in new]
        if not self.generate(raws, self.core):
            for raw in raws:
                self.generate([raw], self.core)
        self.refresh([self.stream.txid[n] for n in new])

    def invalidate(self, depth):
        """Takes DEPTH blocks off, one after the other: Core settles its pool after each of them."""
        for _ in range(depth):
            tip = self.core.one("getbestblockhash")
            touched = self.core.one("getblock", tip)["tx"]
            self.returned.update(touched)
            self.same("invalidateblock", *self.both([("invalidateblock", [tip])]))
            for txid in touched:
                self.confirmed.pop(txid, None)
            self.relearn_chain(RELEARN)  # another branch may be the best now
            self.learn_tip()
            self.refresh(touched)
            self.compare()
            if self.apart:
                return
        if self.random.random() < 0.5:
            for _ in range(depth):
                self.mine_pool(self.random.random())
        if self.random.random() < 0.5:
            self.same("reconsiderblock", *self.both([("reconsiderblock", [tip])]))
            self.relearn_chain(RELEARN)

    def branch(self, depth):
        """A branch of blocks that is longer by one takes the place of the last DEPTH."""
        first = self.height - depth + 1
        gone = [self.core.one("getblock", self.core.one("getblockhash", h), 2) for h in range(first, self.height + 1)]
        ids = {tx["txid"] for b in gone for tx in b["tx"]}
        self.returned.update(ids)
        previous, seconds, taken = gone[0]["previousblockhash"], gone[0]["mediantime"], set()
        for i in range(depth + 1):
            some = []
            for tx in (gone[i]["tx"][1:] if i < depth else []):
                if self.random.random() < 0.6 and all(v["txid"] not in ids or v["txid"] in taken for v in tx["vin"]):
                    some.append(bytes.fromhex(tx["hex"]))
                    taken.add(tx["txid"])
            seconds += 1 + self.random.randrange(60)
            previous, raw = blocks.make(previous, first + i, max(seconds, gone[0]["time"]) + i, some)
            self.same("submitblock of a branch", *self.both([("submitblock", [raw.hex()])]))
        self.relearn_chain(RELEARN)
        self.refresh(ids | taken)
        self.same("tip", *[side.one("getbestblockhash") for side in self.sides])

    def reorganise(self):
        self.counts["reorganisations"] += 1
        self.reorganised = True
        depth = self.random.choice([1, 1, 2, 3, 6])
        self.lately.append(f"reorganise {depth}")
        if self.random.random() < 0.5:
            self.invalidate(depth)
        else:
            self.branch(depth)
        self.learn_tip()
        self.refresh()

    def relearn_chain(self, depth):
        """After a change of branches: nothing but the active chain is confirmed."""
        tip = self.core.one("getblockcount")
        from_height = max(1, tip - depth)
        touched = [t for t, h in self.confirmed.items() if h >= from_height]
        for txid in touched:
            del self.confirmed[txid]
        for height in range(from_height, tip + 1):
            touched += self.learn_block(self.core.one("getblockhash", height))
        self.returned.update(t for t in touched if t not in self.confirmed)
        self.refresh(touched)

    # ---- transactions ----

    def calls_of(self, events):
        calls, about = [], []
        for kind, *words in events:
            raws = words if kind == "j" else [self.stream.raw[int(n)] for n in words]
            calls.append(("testmempoolaccept", [raws] if self.random.random() < 0.1 else [raws, 0]))
            about.append(raws)
            for raw in raws:
                calls.append(("sendrawtransaction", [raw] if self.random.random() < 0.05 else [raw, 0, 21000000]))
                about.append([raw])
        return calls, about

    def count(self, method, result, error, size):
        if method == "sendrawtransaction":
            self.counts["transactions"] += 1
            self.counts["accepted"] += error is None
            self.reasons[(error["message"] if error else "accepted").split(",")[0][:70]] += 1
        elif size > 1:
            self.counts["packages"] += 1
            text = error["message"][:40] if error else result[0].get("package-error", "-")
            self.counts["packages accepted"] += error is None and all(r.get("allowed") for r in result)
            self.reasons[f"(package) {text}"] += 1

    def feed(self):
        events = self.stream.events(BATCH)
        calls, about = self.calls_of(events)
        if not calls:
            return
        ours, core = self.both([*calls, ("getrawmempool", [])])
        for (method, _), raws, a, b in zip(calls, about, ours, core):
            self.count(method, *b, len(raws))
            self.same(method, a, b, raws)
        touched = [self.stream.txid[int(n)] for kind, *words in events if kind != "j" for n in words]
        self.refresh(touched, core[-1][0])

    def prioritise(self):
        which = sorted(self.pool)
        known = which and self.random.random() < 0.8
        txid = self.random.choice(which) if known else f"{self.random.getrandbits(255):064x}"
        delta = self.random.choice([0, 1000, -1000, 100000, -200, self.random.randrange(-5000, 5000)])
        ours, core = self.both([("prioritisetransaction", [txid, 0, delta])])
        self.same("prioritisetransaction", ours, core)

    # ---- comparing ----

    def compare(self):
        self.counts["pools compared"] += 1
        self.set_time(10)
        a, b = self.both([("getrawmempool", [True]), ("getmempoolinfo", []), ("getmempoolfeeratediagram", []),
                          ("getblocktemplate", [{"rules": ["segwit"]}]), ("getprioritisedtransactions", [])])
        self.apart = False
        for what, (x, x_error), (y, y_error) in zip(("entries", "info", "diagram", "template", "prioritised"), a, b):
            if self.apart:
                break
            if x_error or y_error:
                self.same(what, x_error, y_error)
            else:
                getattr(self, f"compare_{what}")(x, y)
        self.compare_relatives()

    def compare_entries(self, ours, core):
        for entries in (ours, core):
            for e in entries.values():
                e["depends"].sort()
                e["spentby"].sort()
        if ours.keys() == core.keys():
            for txid, e in core.items():
                if txid in self.returned:  # before or after another branch took over
                    e["height"] = ours[txid]["height"]
                self.same(f"entry {txid}", ours[txid], e)
            return
        self.apart = True
        self.counts["pools apart"] += 1
        only = (self.excused(ours.keys() - core.keys(), self.ours, self.core),
                self.excused(core.keys() - ours.keys(), self.core, self.ours))
        fine = all(a[0] == "accepted" or "inputs-missing" in a[0] for a in only[0].values()) and not only[1]
        if self.reorganised and (fine or "too-large-cluster" in str(only)):
            # A cluster that a reorganisation has made too large loses its worst: which ones is no rule. Core drops all
            # that stands behind the first one that does not fit in its own order, and would take some of it again; here
            # goes what depends on that one.
            self.counts["trimmed otherwise"] += 1
        else:
            self.differ("who is in the pool", *only)

    def excused(self, txids, has, lacks):
        """Each of them with what the side that lacks it says of it, and how large its cluster is on the other."""
        count, weight = (10, 48_000) if self.setting == "strict" else (64, 404_000)
        answers = {}
        for txid in sorted(txids):
            answer = lacks.one("testmempoolaccept", [has.one("getrawtransaction", txid)], 0)[0]
            cluster = has.one("getmempoolcluster", txid)
            large = cluster["txcount"] > count // 2 or cluster["clusterweight"] > weight // 2
            answers[txid] = (answer.get("reject-details", "accepted"), cluster["txcount"], cluster["clusterweight"],
                             "could be too-large-cluster" if large else "")
        return answers

    def compare_info(self, ours, core):
        for info in (ours, core):
            for key in NOT_COMPARED:
                info.pop(key, None)
        self.same("getmempoolinfo", ours, core)

    def compare_diagram(self, ours, core):
        self.same("getmempoolfeeratediagram", ours, core)

    def compare_template(self, ours, core):
        fees = [sum(t["fee"] for t in x["transactions"]) for x in (ours, core)]
        self.counts["templates"] += 1
        self.same("coinbasevalue less fees", ours["coinbasevalue"] - fees[0], core["coinbasevalue"] - fees[1])
        if {t["txid"] for t in ours["transactions"]} == {t["txid"] for t in core["transactions"]}:
            for x in (ours, core):
                x["by_txid"] = {t["txid"]: {k: v for k, v in t.items() if k != "depends"} for t in x["transactions"]}
            for txid, t in core["by_txid"].items():
                self.same(f"template's {txid}", ours["by_txid"][txid], t)
        elif fees[0] != fees[1]:
            off = (fees[1] - fees[0]) / max(fees)
            self.worst_template = max(self.worst_template, off)
            if off > TEMPLATE_TOLERANCE:
                self.differ("fees of the template", fees[0], fees[1])
        for x in (ours, core):
            for key in ("transactions", "by_txid", "coinbasevalue", "default_witness_commitment", "longpollid"):
                x.pop(key, None)
        self.same("rest of the template", ours, core)

    def compare_prioritised(self, ours, core):
        self.same("getprioritisedtransactions", ours, core)

    def compare_relatives(self):
        if not self.pool or self.apart:
            return
        txids = self.random.sample(sorted(self.pool), min(ENTRIES, len(self.pool)))
        calls = [(m, [t]) for t in txids for m in ("getmempoolancestors", "getmempooldescendants", "getmempoolcluster")]
        ours, core = self.both(calls)
        for (method, (txid,)), (x, x_error), (y, y_error) in zip(calls, ours, core):
            for answer in (x, y):
                if isinstance(answer, list):
                    answer.sort()
                elif answer:
                    settle_cluster(answer)
            self.same(f"{method} {txid}", x_error or x, y_error or y)

    # ---- all of it ----

    def begin(self):
        self.start()
        self.address = self.stream.address()
        self.mine_empty(130)
        for _ in range(4):
            self.mine_other()
        self.mine_empty(2)

    def step(self):
        self.apart = self.reorganised = False
        self.feed()
        chance = self.random.random
        if chance() < 0.1:
            self.set_time(self.random.randrange(1, 1200) if chance() < 0.97 else 15 * 86400)
        if chance() < 0.06:
            self.prioritise()
        moved = True
        if len(self.pool) > POOL_MAX or chance() < 0.06:
            self.mine_pool(chance() * 1.3)
        elif chance() < 0.05:
            self.mine_other()
        elif chance() < 0.05:
            self.reorganise()
        elif chance() < 0.015:
            self.restart(chance() < 0.6)
            self.refresh()
        else:
            moved = False
        if not self.apart and (moved or chance() < 0.12):
            self.compare()
        if self.apart:  # start anew from empty pools, so that one difference is told once
            self.restart(False)
            self.refresh()

    def go(self):
        self.begin()
        while self.counts["transactions"] < self.options.transactions:
            self.step()
        self.apart = self.reorganised = False
        self.compare()

    def report(self):
        print(f"setting {self.setting}, seed {self.seed}: {self.differences} differences; "
              + ", ".join(f"{v} {k}" for k, v in sorted(self.counts.items()))
              + f"; worst template {self.worst_template:.2e} below Core's")
        if self.options.reasons:
            for reason, count in self.reasons.most_common():
                print(f"  {count:7} {reason}")
        sys.stdout.flush()


def settle_cluster(cluster):
    """Within a chunk, and among chunks of one fee rate, the order is anybody's."""
    for chunk in cluster["chunks"]:
        chunk["txs"].sort()
    cluster["chunks"].sort(key=lambda c: (c["chunkfee"], c["chunkweight"], c["txs"]))


def shortened(a, b):
    """Only what differs of two dicts or lists."""
    if isinstance(a, dict) and isinstance(b, dict):
        keys = [k for k in {**a, **b} if a.get(k) != b.get(k)]
        return {k: a.get(k) for k in keys}, {k: b.get(k) for k in keys}
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        at = [i for i, (x, y) in enumerate(zip(a, b)) if x != y]
        return {i: a[i] for i in at[:5]}, {i: b[i] for i in at[:5]}
    return a, b


def run_one(options, setting, seed):
    """Differences of one run."""
    with tempfile.TemporaryDirectory(prefix="cairn-pools-", dir=scratch()) as folder:
        run = Run(options, setting, seed, Path(folder))
        try:
            run.go()
        except Enough:
            pass
        except Exception as e:  # a node that died, an answer that is none: a difference, too
            traceback.print_exc()
            run.differences += 1
            print(f"setting {setting}, seed {seed}: {type(e).__name__}: {e}")
        finally:
            run.report()
            run.stream.process.stdin.close()
            for side in run.sides:
                if side.process and side.process.poll() is None:
                    side.process.kill()
                    side.process.wait()
    return run.differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--core", required=True, help="folder of bitcoind")
    parser.add_argument("--transactions", type=int, default=5000, help="in each run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="so many, from --seed on")
    parser.add_argument("--setting", choices=SETTINGS, action="append", help="all of them unless some are named")
    parser.add_argument("--failures", type=int, default=10, help="differences after which a run ends")
    parser.add_argument("--reasons", action="store_true", help="tell how often each answer came")
    parser.add_argument("--self", action="store_true", help="Core against Core")
    options = parser.parse_args()
    started, total = time.monotonic(), 0
    for seed in range(options.seed, options.seed + options.seeds):
        for setting in options.setting or SETTINGS:
            total += run_one(options, setting, seed)
    print(f"{total} differences, {time.monotonic() - started:.0f} s")
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
