"""contrib/cmake/count_tests.py counts single cases right, and never takes a failed program for a passed one."""
import subprocess
import sys
from pathlib import Path

import common

SCRIPT = Path(__file__).resolve().parents[2] / "contrib/cmake/count_tests.py"
CRITERION = "[====] Synthesis: Tested: {} | Passing: {} | Failing: {} | Crashing: {}\n"


def check(source, _build):
    """A tree of the self-test has ctest.xml and the line expected of it; the real tree has nothing to look at."""
    if not (source / "ctest.xml").exists():
        return [] if SCRIPT.exists() else ["contrib/cmake/count_tests.py is missing"]
    done = subprocess.run([sys.executable, "-B", str(SCRIPT), str(source / "ctest.xml")], stdout=subprocess.PIPE, text=True)
    last = done.stdout.splitlines()[-1]
    wanted = (source / "expected").read_text()
    right = last == wanted and (done.returncode == 0) == wanted.endswith(" 0 failed")
    return [] if right else [f"{last} (exit status {done.returncode}), expected {wanted}"]


def tree(expected, *tests):
    cases = "".join(f'<testcase name="t{n}" status="{status}">{"".join(more)}<system-out>{output}</system-out></testcase>'
                    for n, (status, output, *more) in enumerate(tests))
    return lambda folder: common.write_tree(folder, {"ctest.xml": f"<testsuite>{cases}</testsuite>", "expected": expected})


CASES = [
    ("Criterion", tree("5 passed, 0 failed", ("run", CRITERION.format(5, 5, 0, 0))), False),
    ("Criterion, failures and crashes", tree("2 passed, 3 failed", ("fail", CRITERION.format(5, 2, 3, 1))), False),
    ("a program that leaks after its tests", tree("5 passed, 1 failed", ("fail", CRITERION.format(5, 5, 0, 0))), False),
    ("a crash before any count", tree("0 passed, 1 failed", ("fail", "Segmentation fault")), False),
    ("a test that did not run", tree("0 passed, 1 failed", ("notrun", "")), False),
    ("a test that says it was skipped", tree("1 passed, 0 failed", ("run", ""), ("notrun", "skipped: there is no node",
                                             '<skipped message="SKIP_RETURN_CODE=77"/>')), False),
    ("unittest", tree("7 passed, 2 failed", ("fail", "Ran 10 tests in 1.2s\nFAILED (failures=1, errors=1, skipped=1)")), False),
    ("our own line", tree("3 passed, 0 failed", ("run", "x\n3 passed, 0 failed\n")), False),
    ("plain programs", tree("2 passed, 1 failed", ("run", ""), ("run", "hello"), ("fail", "")), False),
    ("a wrong expectation is seen", tree("6 passed, 0 failed", ("run", CRITERION.format(5, 5, 0, 0))), True),
]

if __name__ == "__main__":
    common.main(check, CASES)
