"""Sizes that keep a file to one subject: a source file at most 900 lines, a header 300, a function 70 lines from its
opening brace to its closing one. test/lint/file_size_exceptions lists what is larger, with a date and a reason."""
import re
from datetime import date

import common

FILE_LINES, HEADER_LINES, FUNCTION_LINES = 900, 300, 70
EXCEPTIONS = "test/lint/file_size_exceptions"
NAME = re.compile(r"(\w+)\s*\(")


def exceptions(source):
    """{name: largest size} and the findings about the list itself. A row: NAME LINES YEAR-MONTH-DAY REASON."""
    path, allowed, found = source / EXCEPTIONS, {}, []
    for row in path.read_text().splitlines() if path.exists() else []:
        words = row.split(None, 3)
        if not words or words[0].startswith("#"):
            continue
        try:
            allowed[words[0]] = int(words[1])
            date.fromisoformat(words[2])
            words[3]
        except (IndexError, ValueError):
            found.append(f"{EXCEPTIONS}: a row is NAME LINES DATE REASON, not: {row}")
    return allowed, found


def functions(lines):
    """(name, line, length) of every function: clang-format puts its braces alone in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            head = start - 1
            while head > 0 and lines[head - 1] and lines[head - 1][0] in " \t":
                head -= 1
            found = NAME.search(" ".join(lines[head - 1:start - 1]))
            yield (found.group(1) if found else "?"), start, number - start + 1
            start = None


def check(source, _build):
    allowed, found = exceptions(source)
    used = set()

    def limit(name, size, most, what):
        if size <= most:
            return
        used.add(name)
        if size > allowed.get(name, most):
            found.append(f"{name}: {what} of {size} lines, at most {allowed.get(name, most)}")

    for path in common.files(source, ["src", "include", "test", "contrib"], [".c", ".h", ".py"]):
        name = str(path.relative_to(source))
        lines = path.read_text(errors="replace").splitlines()
        limit(name, len(lines), HEADER_LINES if name.endswith(".h") else FILE_LINES, "file")
        if not name.endswith(".py"):
            for function, _line, size in functions(lines):
                limit(f"{name}:{function}", size, FUNCTION_LINES, "function")
    found += [f"{EXCEPTIONS}: {name} needs no exception any more" for name in allowed if name not in used]
    return found


def body(lines):
    return "int f(int a,\n      int b)\n{\n" + "    a++;\n" * (lines - 2) + "}\n"


def tree(name, text, rows=""):
    return lambda folder: common.write_tree(folder, {name: text, EXCEPTIONS: rows})


CASES = [
    ("at the limits", tree("src/a/a.c", body(70) + "\n" * (900 - 72)), False),
    ("a long file", tree("src/a/a.c", "\n" * 901), True),
    ("a long header", tree("include/a.h", "\n" * 301), True),
    ("a long function", tree("src/a/a.c", body(71)), True),
    ("a long function that is listed", tree("src/a/a.c", body(71), "src/a/a.c:f 71 2026-11-22 one table\n"), False),
    ("one that outgrew its row", tree("src/a/a.c", body(72), "src/a/a.c:f 71 2026-11-22 one table\n"), True),
    ("a row without a date", tree("src/a/a.c", body(71), "src/a/a.c:f 71 one table\n"), True),
    ("a row that nothing needs", tree("src/a/a.c", body(9), "src/a/a.c:f 71 2026-11-22 one table\n"), True),
]

if __name__ == "__main__":
    common.main(check, CASES)
