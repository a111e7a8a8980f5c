"""Killed at random instants, a node comes back by itself: no reindex, and the same coins in the end.

--count=N kills (default 6), --seed=N (default random, printed)."""
import random
import sys
import time

from framework import case, check, contains, data_file, data_json, equal, regtest_chain, run_cases, wait_until

SMALL = ["-assumevalid=0", "-dbcache=4"]


def option(name, fallback):
    for word in sys.argv[1:]:
        if word.startswith(f"--{name}="):
            return int(word.split("=", 1)[1])
    return fallback


COUNT = option("count", 6)
SEED = option("seed", random.SystemRandom().randrange(1 << 32))
TIMED = {}  # seconds that a whole import took


class Chain:
    """A chain to import, what must come out of it, and how long it takes here."""

    def __init__(self, t, name):
        self.name = name
        if name == "regtest":
            want = data_json("chains", "expected.json")["regtest-mixed-220.dat"]
            self.file, self.chain = regtest_chain(t.dir), "regtest"
            self.height, self.hash = want["height"], want["gettxoutsetinfo"]["hash_serialized_3"]
        else:
            tip = data_json("blocks", "expected.json")["testnet3-0-4000"]["tip"]
            self.file, self.chain = data_file("blocks", "testnet3-0-4000.dat"), "test"
            self.height, self.hash = tip["blocks"], tip["utxo_set"]["hash_serialized_3"]
        if name not in TIMED:
            start = time.monotonic()
            t.node(self.chain, SMALL, f"timed-{name}").import_blocks(self.file)
            TIMED[name] = time.monotonic() - start
        self.seconds = TIMED[name]

    def check_complete(self, node):
        coins = node.rpc.gettxoutsetinfo("hash_serialized_3")
        equal((coins["height"], coins["hash_serialized_3"]), (self.height, self.hash), "the coins after all kills")


def killed(node, after_s, *args):
    """Starts an import, kills it after some seconds; False where it was over before."""
    node.launch("-stopafterblockimport", *args)
    time.sleep(after_s)
    return node.kill().code != 0


def kill_some(t, how, chains):
    """COUNT kills of imports under HOW(random, node, chain), which gives the arguments of the next start."""
    seed = SEED ^ hash_of(how.__name__)
    rng = random.Random(seed)
    print(f"    {how.__name__}: seed {SEED}, {COUNT} kills")
    done = 0
    while done < COUNT:
        chain = rng.choice(chains)
        node = t.node(chain.chain, SMALL)
        for _ in range(min(rng.choice((1, 1, 2, 4)), COUNT - done)):
            killed(node, rng.random() ** 2 * chain.seconds * 1.1, *how(rng, node, chain))
            done += 1
        node.import_blocks(chain.file)  # and now to its end
        node.start("-checklevel=4", "-checkblocks=60")
        chain.check_complete(node)
        node.stop()


def hash_of(text):
    return sum(ord(c) << (5 * i % 32) for i, c in enumerate(text)) & 0xffffffff


@case
def killed_while_importing(t):
    def importing(_, __, chain):
        return [f"-loadblock={chain.file}"]
    kill_some(t, importing, [Chain(t, "regtest"), Chain(t, "testnet3")])


@case
def killed_while_reindexing(t):
    def reindexing(rng, node, chain):
        if not (node.blocks_dir / "blk00000.dat").exists():
            node.import_blocks(chain.file)
        return [rng.choice(["-reindex", "-reindex-chainstate"])]
    kill_some(t, reindexing, [Chain(t, "regtest"), Chain(t, "testnet3")])


@case
def a_killed_reindex_continues(t):
    """After a killed -reindex, a start without it does not lose the blocks of our own files."""
    chain = Chain(t, "testnet3")
    node = t.node("test", SMALL)
    node.import_blocks(chain.file)
    written = (node.blocks_dir / "blk00000.dat").read_bytes()
    for part in (0.1, 0.4, 0.8):
        if not killed(node, part * chain.seconds, "-reindex"):
            continue
        node.import_blocks()
        equal((node.blocks_dir / "blk00000.dat").read_bytes(), written, "the block file")
        node.start()
        wait_until(lambda: node.rpc.getblockcount() == chain.height, "all own blocks are back", 30)
        chain.check_complete(node)
        node.stop()


@case
def killed_during_a_reorganisation(t):
    expected = data_json("blocks", "expected.json")["mainnet-alt-0-2016"]["tip"]
    real, alt = data_file("blocks", "mainnet-0-599.dat"), data_file("blocks", "mainnet-alt-0-2016.dat")
    rng = random.Random(SEED)
    node = t.node("main", SMALL)
    node.import_blocks(real)
    start = time.monotonic()
    scratch = t.node("main", SMALL)
    scratch.import_blocks(real, alt)
    seconds = time.monotonic() - start
    for _ in range(4):
        killed(node, rng.random() * seconds, f"-loadblock={alt}")
    node.import_blocks(alt)
    node.start("-checklevel=4", "-checkblocks=100")
    coins = node.rpc.gettxoutsetinfo("hash_serialized_3")
    equal((coins["bestblock"], coins["hash_serialized_3"]),
          (expected["bestblockhash"], expected["utxo_set"]["hash_serialized_3"]), "the coins")
    node.stop()


@case
def stopped_while_importing(t):
    """SIGTERM in the middle is an orderly end: code 0, and the next start goes on."""
    chain = Chain(t, "regtest")
    node = t.node("regtest", SMALL)
    node.launch(f"-loadblock={chain.file}")
    wait_until(lambda: "height=20 " in node.log(), "the import is under way", step=0.005)
    node.process.terminate()
    ended = node.wait()
    equal((ended.code, ended.err), (0, ""), "exit code and standard error")
    contains(node.log(), "Shutdown done", "log")
    node.start()
    height = node.rpc.getblockcount()
    check(20 <= height <= chain.height, f"height {height} after the stop")
    node.stop()
    node.import_blocks(chain.file)
    node.start()
    chain.check_complete(node)
    node.stop()


run_cases()
