"""What the lints share: the tree's files, the table of rooms, and the way a lint reports and tests itself."""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# The rings (doc/architecture.md). Core and engine rooms do no I/O, read no clock and hold no global state.
CORE = ["base", "crypto", "primitives", "script", "wire", "consensus", "descriptor", "policy"]
ENGINE = ["chain", "addrman", "mempool", "index", "p2p", "miner", "wallet", "node"]

SKIPPED_FOLDERS = {".git", ".cache", "__pycache__", "node_modules", "quickstart-data"}


def ranks(source):
    """{folder: rank} and [(room, dependency)] as CairnRooms.cmake has them: the only table of rooms."""
    text = (source / "contrib/cmake/CairnRooms.cmake").read_text()
    rows = re.findall(r"^cairn_(?:room|rank)\((\w+)\s+(\d+)([^)]*)\)", text, re.M)
    table = {name: int(rank) for name, rank, _ in rows}
    edges = [(name, word) for name, _, rest in rows for word in rest.split() if "::" not in word]
    if not table:
        raise SystemExit("no cairn_room rows found in contrib/cmake/CairnRooms.cmake")
    return table, edges


def files(source, folders, suffixes):
    """Every file below the folders with one of the suffixes ('' takes any), in a fixed order."""
    found = []
    for folder in folders:
        for root, names, leaves in os.walk(source / folder):
            names[:] = sorted(n for n in names if n not in SKIPPED_FOLDERS and not n.startswith("build"))
            found += [Path(root) / leaf for leaf in sorted(leaves) if leaf.endswith(tuple(suffixes))]
    return found


def is_sanitized(build):
    """True for a build with sanitizers or another compiler's instrumentation, whose objects carry data of their own."""
    cache = build / "CMakeCache.txt"
    return cache.exists() and re.search(r"^CAIRN_SANITIZE:\w+=.+$", cache.read_text(), re.M) is not None


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def compile_archive(folder, room, code):
    """For self-tests: libcairn_ROOM.a with one object made from CODE, as a build folder would hold it."""
    lib = Path(folder) / "lib"
    lib.mkdir(exist_ok=True)
    source = lib / "planted.c"
    source.write_text(code)
    run(os.environ.get("CC", "cc"), "-std=c17", "-O2", "-fPIC", "-c", str(source), "-o", str(lib / "planted.c.o"))
    run("ar", "rcs", str(lib / f"libcairn_{room}.a"), str(lib / "planted.c.o"))


def write_tree(folder, contents):
    for name, text in contents.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def main(check, cases):
    """check(source, build) gives a list of findings. A case is (what, plant, must_find): plant(folder) writes a tree with
    one violation (or, where must_find is False, a clean one)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if not args.self_test:
        findings = check(args.source, args.build)
        for finding in findings:
            print(finding)
        print(f"{len(findings)} findings")
        sys.exit(1 if findings else 0)
    wrong = 0
    for what, plant, must_find in cases:
        with tempfile.TemporaryDirectory() as folder:
            plant(Path(folder))
            findings = check(Path(folder), Path(folder))
        if bool(findings) != must_find:
            wrong += 1
            print(f"self-test: {what}: expected {'a finding' if must_find else 'none'}, got {findings}")
    print(f"self-test: {len(cases) - wrong} of {len(cases)} as expected")
    sys.exit(1 if wrong or not cases else 0)
