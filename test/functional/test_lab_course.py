"""The course of doc/lab: each lesson has the outcome and the figures that its page promises, a report that is whole, and
ends in seconds."""
import re
import time

from framework import BIN, SOURCE, case, check, contains, equal, run_cases, run_program

LAB = str(BIN / "cairn-lab")
COURSE = SOURCE / "doc" / "lab"
LESSONS = range(1, 9)
SECONDS = 120  # for a lesson, on a machine that does other things, too


def promised(number):
    """The rows | name | value | ... | of the page's table of figures."""
    table = (COURSE / f"lesson-{number}.md").read_text().split("| figure | value | |\n", 1)[1].split("\n\n", 1)[0]
    found = {name: value.strip() for name, value in re.findall(r"^\| ([a-z-]+) \| ([^|]+) \|", table, re.MULTILINE)}
    check("outcome" in found and len(found) > 1, f"lesson {number} promises figures: {found}")
    return found


def measured(text):
    return dict(re.findall(r"^measured: ([a-z-]+): (.*), expected ", text, re.MULTILINE))


@case
def lessons_keep_what_their_pages_promise(t):
    for number in LESSONS:
        began = time.monotonic()
        ended = run_program(LAB, "lesson", str(number), "--plain", timeout=SECONDS)
        equal(ended.code, 0, f"lesson {number}: {ended.out[-600:]} {ended.err}")
        contains(ended.out, "Question: ", f"lesson {number} asks something")
        contains(ended.out, "Answer: ", f"lesson {number} answers")
        equal(measured(ended.out), promised(number), f"lesson {number}")
        check(time.monotonic() - began < SECONDS, f"lesson {number} is over soon")


@case
def the_same_lesson_is_the_same_run(t):
    logs = set()
    for _ in range(3):
        ended = run_program(LAB, "run", "lesson-4", timeout=SECONDS)
        equal(ended.code, 0, ended.err)
        logs.add(re.search(r"^log: ([0-9a-f]{64})$", ended.out, re.MULTILINE).group(1))
    equal(len(logs), 1, "one log")


@case
def a_report_is_one_whole_file(t):
    path = t.dir / "lesson.html"
    ended = run_program(LAB, "run", "lesson-4", "--report", str(path), timeout=SECONDS)
    equal(ended.code, 0, ended.err)
    html = path.read_text()
    log = re.search(r"^log: ([0-9a-f]{64})$", ended.out, re.MULTILINE).group(1)
    contains(html, log, "the hash of the log")
    contains(html, "</html>", "the end")
    for heading in ("What happened", "The tree of blocks", "Tips over time", "The merchant&#39;s book",
                    "Reorganisations and alarms", "Whose blocks count", "The chance of a double spend", "What was set"):
        contains(html, f"<h2>{heading}</h2>", "a part of the report")
    for foreign in ("http://", "https://", "<script", "src=", "@import"):
        check(foreign not in html, f"nothing from elsewhere: {foreign}")


if __name__ == "__main__":
    run_cases()
