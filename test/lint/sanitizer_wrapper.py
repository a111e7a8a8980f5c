"""contrib/cmake/run_sanitized fails where the sanitizers reported something, also when the program itself ended well."""
import os
import subprocess
import sys
from pathlib import Path

import common

LEAK = "#include <stdlib.h>\nint main(void) { volatile char *p = malloc(9); p = 0; return p != 0; }\n"
OVERFLOW = "#include <limits.h>\nint main(int c, char **v) { (void)v; volatile int n = INT_MAX; n += c; return 0; }\n"
CLEAN = "int main(void) { return 0; }\n"
FAILING = "int main(void) { return 3; }\n"
WRAPPER = Path(__file__).resolve().parents[2] / "contrib/cmake/run_sanitized"


def check(source, _build):
    """Runs main.c of a self-test's tree under the wrapper; the real tree has nothing to run."""
    program = source / "main.c"
    if not program.exists():
        return [] if os.access(WRAPPER, os.X_OK) else ["contrib/cmake/run_sanitized is not executable"]
    common.run(os.environ.get("CC", "cc"), "-g", "-fsanitize=address,undefined",
               "-fno-sanitize-recover=all", str(program), "-o", str(source / "main"))
    done = subprocess.run([str(WRAPPER), str(source / "main")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return [done.stdout or f"exit status {done.returncode}"] if done.returncode else []


def tree(text):
    return lambda folder: common.write_tree(folder, {"main.c": text})


CASES = [
    ("a clean program", tree(CLEAN), False),
    ("a failing program", tree(FAILING), True),
    ("a leak", tree(LEAK), True),
    ("an overflow", tree(OVERFLOW), True),
]

if __name__ == "__main__":
    sys.exit(common.main(check, CASES))
