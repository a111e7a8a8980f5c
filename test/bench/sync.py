#!/usr/bin/env python3
"""The same blocks from a file, from one peer and from four, into an empty node: seconds and processor time, in one run.

    CAIRN_BIN_DIR=build/bin test/bench/sync.py BENCH_IMPORT [INPUTS [ROUNDS]]

BENCH_IMPORT is that program (it makes the chain). Peers are other processes on the same processors: the wall time holds their
share too; the processor time is that of the node that syncs alone."""
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))
from framework import Node, Test, check, free_port, wait_until  # noqa: E402

COMMON = ["-printtoconsole=0", "-dnsseed=0", "-fixedseeds=0", "-discover=0", "-listenonion=0", "-assumevalid=0",
          "-debug=0", "-dbcache=450"]
TICKS = os.sysconf("SC_CLK_TCK")


class BenchNode(Node):
    def __init__(self, test, name):
        super().__init__(test.dir / name, "regtest")
        self.p2p_port = free_port()
        test.nodes.append(self)

    def command(self, *args):
        base = super().command()[:4]
        return [str(c) for c in [*base, *COMMON, *args]]

    def processor_s(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def once(test, name, args, tip):
    node = BenchNode(test, name)
    start = time.monotonic()
    node.start(*args)
    up = time.monotonic()
    first_block = wait_until(lambda: node.rpc.getblockcount() > 0 and time.monotonic(), "the first block", step=0.005)
    wait_until(lambda: node.rpc.getbestblockhash() == tip, "the tip", 600, step=0.02)
    end = time.monotonic()
    used = node.processor_s()
    node.stop()
    return {"from the start": end - start, "from the first block": end - first_block, "processor": used,
            "until it answered": up - start}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    inputs, rounds = int((sys.argv[2:] or [80000])[0]), int((sys.argv[3:] or [5])[0])
    test = Test("sync")
    try:
        blocks = test.dir / "chain.dat"
        subprocess.run([sys.argv[1], "--write", str(blocks), str(inputs)], check=True)
        sources = [BenchNode(test, f"source{i}") for i in range(4)]
        for source in sources:
            source.start(f"-loadblock={blocks}", "-connect=0", "-listen=1", f"-bind=127.0.0.1:{source.p2p_port}")
        for source in sources:
            wait_until(lambda source=source: source.rpc.getmempoolinfo()["loaded"], "the import is over", 600)
        tip, height = sources[0].rpc.getbestblockhash(), sources[0].rpc.getblockcount()
        check(all(s.rpc.getbestblockhash() == tip for s in sources), "the sources agree")
        print(f"{height} blocks, {inputs} inputs, {blocks.stat().st_size / 1e6:.1f} MB")
        kinds = {"file": ["-connect=0", "-listen=0", f"-loadblock={blocks}"]}
        for count in (1, 4):
            kinds[f"{count} peer{'s'[:count > 1]}"] = ["-listen=0", *(f"-connect=127.0.0.1:{s.p2p_port}"
                                                                     for s in sources[:count])]
        results = {name: [] for name in kinds}
        for turn in range(rounds):
            for name, args in kinds.items():
                results[name].append(once(test, f"{name.replace(' ', '')}{turn}", args, tip))
        base = {k: statistics.median(r[k] for r in results["file"]) for k in results["file"][0]}
        for name, runs in results.items():
            medians = {k: statistics.median(r[k] for r in runs) for k in base}
            print(f"{name}: " + ", ".join(f"{k} {v:.2f} s ({v / base[k]:.2f} of file)" for k, v in medians.items()) +
                  f", {height / medians['from the first block']:.0f} blocks/s")
    finally:
        test.close()


if __name__ == "__main__":
    main()
