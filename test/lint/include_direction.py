"""A file may include its own room and rooms of a lower rank: never a higher one, never another of the same rank."""
import re

import common

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def owner(source, path):
    """(room, what) of a file: a room's own source, or its unit tests, which may see what the room may see."""
    parts = path.relative_to(source).parts
    if parts[0] == "src":
        return parts[1]
    if parts[:2] in (("test", "unit"), ("test", "model")) and len(parts) > 3:
        return parts[2]
    return None


def check_file(path, name, room, table):
    found = []
    for include in INCLUDE.findall(path.read_text(errors="replace")):
        target = include.split("/")[0]
        if target == "cairn" and room in ("lib", "bin") or target == "support" and name.startswith("test/"):
            continue
        if name.startswith("test/") and "/" not in include and (path.parent / include).exists():
            continue  # a header that the tests of one room share
        if "/" not in include or include.startswith("."):
            found.append(f'{name}: "{include}" does not name its room ("room/file.h")')
        elif target not in table:
            found.append(f'{name}: "{include}" is in no room of the table')
        elif target != room and table[target] >= table[room]:
            found.append(f'{name}: room {room} (rank {table[room]}) includes "{include}" (rank {table[target]})')
    return found


def check(source, _build):
    table, edges = common.ranks(source)
    found = [f"CairnRooms.cmake: {room} (rank {table[room]}) links {to} (rank {table.get(to)})"
             for room, to in edges if to not in table or table[to] >= table[room]]
    for path in common.files(source, ["src", "test/unit", "test/model"], [".c", ".h"]):
        room = owner(source, path)
        name = str(path.relative_to(source))
        if room is None:
            found.append(f"{name}: lies in no room")
        elif room not in table:
            found.append(f"{name}: room {room} has no row in CairnRooms.cmake")
        else:
            found += check_file(path, name, room, table)
    return found


def tree(name, text, rows="cairn_room(low 0)\ncairn_room(left 1 low)\ncairn_room(right 1 low)\n"):
    return lambda folder: common.write_tree(folder, {"contrib/cmake/CairnRooms.cmake": rows, name: text})


CASES = [
    ("downwards and own room", tree("src/left/a.c", '#include "low/b.h"\n#include "left/a.h"\n#include <stdio.h>\n'), False),
    ("upwards", tree("src/low/a.c", '#include "left/b.h"\n'), True),
    ("sideways", tree("src/left/a.h", '#  include "right/b.h"\n'), True),
    ("a unit test upwards", tree("test/unit/low/a.c", '#include "left/b.h"\n'), True),
    ("a unit test with support", tree("test/unit/low/a.c", '#include "support/data.h"\n'), False),
    ("a unit test's own header", tree("test/unit/low/a.h", '#include "a.h"\n'), False),
    ("without its room", tree("src/low/a.c", '#include "b.h"\n'), True),
    ("a relative path", tree("src/low/a.c", '#include "../left/b.h"\n'), True),
    ("a folder without a row", tree("src/attic/a.c", "\n"), True),
    ("a link upwards", tree("src/low/a.c", "\n", "cairn_room(low 0 high)\ncairn_room(high 1)\n"), True),
    ("a link sideways", tree("src/a/a.c", "\n", "cairn_room(a 1 b)\ncairn_room(b 1)\n"), True),
]

if __name__ == "__main__":
    common.main(check, CASES)
