"""count_tests.py CTEST_JUNIT...: counts single test cases in the JUnit files that ctest wrote, and prints as the last
line "N passed, N failed". A program that counts its own cases is believed (Criterion's synthesis line, unittest's
summary, or a last line of the form that this script prints); any other test of ctest is one case."""
import re
import sys
import xml.etree.ElementTree as xml

CRITERION = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in [\d.]+s$", re.M)
UNITTEST_BAD = re.compile(r"(?:failures|errors)=(\d+)")
UNITTEST_SKIPPED = re.compile(r"skipped=(\d+)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def cases_of(output):
    """(passed, failed) as the program itself counted, or None."""
    output = COLOUR.sub("", output)
    synthesis = CRITERION.findall(output)
    if synthesis:
        tested = sum(int(row[0]) for row in synthesis)
        passing = sum(int(row[1]) for row in synthesis)
        return passing, tested - passing
    plain = PLAIN.findall(output)
    if plain:
        return int(plain[-1][0]), int(plain[-1][1])
    ran = UNITTEST.findall(output)
    if ran:
        bad = sum(map(int, UNITTEST_BAD.findall(output)))
        skipped = sum(map(int, UNITTEST_SKIPPED.findall(output)))
        return int(ran[-1]) - bad - skipped, bad
    return None


def count(path):
    passed = failed = 0
    for case in xml.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        if status in ("disabled", "notrun"):
            why = "" if case.find("skipped") is None else case.find("skipped").get("message") or ""
            if "SKIP_RETURN_CODE" in why:  # it says so itself: what it needs is not there
                print(f"{case.get('name')}: {(case.findtext('system-out') or 'skipped').strip().splitlines()[-1]}")
                continue
            bad = "Disabled" not in why
            print(f"{case.get('name')}: did not run")
            failed += 1 if bad else 0
            continue
        ok = status == "run"
        own = cases_of(case.findtext("system-out") or "")
        if own is None or own == (0, 0) and not ok:
            own = (1, 0) if ok else (0, 1)
        if not ok and own[1] == 0:  # every case passed and the program failed: a leak, a crash at its end
            own = (own[0], 1)
        if not ok or own[1]:
            print(f"{case.get('name')}: {own[0]} passed, {own[1]} failed")
        passed += own[0]
        failed += own[1]
    return passed, failed


def main():
    totals = [count(path) for path in sys.argv[1:]]
    passed, failed = sum(t[0] for t in totals), sum(t[1] for t in totals)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
