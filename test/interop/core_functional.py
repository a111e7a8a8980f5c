#!/usr/bin/env python3
"""Runs Bitcoin Core's functional tests with cairnd and cairn-cli in the place of Core's programs, and writes down how they end.

  core_functional.py --core CHECKOUT --bin BUILD/bin [--jobs N] [--timeout S] [--results FILE] [--page FILE] [TEST...]

CHECKOUT is a source tree of Bitcoin Core: it is only read, nothing of it is built. Without a TEST every script of the tree's
own runner is run; those that need a part which is not there (a wallet, IPC) say so themselves and count as skipped. RESULTS
(JSON) keeps the outcomes from one run to the next, so that the whole can be done in pieces; PAGE is written from all of them
(doc/core-functional.md). Why a test fails is noted by hand in core_functional.notes, and a note about one that passes is an error.
"""
import argparse
import ast
import concurrent.futures
import datetime
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NOTES = HERE / "core_functional.notes"
SKIPPED = 77  # exit status by which a script says that it does not apply

# What the tests may count on. Everything else that they ask for is off.
COMPONENTS = {"ENABLE_CLI": True, "ENABLE_BITCOIND": True}
OTHER_COMPONENTS = """ENABLE_WALLET ENABLE_ZMQ ENABLE_IPC BUILD_GUI ENABLE_USDT_TRACEPOINTS ENABLE_EXTERNAL_SIGNER
    ENABLE_EMBEDDED_ASMAP ENABLE_WALLET_TOOL BUILD_BITCOIN_TX ENABLE_BITCOIN_UTIL ENABLE_BITCOIN_CHAINSTATE BUILD_BENCH
    ENABLE_FUZZ_BINARY""".split()

PAGE = """# Bitcoin Core's own functional tests

Bitcoin Core's functional tests (v{version}) start nodes, talk to them over RPC and P2P, and compare what they say. They run against
`cairnd` and `cairn-cli` in place of `bitcoind` and `bitcoin-cli`; nothing of them is part of this project. Here is how those
that were run ended, unmodified, the last time on {date}. Written by

    test/interop/core_functional.py --core CHECKOUT --bin build/bin --results results.json --page doc/core-functional.md

{passed} pass, {failed} fail, {skipped} skip themselves because they need a part that is not there (most of them a wallet).

| tests that pass | |
|---|---|
{passing}

| tests that fail | what stops them |
|---|---|
{failing}

Skipped: {skipping}.

Not run: {left_out}.
"""


def scripts_of(core):
    """The scripts that Core's own runner runs, without their arguments, each once."""
    tree = ast.parse((core / "test/functional/test_runner.py").read_text())
    names = []
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Name) and target.id in ("BASE_SCRIPTS", "EXTENDED_SCRIPTS"):
            names += [e.value.split()[0].removesuffix(".py") for e in node.value.elts if isinstance(e, ast.Constant)]
    return sorted(set(names))


def version_of(core):
    text = (core / "CMakeLists.txt").read_text()
    numbers = [re.search(rf"set\(CLIENT_VERSION_{part}\s+(\d+)\)", text) for part in ("MAJOR", "MINOR")]
    return ".".join(n.group(1) for n in numbers if n)


def write_config(path, core):
    lines = ["[environment]", "CLIENT_NAME=cairn", "CLIENT_BUGREPORT=none", f"SRCDIR={core}", f"BUILDDIR={path.parent}",
             "EXEEXT=", f"RPCAUTH={core}/share/rpcauth/rpcauth.py", "[components]"]
    components = {**dict.fromkeys(OTHER_COMPONENTS, False), **COMPONENTS}
    lines += [f"{name}={'true' if on else 'false'}" for name, on in components.items()]
    path.write_text("\n".join(lines) + "\n")


