"""Every C file is formatted as .clang-format says, by clang-format 14 (the one of Debian 12; others differ)."""
import re
import shutil
import subprocess

import common

FOLDERS = ["src", "include", "test", "contrib"]


def program():
    """clang-format of major version 14, or None."""
    for name in ("clang-format-14", "clang-format"):
        if shutil.which(name) and re.search(r"version 14\.", common.run(name, "--version")):
            return name
    return None


def check(source, _build):
    name = program()
    if name is None:
        print("skipped: clang-format 14 is not installed")
        return []
    paths = common.files(source, FOLDERS, [".c", ".h"])
    found = []
    for start in range(0, len(paths), 100):
        done = subprocess.run([name, "--dry-run", "-Werror", "--style=file", *map(str, paths[start:start + 100])],
                              cwd=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        bad = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", done.stderr, re.M)))
        found += [f"{path.replace(str(source) + '/', '')}: run clang-format -i on it" for path in bad]
        if done.returncode != 0 and not bad:
            found.append(done.stderr.strip())
    return found


def tree(text):
    style = "BasedOnStyle: LLVM\nIndentWidth: 4\n"
    return lambda folder: common.write_tree(folder, {"src/a/a.c": text, ".clang-format": style})


# Where the program is absent nothing can be found, and the lint says that it was skipped.
CASES = [("formatted", tree("int f(int a);\n"), False), ("not formatted", tree("int  f( int a ) ;\n"), program() is not None)]

if __name__ == "__main__":
    common.main(check, CASES)
