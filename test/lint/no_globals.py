"""Core and engine objects hold no writable data: their .data and .bss are empty. Const tables with pointers
(.data.rel.ro) are fine."""
import re

import common

# One line of objdump -t: value, seven flag characters, section, size, name.
SYMBOL = re.compile(r"^[0-9a-f]+ (.{7}) (\S+)\s+([0-9a-f]+)\s+(?:\.hidden )?(\S+)$")
MEMBER = re.compile(r"^(\S+):\s+file format")


def is_writable(section):
    return (section == "*COM*" or section.startswith((".bss", ".tbss", ".tdata"))
            or section.startswith(".data") and not section.startswith(".data.rel.ro"))


def check_archive(archive):
    found, member = [], "?"
    for line in common.run("objdump", "-t", str(archive)).splitlines():
        head = MEMBER.match(line)
        if head:
            member = head.group(1)
        symbol = SYMBOL.match(line)
        if not symbol or "d" in symbol.group(1) or not is_writable(symbol.group(2)):
            continue
        if int(symbol.group(3), 16) > 0:
            found.append(f"{archive.name}: {member}: {symbol.group(4)} is writable data ({symbol.group(2)})")
    return found


def check(_source, build):
    if common.is_sanitized(build):
        print("skipped: sanitizers add data to every object")
        return []
    archives = [build / "lib" / f"libcairn_{room}.a" for room in common.CORE + common.ENGINE]
    archives = [archive for archive in archives if archive.exists()]
    if not archives:
        return [f"no room's archive in {build / 'lib'}: build first"]
    return [finding for archive in archives for finding in check_archive(archive)]


def planted(code, room="base"):
    return lambda folder: common.compile_archive(folder, room, code)


CASES = [
    ("const tables", planted("static const char *const t[] = {\"a\", \"b\"};\n"
                             "const char *f(int i);\nconst char *f(int i) { return t[i]; }\n"), False),
    ("a counter in a function", planted("int f(void);\nint f(void) { static int n; return ++n; }\n"), True),
    ("an initialised static", planted("static int n = 3;\nint f(void);\nint f(void) { return n++; }\n"), True),
    ("a global", planted("int n;\n", "node"), True),
    ("a thread-local", planted("_Thread_local int n = 1;\n"), True),
    ("a table of pointers that is not const", planted("int a(void);\nint (*t[1])(void) = {a};\n"), True),
    ("nothing built", lambda folder: None, True),
]

if __name__ == "__main__":
    common.main(check, CASES)