def last_words(output):
    """The line that says best why a test failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"Error|Exception|assert|timed out", line)]
    return (telling or lines or [""])[-1][:200]


class Runner:
    def __init__(self, args, work):
        self.args, self.work = args, work
        self.config = work / "config.ini"
        write_config(self.config, args.core)
        self.env = dict(os.environ, BITCOIND=str(args.bin / "cairnd"), BITCOINCLI=str(args.bin / "cairn-cli"),
                        PYTHONDONTWRITEBYTECODE="1")
        self.caches = queue.Queue()  # a cache of chains serves one test at a time
        for i in range(args.jobs):
            self.caches.put(i)

    def run(self, seed, name):
        lane = self.caches.get()
        folder = self.work / name
        command = [sys.executable, str(self.args.core / "test/functional" / f"{name}.py"), f"--configfile={self.config}",
                   f"--cachedir={self.work}/cache{lane}", f"--tmpdir={folder}", f"--portseed={seed}", "--timeout-factor=2"]
        start = time.monotonic()
        try:
            done = subprocess.run(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=self.args.timeout)
            status, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as late:
            status, output = 1, (late.stdout or b"").decode(errors="replace") + f"\ntimed out after {self.args.timeout} s"
        finally:
            self.caches.put(lane)
        shutil.rmtree(folder, ignore_errors=True)
        state = {0: "pass", SKIPPED: "skip"}.get(status, "fail")
        if state == "fail" and self.args.keep:
            self.args.keep.mkdir(parents=True, exist_ok=True)
            (self.args.keep / f"{name}.log").write_text(output)
        why = "" if state == "pass" else last_words(output)
        return {"state": state, "seconds": round(time.monotonic() - start, 1), "why": why}


def read_notes():
    notes = {}
    for line in NOTES.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, text = line.partition(":")
            notes[name.strip()] = text.strip()
    return notes


def group_of(name):
    return name.split("_")[0]


def page_of(results, core):
    notes, by_state = read_notes(), {"pass": [], "fail": [], "skip": []}
    for name in sorted(results):
        by_state[results[name]["state"]].append(name)
    groups = {}
    for name in by_state["pass"]:
        groups.setdefault(group_of(name), []).append(name)
    stale = [name for name in notes if results.get(name, {}).get("state") == "pass"]
    if stale:
        sys.exit(f"{NOTES.name} has notes about tests that pass: {', '.join(stale)}")
    left_out = [name for name in scripts_of(core) if name not in results]
    failing = [f"| {name} | {notes.get(name) or '`' + results[name]['why'].replace('|', '/') + '`'} |"
               for name in by_state["fail"]]
    return PAGE.format(version=version_of(core), date=datetime.date.today().strftime("%d %B %Y").lstrip("0"),
                       passed=len(by_state["pass"]), failed=len(by_state["fail"]), skipped=len(by_state["skip"]),
                       passing="\n".join(f"| {group} | {', '.join(names)} |" for group, names in sorted(groups.items())),
                       failing="\n".join(failing), skipping=", ".join(by_state["skip"]) or "none",
                       left_out=", ".join(left_out) or "none")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--bin", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=900, help="seconds for one test")
    parser.add_argument("--keep", type=pathlib.Path, help="the output of tests that fail goes into this folder")
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--page", type=pathlib.Path)
    parser.add_argument("tests", nargs="*")
    args = parser.parse_args()
    tests = [t.removesuffix(".py") for t in args.tests] or scripts_of(args.core)
    results = json.loads(args.results.read_text()) if args.results and args.results.exists() else {}
    counts = {"pass": 0, "fail": 0, "skip": 0}
    with tempfile.TemporaryDirectory(prefix="cairn-core-", ignore_cleanup_errors=True) as work, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        runner = Runner(args, pathlib.Path(work))
        running = {pool.submit(runner.run, seed, name): name for seed, name in enumerate(tests)}
        for done in concurrent.futures.as_completed(running):
            name, result = running[done], done.result()
            results[name] = result
            counts[result["state"]] += 1
            print(f"{result['state']}  {name:42} {result['seconds']:6.1f} s  {result['why']}", flush=True)
            if args.results:
                args.results.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    if args.page:
        args.page.write_text(page_of(results, args.core))
    print(f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped")
    return 1 if counts["fail"] else 0


if __name__ == "__main__":
    sys.exit(main())
