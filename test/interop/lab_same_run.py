#!/usr/bin/env python3
"""One seed is one run: the same log, tip and coins in every build, each time, and for any number of processes.

    test/interop/lab_same_run.py BUILD [BUILD ...] [--seeds 200] [--from 1] [--runs 3]

Each BUILD holds bin/cairn-lab (say, one by gcc and one by clang). Every build plays the same seeds RUNS times, with
1, 2, 4 ... processes; what is told of each seed must not differ by a byte.
"""
import argparse
import pathlib
import subprocess
import sys

# Settings that use most of what there is: the race; a public that pays; latency that makes forks.
KINDS = (
    ("race", ["--q", "30%", "--z", "2"]),
    ("payments", ["--q", "40%", "--z", "1", "--set", "pay=5m", "--set", "honest=3", "--set", "latency=2s"]),
    ("premine", ["--q", "45%", "--z", "3", "--premine", "1", "--set", "budget=60", "--set", "watchers=2"]),
)


def play(build, options, first, seeds, jobs):
    command = [build / "bin" / "cairn-lab", "trials", "--verbose", "--trials", seeds, "--seed", first, "--jobs", jobs]
    done = subprocess.run([str(word) for word in command] + options, stdout=subprocess.PIPE, check=False, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("seed ")]
    if len(lines) != seeds:
        sys.exit(f"{build}: {len(lines)} seeds of {seeds} were told of")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("builds", nargs="+", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    wrong = 0
    for name, options in KINDS:
        reference = None
        for build in args.builds:
            for run in range(args.runs):
                lines = play(build, options, args.first, args.seeds, 2**run)
                if reference is None:
                    reference = lines
                for ours, theirs in zip(reference, lines):
                    if ours != theirs:
                        wrong += 1
                        print(f"{name}, {build}, run {run + 1}:\n  {theirs}\ninstead of\n  {ours}")
        broken = sum("BROKEN" in line for line in reference)
        wrong += broken
        print(f"{name}: {args.seeds} seeds, {len(args.builds)} builds, {args.runs} runs each, {broken} broken", flush=True)
    print("the same everywhere" if not wrong else f"{wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
