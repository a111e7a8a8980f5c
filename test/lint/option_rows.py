"""Options and the code that reads them agree: a getter's kind is that of the row, help shows no option that nothing reads,
and no option is read whose row says that nothing does."""
import re

import common

ROW = re.compile(r'\{\s*"([^"]+)",\s*OPTION_(\w+),\s*GROUP_\w+,\s*([^,]+),')
GETTER = re.compile(r'\bargs_(bool|bool_or|int|int_or|list|list_has)\(\s*[^",;]+,\s*"([^"]+)"')
KINDS = {"bool": "BOOL", "bool_or": "BOOL", "int": "INT", "int_or": "INT", "list": "LIST", "list_has": "LIST"}
# Judges options of parts that are not here, without doing what they say: that is not reading them.
JUDGES = {"setup_checks.c", "setup_interaction.c"}
# (table, files that read it, files that may read it alone)
SHARED = ("cli_call.c", "args", "help.c")
TABLES = [
    ("options_daemon.c", lambda name: not name.startswith(("cli_", "miner_")), lambda name: not name.startswith(("cli_", "miner_"))),
    ("options_cli.c", lambda name: not name.startswith(("log_", "miner_")), lambda name: name.startswith("cli_")),
    ("options_miner.c", lambda name: name.startswith(("miner_", *SHARED)), lambda name: name.startswith("miner_")),
]
# Hidden on purpose although read: other ways to write an option, and options of other programs that get an answer.
QUIET = {"?", "h", "gen"}


def check_table(rows, sources, is_own):
    text = "\n".join(sources.values())
    doing = "\n".join(content for name, content in sources.items() if name not in JUDGES)
    for name, content in sources.items():
        if not is_own(name):
            continue
        for getter, option in GETTER.findall(content):
            if option not in rows:
                yield f"src/daemon/{name}: -{option} has no row"
            elif rows[option][0] != KINDS[getter]:
                yield f"src/daemon/{name}: args_{getter} reads -{option}, which is a {rows[option][0]}"
    for option, (_, flags) in rows.items():
        is_read = f'"{option}"' in text
        if not is_read and not re.search("HIDDEN|RESERVED", flags):
            yield f"-{option}: help shows it, but nothing reads it: OPTION_RESERVED"
        if f'"{option}"' in doing and "RESERVED" in flags and option not in QUIET:
            yield f"-{option}: it is read: take OPTION_RESERVED away"


def check(source, _build):
    folder = source / "src/daemon"
    sources = {p.name: p.read_text() for p in sorted(folder.glob("*.c")) if not p.name.startswith("options")}
    found = []
    for table, reads, is_own in TABLES:
        rows = {name: (kind, flags) for name, kind, flags in ROW.findall((folder / table).read_text())}
        if not rows:
            found.append(f"src/daemon/{table}: no rows found")
        found += check_table(rows, {n: t for n, t in sources.items() if reads(n)}, is_own)
    return found


def tree(flags, code):
    cli = '{"x", OPTION_BOOL, GROUP_GENERAL, OPTION_HIDDEN, NULL, NULL, ""},'
    rows = f'{{"port", OPTION_INT, GROUP_RPC, {flags}, "<n>", NULL,\n "Help."}},'
    return lambda folder: common.write_tree(folder, {"src/daemon/options_daemon.c": rows, "src/daemon/options_cli.c": cli,
                                                     "src/daemon/options_miner.c": cli,
                                                     "src/daemon/run.c": code})


CASES = [
    ("a row that is read", tree("0", 'args_int(&d->args, "port");'), False),
    ("the wrong kind", tree("0", 'args_bool(&d->args, "port");'), True),
    ("no row", tree("OPTION_HIDDEN", 'args_int_or(a, "prot", 1);'), True),
    ("shown but not read", tree("0", "int x;"), True),
    ("reserved", tree("OPTION_RESERVED", "int x;"), False),
    ("reserved but judged", lambda folder: common.write_tree(folder, {
        "src/daemon/options_daemon.c": '{"port", OPTION_INT, GROUP_RPC, OPTION_RESERVED, "<n>", NULL,\n "Help."},',
        "src/daemon/options_cli.c": '{"x", OPTION_BOOL, GROUP_GENERAL, OPTION_HIDDEN, NULL, NULL, ""},',
        "src/daemon/options_miner.c": '{"x", OPTION_BOOL, GROUP_GENERAL, OPTION_HIDDEN, NULL, NULL, ""},',
        "src/daemon/setup_checks.c": 'args_int(a, "port");'}), False),
    ("reserved but read", tree("OPTION_DEBUG_ONLY | OPTION_RESERVED", 'args_int(a, "port");'), True),
]

if __name__ == "__main__":
    common.main(check, CASES)
