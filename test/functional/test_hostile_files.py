"""Block files that somebody broke: no crash, no hang, every valid block kept and no other."""
import random
import struct

from framework import case, check, contains, data_file, equal, framed, records, run_cases

FULL = ["-assumevalid=0"]
SEED = 20240101


def signet():
    return records(data_file("blocks", "signet-0-10.dat"))


def mainnet(count):
    blocks, magic = records(data_file("blocks", "mainnet-0-599.dat"))
    return blocks[:count], magic


def write_all(t, folder, contents):
    """A file for each of CONTENTS; their paths."""
    place = t.dir / folder
    place.mkdir()
    paths = []
    for i, content in enumerate(contents):
        paths.append(place / f"{i:05}")
        paths[-1].write_bytes(content)
    return paths


def height_after(node, paths):
    node.import_blocks(*paths)
    node.start()
    height = node.rpc.getblockcount()
    node.stop()
    return height


def check_blocks(node, blocks):
    """The node has exactly these, byte for byte."""
    equal(node.rpc.getblockcount(), len(blocks) - 1, "height")
    for height, block in enumerate(blocks):
        equal(node.rpc.getblock(node.rpc.getblockhash(height), 0), block.hex(), f"block {height}")


@case
def every_truncation(t):
    """Cut at any byte, a file gives exactly the blocks that are whole in it."""
    blocks, magic = signet()
    whole, end = framed(blocks, magic), 0
    for count in range(len(blocks)):
        begin, end = end, end + 8 + len(blocks[count])
        paths = write_all(t, f"cut{count}", [whole[:size] for size in range(begin, end)])
        equal(height_after(t.node("signet", FULL), paths), max(0, count - 1), f"height of files with {count} blocks")


@case
def every_byte_damaged(t):
    """One bit flipped in each byte: no damaged block gets in, and none makes the real one of the same hash unwelcome."""
    rng = random.Random(SEED)
    for chain, (blocks, magic) in (("signet", signet()), ("main", mainnet(12))):
        whole = framed(blocks, magic)
        contents = []
        for at in range(len(whole)):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << rng.randrange(8)
            contents.append(bytes(damaged))
        paths = write_all(t, f"flip-{chain}", contents)
        node = t.node(chain, FULL)
        node.import_blocks(*paths)
        last = t.dir / f"whole-{chain}"
        last.write_bytes(whole)
        node.import_blocks(last)
        node.start()
        check_blocks(node, blocks)
        node.stop()


@case
def a_damaged_block_before_the_real_one(t):
    """A block whose transactions do not fit its header says nothing about the header."""
    blocks, magic = signet()
    damaged = bytearray(blocks[5])
    damaged[-1] ^= 1  # locktime of the coinbase
    paths = write_all(t, "mutated", [framed(blocks[:5], magic), framed([bytes(damaged)], magic), framed(blocks[5:], magic)])
    node = t.node("signet", FULL)
    node.import_blocks(*paths)
    node.start()
    check_blocks(node, blocks)
    node.stop()


@case
def garbage_between_blocks(t):
    blocks, magic = mainnet(100)
    rng = random.Random(SEED)
    garbage = [
        lambda: b"", lambda: rng.randbytes(rng.randrange(1, 300)), lambda: bytes(rng.randrange(1, 5000)), lambda: magic,
        lambda: magic[:3], lambda: magic * 50, lambda: magic + b"\xff\xff\xff\xff", lambda: magic + bytes(4),
        lambda: magic + struct.pack("<I", 79) + bytes(79), lambda: magic + struct.pack("<I", 80) + rng.randbytes(80),
        lambda: magic + struct.pack("<I", 4_000_000), lambda: magic + struct.pack("<I", 4_000_001),
        lambda: magic + struct.pack("<I", 0x80000000), lambda: magic + struct.pack("<I", 300) + blocks[7],
        lambda: bytes.fromhex("0a03cf40") + struct.pack("<I", len(blocks[3])) + blocks[3],
    ]
    for round_ in range(4):
        data = b""
        for block in blocks:
            data += rng.choice(garbage)() + framed([block], magic)
        data += rng.choice(garbage)()
        node = t.node("main", FULL)
        node.import_blocks(*write_all(t, f"garbage{round_}", [data]))
        node.start()
        check_blocks(node, blocks)
        node.stop()


