"""The tool that makes the list of fixed seeds out of what a node knows."""
import ipaddress
import json
import re
import sys

from framework import SOURCE, case, check, contains, equal, run_cases, run_program

TOOL = SOURCE / "contrib" / "seeds" / "make_seeds.py"


def make(*arguments):
    return run_program(sys.executable, TOOL, *arguments)


def addresses_in(text):
    """(network id, bytes, port) of each entry of the one list in the C file TEXT."""
    body = re.search(r"main_seeds\[\] = \{.*?\n(.*?)\};", text, re.S)
    raw, at, found = bytes(int(n) for n in re.findall(r"\d+", body.group(1))), 0, []
    while at < len(raw):
        net, size = raw[at], raw[at + 1]
        found.append((net, raw[at + 2:at + 2 + size], int.from_bytes(raw[at + 2 + size:at + 4 + size], "big")))
        at += 4 + size
    return found


@case
def from_a_node_to_the_list(t):
    node = t.node("main").start()
    onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
    given = [("8.8.8.8", 8333), ("8.8.4.4", 8333), ("1.1.1.1", 8333), ("9.9.9.9", 1234), ("2a00:1450::1", 8333),
             (onion, 8333)]
    for address, port in given:
        equal(node.rpc.addpeeraddress(address, port)["success"], True, f"adding {address}")
    file = t.dir / "main.json"
    file.write_text(node.cli("getnodeaddresses", "0").out)
    node.stop()
    made = make(f"main={file}")
    equal(made.code, 0, "exit code")
    contains(made.err, "main: 4 addresses", "count")
    found = addresses_in(made.out)
    kinds = sorted(net for net, _, _ in found)
    equal(kinds, [1, 1, 2, 4], "networks: one of each group, none with an unusual port")
    check(all(port == 8333 for _, _, port in found), "ports")
    check((1, ipaddress.IPv4Address("1.1.1.1").packed, 8333) in found, "an address of IPv4")
    equal(sum(raw[:2] == b"\x08\x08" for net, raw, _ in found if net == 1), 1, "addresses of one group")


@case
def what_is_no_seed(t):
    """Old addresses, and nodes that do not serve blocks with witnesses, are left out."""
    base = {"time": 1_700_000_000, "services": 9, "port": 8333, "network": "ipv4"}
    file = t.dir / "main.json"
    file.write_text(json.dumps([
        {**base, "address": "1.1.1.1"}, {**base, "address": "2.2.2.2", "time": 1_699_000_000},
        {**base, "address": "3.3.3.3", "services": 1}, {**base, "address": "4.4.4.4", "services": 8}]))
    equal(addresses_in(make(f"main={file}").out), [(1, bytes([1, 1, 1, 1]), 8333)], "the list")


@case
def no_list(t):
    """Without arguments it writes the table that is in the tree: none for any chain."""
    equal(make().out, (SOURCE / "src" / "p2p" / "fixed_seeds_data.c").read_text(), "the table")


@case
def wrong_arguments(t):
    for argument in ("moon=x", "main"):
        ended = make(argument)
        check(ended.code != 0, f"{argument} is refused")
        contains(ended.err, "must be CHAIN=FILE", argument)


run_cases()
