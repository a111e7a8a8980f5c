#!/usr/bin/env python3
"""Writes the lists of fixed seeds (src/p2p/fixed_seeds_data.c, to standard output) from what nodes know.

  cairn-cli getnodeaddresses 0 > main.json
  contrib/seeds/make_seeds.py main=main.json > src/p2p/fixed_seeds_data.c

One argument CHAIN=FILE for each chain that gets a list (main, test, testnet4, signet); a FILE is the answer of
getnodeaddresses of a node that ran on that chain for some days. Taken are addresses of full nodes with witnesses, seen
in the last ten days, on the chain's usual port where the network has ports; at most 512 a network, and of IPv4 and IPv6
one a network group, so that nobody who owns one network has many places in the list.
"""
import base64
import ipaddress
import json
import random
import sys

CHAINS = {"main": ("CHAIN_MAIN", 8333), "test": ("CHAIN_TESTNET3", 18333), "testnet4": ("CHAIN_TESTNET4", 48333),
          "signet": ("CHAIN_SIGNET", 38333)}
NETWORK, WITNESS = 1, 8
MOST = 512
AGE_S = 10 * 24 * 3600
PER_LINE = 20  # bytes


def encode(entry):
    """BIP155's network id, length and bytes, then the port."""
    net, text = entry["network"], entry["address"]
    if net == "ipv4":
        number, raw = 1, ipaddress.IPv4Address(text).packed
    elif net in ("ipv6", "cjdns"):
        number, raw = (2 if net == "ipv6" else 6), ipaddress.IPv6Address(text).packed
    elif net == "onion":
        number, raw = 4, base64.b32decode(text.removesuffix(".onion").upper())[:32]
    elif net == "i2p":
        number, raw = 5, base64.b32decode(text.removesuffix(".b32.i2p").upper() + "====")
    else:
        return None
    return bytes([number, len(raw)]) + raw + entry["port"].to_bytes(2, "big")


def group(entry):
    """What one operator probably has together; other networks than IPv4 and IPv6 have no such groups."""
    if entry["network"] == "ipv4":
        return ipaddress.IPv4Address(entry["address"]).packed[:2]
    if entry["network"] == "ipv6":
        return ipaddress.IPv6Address(entry["address"]).packed[:4]
    return entry["address"]


def choose(entries, port):
    """The encoded addresses to keep, in order."""
    newest = max((e["time"] for e in entries), default=0)
    good = [e for e in entries if e["services"] & NETWORK and e["services"] & WITNESS and newest - e["time"] <= AGE_S
            and e["port"] == (0 if e["network"] == "i2p" else port)]
    good.sort(key=lambda e: (e["network"], e["address"]))
    random.Random(0).shuffle(good)
    kept, groups, counts = [], set(), {}
    for entry in good:
        key = (entry["network"], group(entry))
        if key in groups or counts.get(entry["network"], 0) == MOST:
            continue
        groups.add(key)
        counts[entry["network"]] = counts.get(entry["network"], 0) + 1
        kept.append(encode(entry))
    return sorted(x for x in kept if x)


def write(lists, out):
    """The C file. LISTS: chain name -> encoded addresses."""
    out.write("/* The lists of fixed seeds; written by contrib/seeds/make_seeds.py. */\n"
              '#include "p2p/fixed_seeds.h"\n\n// clang-format off\n')
    for name, seeds in lists.items():
        if not seeds:
            continue
        raw = b"".join(seeds)
        out.write(f"static const uint8_t {name}_seeds[] = {{ /* {len(seeds)} addresses */\n")
        for at in range(0, len(raw), PER_LINE):
            out.write("    " + "".join(f"{b}," for b in raw[at:at + PER_LINE]) + "\n")
        out.write("};\n\n")
    out.write("const struct span fixed_seed_lists[CHAIN_TYPES] = {\n")
    for name, seeds in lists.items():
        value = f"{{{name}_seeds, sizeof({name}_seeds)}}" if seeds else "{NULL, 0}"
        out.write(f"    [{CHAINS[name][0]}] = {value},\n")
    if not lists:
        out.write("    [CHAIN_MAIN] = {NULL, 0},\n")
    out.write("};\n")


def main(arguments):
    lists = {}
    for argument in arguments:
        name, found, path = argument.partition("=")
        if not found or name not in CHAINS:
            sys.exit(f"{argument}: must be CHAIN=FILE with one of {', '.join(CHAINS)}")
        with open(path, encoding="utf-8") as file:
            lists[name] = choose(json.load(file), CHAINS[name][1])
        print(f"{name}: {len(lists[name])} addresses", file=sys.stderr)
    write(lists, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