@case
def lying_lengths(t):
    """A length that is too large swallows other blocks, which must be found all the same."""
    blocks, magic = mainnet(30)
    for lie in (1, 8, 100, 1000, 100_000, 3_000_000, 4_000_000, 0x7fffffff, 0xffffffff - 300):
        data = b""
        for i, block in enumerate(blocks):
            size = len(block) + (lie if i in (3, 17) else 0)
            data += magic + struct.pack("<I", size) + block
        paths = write_all(t, f"lie{lie}", [data, framed([blocks[3], blocks[17]], magic)])
        node = t.node("main", FULL)
        node.import_blocks(*paths)
        node.start()
        check_blocks(node, blocks)
        node.stop()


@case
def files_of_nonsense(t):
    blocks, magic = mainnet(5)
    rng = random.Random(SEED)
    nonsense = [b"", b"\0", magic, bytes(1 << 20), rng.randbytes(8 << 20), magic * (1 << 18), (magic + b"\xff" * 4) * 100_000,
                (magic + struct.pack("<I", 80)) * 30_000, (magic + struct.pack("<I", 3_000_000)) * 800_000, (magic + struct.pack("<I", 3_999_999)) * 1000]
    paths = write_all(t, "nonsense", nonsense + [framed(blocks, magic)])
    node = t.node("main", FULL)
    node.import_blocks(*paths, t.dir, "/dev/null")
    node.start()
    check_blocks(node, blocks)
    node.stop()


@case
def blocks_that_break_rules(t):
    """Valid work, broken contents: refused with their reason, and their children with them."""
    blocks, magic = mainnet(10)
    import_alone = blocks[2:]  # no parents at all
    twice = [b for b in blocks for _ in range(3)]
    node = t.node("main", FULL)
    node.import_blocks(*write_all(t, "orphans", [framed(import_alone, magic)]))
    contains(node.log(), "left over", "log")
    node.import_blocks(*write_all(t, "twice", [framed(twice, magic)]))
    node.start()
    check_blocks(node, blocks)
    size = sum(len(b) + 8 for b in blocks)
    check((node.blocks_dir / "blk00000.dat").stat().st_size < 2 * size + 2000, "blocks were written more than once")
    node.stop()


@case
def a_reindex_over_damage(t):
    """Our own file damaged in the middle: a reindex keeps what stands before, and the rest where it can be joined again."""
    blocks, magic = mainnet(200)
    node = t.node("main", FULL + ["-blocksxor=0"])
    node.import_blocks(*write_all(t, "good", [framed(blocks, magic)]))
    file = node.blocks_dir / "blk00000.dat"
    data = bytearray(file.read_bytes())
    at = data.index(blocks[100])
    data[at + 100] ^= 0xff
    file.write_bytes(data)
    node.import_blocks(args=["-reindex"])
    node.start()
    equal(node.rpc.getblockcount(), 99, "height below the damage")
    node.stop()
    node.import_blocks(*write_all(t, "mend", [framed([blocks[100]], magic)]), args=["-reindex"])
    node.start()
    check_blocks(node, blocks)
    node.stop()


@case
def databases_of_nonsense(t):
    """Files of other programs where ours should be."""
    for name in ("chainstate", "blocks", "debug.log", ".cookie", "bitcoind.pid", "settings.json"):
        node = t.node("regtest")
        node.chain_dir.mkdir()
        place = node.chain_dir / name
        if name in ("chainstate", "blocks"):
            place.write_bytes(b"nonsense")  # a file where a folder should be
        else:
            place.mkdir()  # a folder where a file should be
        ended = node.run("-stopafterblockimport")
        check(ended.code in (0, 1), f"{name}: {ended}")
        if ended.code:
            check(ended.err.startswith("Error: ") or "restart with -reindex" in ended.err, f"{name}: {ended.err!r}")


run_cases()
