#!/usr/bin/env python3
"""Random miniscript, judged by cairn and by Bitcoin Core: the same expressions are sane, with the same words where not, give
the same scripts (addresses), and are read back from their scripts in the same way.

    CAIRN_BIN_DIR=build/bin test/interop/miniscript_with_core.py --core=FOLDER [--count=N] [--seed=N]

FOLDER holds bitcoind, built outside of this project. Nothing here is run by ctest."""
import argparse
import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "functional"))
import with_core  # noqa: E402
from framework import RpcError  # noqa: E402

P = 2**256 - 2**32 - 977
G = (0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,
     0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8)
BATCH = 200


def add(a, b):
    if a == b:
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def some_keys(count):
    points = [G]
    while len(points) < count:
        points.append(add(points[-1], G) if len(points) > 1 else add(G, G))
    return [("%02x%064x" % (2 + (y & 1), x)) for x, y in points]


class Generator:
    """Expressions that are mostly well typed: each part is asked for by the type that is wanted of it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.keys = some_keys(400)

    def key(self):
        return self.random.choice(self.keys)

    def number(self):
        return self.random.choice([1, 2, 16, 17, 144, 500, 4194305, 499999999, 500000000, 1600000000, 2147483647,
                                   self.random.randrange(1, 2**31), 0, 2147483648])

    def multi(self):
        n = self.random.choice([1, 2, 3, 3, 5, 20, 21])
        return f"multi({self.random.randint(1, n)},{','.join(self.key() for _ in range(n))})"

    def thresh(self, depth):
        n = self.random.randint(1, 4)
        subs = [self.part("B", depth)] + [self.part("W", depth) for _ in range(n - 1)]
        return f"thresh({self.random.randint(1, n)},{','.join(subs)})"

    def hash(self):
        name, size = self.random.choice([("sha256", 32), ("hash256", 32), ("ripemd160", 20), ("hash160", 20)])
        return f"{name}({self.random.randbytes(size).hex()})"

    def part(self, kind, depth=0):
        r, deeper = self.random, depth + 1
        if r.random() < 0.03:
            kind = r.choice("BVKW")
        if kind == "W":
            return self.wrap(r.choice("sa"), self.part("B", deeper))
        if kind == "V":
            choices = [lambda: self.wrap("v", self.part("B", deeper))] * 4
            if depth < 5:
                choices += [lambda: f"and_v({self.part('V', deeper)},{self.part('V', deeper)})",
                            lambda: f"or_c({self.part('B', deeper)},{self.part('V', deeper)})",
                            lambda: f"or_i({self.part('V', deeper)},{self.part('V', deeper)})"]
            return r.choice(choices)()
        if kind == "K":
            return r.choice([lambda: f"pk_k({self.key()})", lambda: f"pk_h({self.key()})"])()
        leaves = [lambda: f"pk({self.key()})"] * 4 + [lambda: f"pkh({self.key()})", lambda: f"older({self.number()})",
                  lambda: f"after({self.number()})", self.hash, self.multi, lambda: "0", lambda: "1"]
        if depth >= 5 or r.random() < 0.25:
            return r.choice(leaves)()
        b = lambda: self.part("B", deeper)  # noqa: E731
        v = lambda: self.part("V", deeper)  # noqa: E731
        w = lambda: self.part("W", deeper)  # noqa: E731
        return r.choice([lambda: f"and_v({v()},{b()})"] * 3 + [
            lambda: f"and_b({b()},{w()})", lambda: f"or_b({b()},{w()})", lambda: f"or_d({b()},{b()})",
            lambda: f"or_i({b()},{b()})", lambda: f"andor({b()},{b()},{b()})", lambda: f"and_n({b()},{b()})",
            lambda: self.thresh(deeper), lambda: self.wrap("c", self.part("K", deeper)),
            lambda: self.wrap(r.choice("djnlut"), b()), lambda: self.wrap("d", v()), lambda: self.wrap("j", b())])()

    @staticmethod
    def wrap(letter, text):
        letters = text.split(":")[0]
        joins = ":" in text and letters.isalpha() and letters.islower() and "(" not in letters
        return letter + text if joins else f"{letter}:{text}"


def push(data):
    return bytes([len(data)]) + data


def number_push(n):
    if n <= 16:
        return bytes([0x50 + n]) if n else b"\0"
    return push(n.to_bytes(n.bit_length() // 8 + 1, "little"))


def script_of(keys, random_):
    """A witness script that may or may not be miniscript: opcodes and pushes thrown together from its building blocks."""
    key = lambda: push(bytes.fromhex(random_.choice(keys)))  # noqa: E731
    simple = lambda: key() + b"\xac"  # noqa: E731
    lock = lambda: number_push(random_.choice([1, 17, 144, 500000001])) + random_.choice([b"\xb1", b"\xb2"])  # noqa: E731
    digest = lambda: b"\x82\x01\x20\x88\xa8" + push(random_.randbytes(32)) + b"\x87"  # noqa: E731
    b = lambda: random_.choice([simple, lock, digest, simple])()  # noqa: E731
    v = lambda: key() + b"\xad"  # noqa: E731
    forms = [lambda: v() + b(), lambda: v() + v() + b(), lambda: b"\x63" + b() + b"\x67" + v() + b() + b"\x68",
             lambda: simple() + b"\x73\x64" + v() + lock() + b"\x68", lambda: simple() + b"\x64" + b() + b"\x67" + b() + b"\x68",
             lambda: simple() + b"\x7c" + simple() + b"\x93\x7c" + simple() + b"\x93\x52\x87",
             lambda: simple() + b"\x6b" + b() + b"\x6c" + random_.choice([b"\x9a", b"\x9b"]),
             lambda: v() + b"\x76\x63" + lock() + b"\x69\x68", lambda: v() + b"\x82\x92\x63" + digest() + b"\x68",
             lambda: b() + b"\x69" + b(), lambda: b"\x52" + key() + key() + b"\x52" + random_.choice([b"\xae", b"\xaf" + b()])]
    return random_.choice(forms)().hex()


def asked(node, method, arguments):
    try:
        return getattr(node.rpc, method)(arguments)
    except RpcError as error:
        return str(error)


def compare(nodes, method, argument, pick):
    mine, theirs = (pick(asked(node, method, argument)) for node in nodes)
    if mine != theirs:
        sys.exit(f"{method} {argument}\n  cairn: {mine}\n  core:  {theirs}")
    return mine


class Folder:
    def __init__(self, path):
        self.dir, self.nodes = pathlib.Path(path), []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with_core.CORE = args.core
    generator, sane, read_back = Generator(args.seed), 0, 0
    with tempfile.TemporaryDirectory(prefix="cairn-miniscript-") as folder:
        test = Folder(folder)
        nodes = with_core.pair(test)
        try:
            for _ in range(args.count):
                text = f"wsh({generator.part('B')})"
                answer = compare(nodes, "getdescriptorinfo", text, lambda a: a if isinstance(a, str) else a["descriptor"])
                if answer.startswith("wsh("):
                    sane += 1
                    compare(nodes, "deriveaddresses", answer, lambda a: a)
                script = script_of(generator.keys, generator.random)
                answer = compare(nodes, "decodescript", script, lambda a: a if isinstance(a, str) else a.get("segwit"))
                read_back += isinstance(answer, dict) and answer["desc"].startswith("wsh(")
        finally:
            for node in nodes:
                node.stop()
    print(f"{args.count} expressions, {sane} of them sane; {args.count} scripts, {read_back} of them miniscript: no difference")


if __name__ == "__main__":
    main()
