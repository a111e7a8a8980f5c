"""Documents point at what is there: every relative link of a Markdown file, and every path in `backticks` that begins with
a folder of the tree (src/, test/, doc/ ...). Paths with a placeholder (ROOM, *, ...) are left alone."""
import re

import common

FOLDERS = ("src/", "include/", "test/", "doc/", "contrib/", "conf/", ".ci/")
LINK = re.compile(r"\]\(([^)#\s]+)")
PATH = re.compile(r"`((?:%s)[^`\s]*)`" % "|".join(re.escape(f) for f in FOLDERS))
PLACEHOLDER = re.compile(r"[*<>]|\.\.\.|[A-Z]{3,}|:$")


def documents(source):
    return [p for p in sorted(source.glob("*.md"))] + common.files(source, ["doc"], [".md"])


def check(source, _build):
    found = []
    for document in documents(source):
        for number, line in enumerate(document.read_text().splitlines(), 1):
            targets = [(t, document.parent / t) for t in LINK.findall(line) if "://" not in t]
            targets += [(t, source / t) for t in PATH.findall(line) if not PLACEHOLDER.search(t)]
            found += [f"{document.relative_to(source)}:{number}: there is no {text}" for text, path in targets
                      if not path.exists()]
    return found


def tree(text):
    return lambda folder: common.write_tree(folder, {"README.md": "", "doc/a.md": text, "src/base/x.c": ""})


CASES = [
    ("links and paths that are there", tree("[x](../README.md#top) [y](https://example.org/z) `src/base/x.c` `src/base`\n"), False),
    ("a link to nothing", tree("[x](b.md)\n"), True),
    ("a path to nothing", tree("see `src/base/y.c`\n"), True),
    ("placeholders", tree("`src/ROOM/*.c` `test/unit/ROOM` `src/base/...`\n"), False),
]

if __name__ == "__main__":
    common.main(check, CASES)
