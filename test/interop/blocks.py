"""Blocks of regtest, made here: a coinbase that pays to anybody, then whatever is given."""
import hashlib
import struct

REGTEST_BITS = 0x207fffff
SUBSIDY_HALVING = 150


def twice(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def size(n):
    return bytes([n]) if n < 0xfd else b"\xfd" + struct.pack("<H", n)


def merkle(leaves):
    while len(leaves) > 1:
        if len(leaves) % 2:
            leaves = leaves + leaves[-1:]
        leaves = [twice(leaves[i] + leaves[i + 1]) for i in range(0, len(leaves), 2)]
    return leaves[0]


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self):
        first = self.take(1)[0]
        return first if first < 0xfd else int.from_bytes(self.take({0xfd: 2, 0xfe: 4, 0xff: 8}[first]), "little")


def without_witness(raw):
    if raw[4] != 0:
        return raw
    r = Reader(raw)
    r.take(6)
    start = r.at
    for _ in range(r.number()):
        r.take(36)
        r.take(r.number())
        r.take(4)
    for _ in range(r.number()):
        r.take(8)
        r.take(r.number())
    return raw[:4] + raw[start:r.at] + raw[-4:]


def height_push(height):
    if height <= 16:
        return bytes([0x50 + height, 0])
    data = height.to_bytes((height.bit_length() + 8) // 8, "little")
    return bytes([len(data)]) + data


def coinbase(height, commitment):
    """With its witness, and without. It leaves the fees and pays its subsidy to OP_TRUE in P2WSH."""
    script = height_push(height) + b"\x06branch"
    value = (50 * 100_000_000) >> (height // SUBSIDY_HALVING)
    outputs = (b"\x02" + struct.pack("<Q", value) + b"\x22\x00\x20" + hashlib.sha256(b"\x51").digest()
               + struct.pack("<Q", 0) + b"\x26\x6a\x24\xaa\x21\xa9\xed" + commitment)
    inputs = b"\x01" + bytes(32) + b"\xff" * 4 + size(len(script)) + script + b"\xff" * 4
    version, lock = struct.pack("<I", 2), bytes(4)
    return version + b"\x00\x01" + inputs + outputs + b"\x01\x20" + bytes(32) + lock, version + inputs + outputs + lock


def make(previous, height, seconds, txs):
    """(hash as it is shown, bytes) of a block on PREVIOUS."""
    commitment = twice(merkle([bytes(32)] + [twice(t) for t in txs]) + bytes(32))
    full, bare = coinbase(height, commitment)
    root = merkle([twice(bare)] + [twice(without_witness(t)) for t in txs])
    for nonce in range(1 << 32):
        header = (struct.pack("<I", 0x20000000) + bytes.fromhex(previous)[::-1] + root
                  + struct.pack("<III", seconds, REGTEST_BITS, nonce))
        if twice(header)[31] < 0x7f:
            return twice(header)[::-1].hex(), header + size(len(txs) + 1) + full + b"".join(txs)
    raise RuntimeError("no nonce")
