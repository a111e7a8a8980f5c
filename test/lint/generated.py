"""The example configuration, manual pages, completions and reference pages are what the programs make from their rows now.
With --write (contrib/generate does that) they are written anew."""
import sys

import common

# (program, what it makes, where the copy lies)
FILES = [
    ("cairnd", "conf", "conf/bitcoin.conf"),
    ("cairnd", "man", "doc/man/cairnd.1"),
    ("cairn-cli", "man", "doc/man/cairn-cli.1"),
    ("cairn-miner", "man", "doc/man/cairn-miner.1"),
    ("cairnd", "markdown", "doc/options-cairnd.md"),
    ("cairn-cli", "markdown", "doc/options-cairn-cli.md"),
    ("cairn-miner", "markdown", "doc/options-cairn-miner.md"),
    ("cairnd", "rpc", "doc/rpc.md"),
    ("cairnd", "completion", "contrib/completions/bash/cairnd.bash"),
    ("cairn-cli", "completion", "contrib/completions/bash/cairn-cli.bash"),
    ("cairn-miner", "completion", "contrib/completions/bash/cairn-miner.bash"),
    ("cairn-sim", "man", "doc/man/cairn-sim.1"),
    ("cairn-sim", "completion", "contrib/completions/bash/cairn-sim.bash"),
    ("cairn-lab", "man", "doc/man/cairn-lab.1"),
    ("cairn-lab", "completion", "contrib/completions/bash/cairn-lab.bash"),
]


def made(build):
    """(path, text) of every file whose program is built."""
    for program, kind, path in FILES:
        binary = build / "bin" / program
        if binary.exists():
            yield path, common.run(str(binary), f"-gen={kind}")


def check(source, build):
    if common.is_sanitized(build):
        return []
    found, count = [], 0
    for path, text in made(build):
        count += 1
        copy = source / path
        if not text.strip():
            found.append(f"{path}: the program makes nothing for it")
        elif not copy.exists() or copy.read_text() != text:
            found.append(f"{path}: differs from what the rows say now: run contrib/generate")
    if count == 0:
        print("skipped: no program is built")
    return found


def write(source, build):
    for path, text in made(build):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
        print(path)


def tree(makes, copy):
    def plant(folder):
        files = {"bin/cairnd": f"#!/bin/sh\necho '{makes}'\n"}
        if copy is not None:
            files.update({path: copy for program, _, path in FILES if program == "cairnd"})
        common.write_tree(folder, files)
        (folder / "bin/cairnd").chmod(0o755)
    return plant


CASES = [
    ("the same", tree("a", "a\n"), False),
    ("an old copy", tree("b", "a\n"), True),
    ("no copy", tree("a", None), True),
    ("a program that makes nothing", tree("", "\n"), True),
    ("no programs", lambda folder: None, False),
]

if __name__ == "__main__":
    if "--write" in sys.argv:
        from pathlib import Path

        root = Path(__file__).resolve().parents[2]
        write(root, Path(sys.argv[-1]) if sys.argv[-1] != "--write" else root / "build")
    else:
        common.main(check, CASES)
