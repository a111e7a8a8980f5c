"""Words that must not be committed: marks of unfinished work, and paths that exist on one machine only."""
import re

import common

# Put together from pieces, so that this file passes.
UNFINISHED = re.compile("|".join([r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bXX" + r"X\b", "[Nn]ot " + "implemented",
                                  r"\b[Ss]t" + r"ub(?:s|bed)?\b"]))
MACHINE = re.compile(r"(?<![\w.])/(?:wo" + r"rk/|ro" + r"ot/|tm" + r"p/(?:core|team|b-))")
FOLDERS = ["src", "include", "test", "contrib", "doc", "conf", ".ci"]
TOP = ["README.md", "CONTRIBUTING.md", "CMakeLists.txt", "CMakePresets.json"]
BINARY = (".zst", ".dat", ".bin", ".png", ".ico", ".wasm")


def check(source, _build):
    found = []
    paths = common.files(source, FOLDERS, [""]) + [source / name for name in TOP if (source / name).exists()]
    for path in paths:
        if path.name.endswith(BINARY):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            word = UNFINISHED.search(line) or MACHINE.search(line)
            if word:
                found.append(f"{path.relative_to(source)}:{number}: {word.group(0)}")
    return found


def tree(text, name="src/a/a.c"):
    return lambda folder: common.write_tree(folder, {name: text})


CASES = [
    ("plain text", tree("/* stubborn work: nothing to do, /usr/share/doc */\n"), False),
    ("unfinished", tree("/* TO" + "DO: later */\n"), True),
    ("unfinished, in a document", tree("This is not " + "implemented yet.\n", "doc/a.md"), True),
    ("a name for mkdtemp", tree('char t[] = "/tmp/a-XX' + 'XXXX";\n'), False),
    ("a sham", tree("int st" + "ub(void);\n"), True),
    ("a machine's path", tree("cd /wo" + "rk/main\n", "contrib/run"), True),
    ("a machine's path at the top", tree("see /ro" + "ot/x\n", "README.md"), True),
]

if __name__ == "__main__":
    common.main(check, CASES)
