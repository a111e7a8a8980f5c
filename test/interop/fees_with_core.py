#!/usr/bin/env python3
"""The same history to cairn and to Bitcoin Core: the same fee estimates, in the answers and in the files, and each loads the
other's saved pool.

    CAIRN_BIN_DIR=build/bin test/interop/fees_with_core.py --core=FOLDER [BLOCKS]

FOLDER holds bitcoind, built elsewhere; load_txs (target load_txs) lies in CAIRN_BIN_DIR. Nothing here is run by ctest."""
import argparse
import random
import shutil
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "functional"), str(TESTS / "bench")]
from framework import BIN, CAIRND, Node, RpcError, Test, equal, wait_until  # noqa: E402
from mempool_load import split_coins, transactions  # noqa: E402

OFFERED = 150  # transactions before each block
ESTIMATES = ["fees/block_policy_estimates.dat", "fees/mempool_policy_estimator.dat"]
TARGETS = [*range(1, 60), 100, 144, 500, 1008]


class Side(Node):
    def __init__(self, folder, program):
        super().__init__(folder)
        self.program = program

    def command(self, *args):
        return [str(c) for c in [self.program, *super().command(*args)[1:]]]

    def loaded(self, *args):
        self.start(*args)
        wait_until(lambda: self.rpc.getmempoolinfo()["loaded"], "the pool is loaded")

    def end(self):
        self.rpc.stop()
        self.wait()

    def pool(self):
        return {txid: (entry["fees"]["modified"], entry["unbroadcast"])
                for txid, entry in self.rpc.getrawmempool(True).items()}

    def answers(self):
        found = {}
        for target in TARGETS:
            for threshold in (0.5, 0.6, 0.85, 0.95):
                found["raw", target, threshold] = self.rpc.estimaterawfee(target, threshold)
            for mode in ("economical", "conservative"):
                for estimator in ("none", "block_policy", "mempool_policy"):
                    found["smart", target, mode, estimator] = self.rpc.estimatesmartfee(
                        target, mode, {"fee_rate_estimator": estimator, "verbosity": 2})
        return found


def verdict(side, raw):
    try:
        return side.rpc.sendrawtransaction(raw.hex())
    except RpcError as e:
        return e.message


def same_history(ours, core, txs, blocks):
    for number in range(blocks):
        for _ in range(OFFERED):
            raw = next(txs)
            equal(verdict(ours, raw), verdict(core, raw), "a verdict")
        lone = [t for t, e in ours.rpc.getrawmempool(True).items() if e["ancestorcount"] == 1]
        if number % 3 == 1:  # what pays best
            block = ours.rpc.generatetodescriptor(1, "raw(51)")[0]
        else:  # whatever
            block = ours.rpc.generateblock("raw(51)", random.sample(lone, len(lone) * 2 // 3))["hash"]
        core.rpc.submitblock(ours.rpc.getblock(block, 0))
        equal(core.rpc.getbestblockhash(), block, "the tip")
    equal(ours.pool().keys(), core.pool().keys(), "the pool")


def compare_answers(ours, core, when):
    a, b = ours.answers(), core.answers()
    for question in a:
        equal(a[question], b[question], f"{when}: {question}")
    print(f"{when}: {len(a)} answers are equal, {sum('feerate' in str(v) for v in a.values())} of them with a rate")


def exchange(ours, core, folder, *args):
    pool = ours.pool()
    for side in (ours, core):
        side.end()
        side.loaded(*args)
        side.end()
    for name in ESTIMATES:
        equal((ours.chain_dir / name).read_bytes(), (core.chain_dir / name).read_bytes(), name)
    for name in ["mempool.dat", *ESTIMATES]:
        shutil.move(ours.chain_dir / name, folder / "kept")
        shutil.move(core.chain_dir / name, ours.chain_dir / name)
        shutil.move(folder / "kept", core.chain_dir / name)
    ours.loaded()
    core.loaded()
    equal(ours.pool(), pool, "ours after it read theirs")
    equal(core.pool(), pool, "theirs after it read ours")
    equal(ours.rpc.getprioritisedtransactions(), core.rpc.getprioritisedtransactions(), "deltas")
    print(f"exchanged files {' '.join(args)}: {len(pool)} transactions on both sides")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--core", type=Path, required=True)
    parser.add_argument("blocks", nargs="?", type=int, default=60)
    options = parser.parse_args()
    random.seed(5)
    t = Test("fees")
    try:
        ours, core = Side(t.dir / "ours", CAIRND), Side(t.dir / "core", options.core / "bitcoind")
        t.nodes += [ours, core]
        ours.loaded()
        core.loaded()
        wanted, streams = (options.blocks + 1) * OFFERED, t.dir / "streams"
        streams.mkdir()
        split_coins(ours, wanted // 50 + 200, t.dir / "coins")
        subprocess.run([BIN / "load_txs", t.dir / "coins", str(wanted), "1", streams], check=True, stdout=subprocess.DEVNULL)
        for height in range(1, ours.rpc.getblockcount() + 1):
            core.rpc.submitblock(ours.rpc.getblock(ours.rpc.getblockhash(height), 0))
        same_history(ours, core, transactions(streams / "0"), options.blocks)
        compare_answers(ours, core, "after the same history")
        for side in (ours, core):
            side.rpc.prioritisetransaction(min(side.pool()), 0, 1234)
            side.rpc.prioritisetransaction("11" * 32, 0, 77)
        exchange(ours, core, t.dir)
        exchange(ours, core, t.dir, "-persistmempoolv1")
        compare_answers(ours, core, "after the exchange")
        ours.end()
        core.end()
    finally:
        t.close()


if __name__ == "__main__":
    main()
