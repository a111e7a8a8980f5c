"""Importing real chains: every fact about them must be the one that Bitcoin Core reports."""
import os
import random
import shutil

from framework import (case, check, contains, data_file, data_json, equal, framed, records, regtest_chain, run_cases,
                       rpc_fails, sats, wait_until)

FULL = ["-assumevalid=0"]
RUNS = {"mainnet-0-599": "main", "mainnet-alt-0-2016": "main", "testnet3-0-4000": "test", "signet-0-10": "signet"}
CORE_KEY = bytes.fromhex("0123456789abcdef")


def equal_amount(got, want, what):
    equal(sats(got), want, what)


def check_tip(node, want):
    """WANT is a tip of expected.json."""
    info = node.rpc.getblockchaininfo()
    for name in ("blocks", "bestblockhash", "bits", "target", "mediantime", "chainwork"):
        equal(info[name], want[name], name)
    coins = node.rpc.gettxoutsetinfo("hash_serialized_3")
    for name, value in want["utxo_set"].items():
        if name == "total_amount":
            equal_amount(coins[name], value, name)
        else:
            equal(coins[name], value, name)
    equal(coins["bestblock"], want["bestblockhash"], "bestblock")


def check_heights(node, rows, indexed):
    """ROWS of expected.json; what needs the coin statistics index only where it is INDEXED."""
    for row in rows:
        equal(node.rpc.getblockhash(row["height"]), row["hash"], f"hash at {row['height']}")
        header = node.rpc.getblockheader(row["hash"])
        for name in ("height", "hash", "mediantime", "chainwork", "nTx"):
            equal(header[name], row[name], f"{name} at {row['height']}")
        if not indexed:
            continue
        coins = node.rpc.gettxoutsetinfo("muhash", row["height"])
        for name in ("muhash", "txouts", "bogosize"):
            equal(coins[name], row[name], f"{name} at {row['height']}")
        for name in ("total_amount", "total_unspendable_amount"):
            equal_amount(coins[name], row[name], f"{name} at {row['height']}")


def check_muhash(node, expected):
    last = expected["at_height"][-1]
    if last["height"] == expected["tip"]["blocks"]:
        equal(node.rpc.gettxoutsetinfo("muhash")["muhash"], last["muhash"], "muhash of the tip")


def wait_indexes(node, *names):
    for name in names:
        wait_until(lambda: node.rpc.getindexinfo()[name]["synced"], f"{name} is synced")


def run_of(t, name, *more, **kinds):
    """A node with the run NAME imported, started again and checked."""
    expected, file = data_json("blocks", "expected.json")[name], data_file("blocks", f"{name}.dat")
    node = t.node(RUNS[name], FULL + list(more), **kinds)
    node.import_blocks(file)
    node.start()
    check_tip(node, expected["tip"])
    check_muhash(node, expected)
    return node, expected


def facts(node):
    """What must be the same however the blocks came."""
    coins = node.rpc.gettxoutsetinfo("hash_serialized_3")
    return {k: coins[k] for k in ("height", "bestblock", "txouts", "total_amount", "hash_serialized_3")}


@case
def mainnet(t):
    node, expected = run_of(t, "mainnet-0-599", "-coinstatsindex", "-txindex")
    wait_indexes(node, "coinstatsindex", "txindex")
    check_heights(node, expected["at_height"], True)
    # The first payment, of block 170: its transaction and the coin that it spent.
    txid = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
    tx = node.rpc.getrawtransaction(txid, 1)
    equal((tx["blockhash"], len(tx["vout"]), sats(tx["vout"][0]["value"])), (node.rpc.getblockhash(170), 2, 10 * 10**8),
          "the first payment")
    equal(node.rpc.gettxout("0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9", 0), None, "its coin")
    node.stop()


@case
def mainnet_alternative(t):
    node, expected = run_of(t, "mainnet-alt-0-2016")
    check_heights(node, expected["at_height"], False)
    node.stop()


@case
def testnet3(t):
    node, expected = run_of(t, "testnet3-0-4000", "-coinstatsindex")
    wait_indexes(node, "coinstatsindex")
    check_heights(node, expected["at_height"], True)
    node.stop()


@case
def signet(t):
    node, expected = run_of(t, "signet-0-10", "-coinstatsindex")
    wait_indexes(node, "coinstatsindex")
    check_heights(node, expected["at_height"], True)
    node.stop()


@case
def regtest(t):
    want = data_json("chains", "expected.json")["regtest-mixed-220.dat"]
    node = t.node("regtest", FULL)
    node.import_blocks(regtest_chain(t.dir))
    node.start()
    coins = node.rpc.gettxoutsetinfo("hash_serialized_3")
    for name in ("txouts", "transactions", "bogosize", "total_amount", "hash_serialized_3"):
        equal(coins[name], want["gettxoutsetinfo"][name], name)
    equal((coins["height"], coins["bestblock"]), (want["height"], want["bestblock"]), "tip")
    equal(node.rpc.gettxoutsetinfo("muhash")["muhash"], want["gettxoutsetinfo"]["muhash"], "muhash")
    node.stop()


@case
def reorganisation_of_599_blocks(t):
    real, alt = data_file("blocks", "mainnet-0-599.dat"), data_file("blocks", "mainnet-alt-0-2016.dat")
    expected = data_json("blocks", "expected.json")
    node = t.node("main", FULL + ["-coinstatsindex", "-txindex"])
    node.import_blocks(real)
    node.start()
    check_tip(node, expected["mainnet-0-599"]["tip"])
    wait_indexes(node, "coinstatsindex", "txindex")
    node.stop()
    node.import_blocks(alt)
    node.start()
    check_tip(node, expected["mainnet-alt-0-2016"]["tip"])
    check_muhash(node, expected["mainnet-alt-0-2016"])
    wait_indexes(node, "coinstatsindex", "txindex")
    check_heights(node, expected["mainnet-alt-0-2016"]["at_height"], True)
    tips = {(tip["height"], tip["status"], tip["branchlen"]) for tip in node.rpc.getchaintips()}
    equal(tips, {(2016, "active", 0), (599, "valid-fork", 599)}, "chain tips")
    node.stop()
    # And the other way round: the longer chain first, so that the shorter one changes nothing.
    other = t.node("main", FULL)
    other.import_blocks(alt, real)
    other.start()
    check_tip(other, expected["mainnet-alt-0-2016"]["tip"])
    other.stop()


@case
def reindex_and_reindex_chainstate(t):
    node, expected = run_of(t, "testnet3-0-4000", "-coinstatsindex")
    node.stop()
    size = (node.blocks_dir / "blk00000.dat").stat().st_size
    for option in ("-reindex", "-reindex-chainstate", "-reindex"):
        node.import_blocks(args=[option])
        node.start()
        check_tip(node, expected["tip"])
        check_muhash(node, expected)
        wait_indexes(node, "coinstatsindex")
        check_heights(node, expected["at_height"][-1:], True)
        node.stop()
        equal((node.blocks_dir / "blk00000.dat").stat().st_size, size, f"block file after {option}")
    node.start("-reindex")  # in the background of a node that serves
    node.wait_log("Import done")
    check_tip(node, expected["tip"])
    node.stop()


@case
def blocks_mined_during_a_reindex(t):
    """A new block must not land on those of our own files that the reindex has not met yet."""
    want = data_json("chains", "expected.json")["regtest-mixed-220.dat"]
    node = t.node("regtest", FULL + ["-blocksxor=0"])
    node.import_blocks(regtest_chain(t.dir))
    original = (node.blocks_dir / "blk00000.dat").read_bytes()
    node.start("-reindex")
    mined = node.rpc.generatetoaddress(3, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")
    node.wait_log("Import done")
    node.stop()
    equal((node.blocks_dir / "blk00000.dat").read_bytes()[:len(original)], original, "the file that was there")
    node.import_blocks(args=["-reindex"])
    node.start()
    for block in mined:
        equal(node.rpc.getblock(block)["hash"], block, "a mined block after another reindex")
    check(node.rpc.getblockheader(want["bestblock"])["height"] == want["height"], "the old chain")
    node.stop()


@case
def imported_twice(t):
    node, expected = run_of(t, "mainnet-0-599")
    node.stop()
    size = (node.blocks_dir / "blk00000.dat").stat().st_size
    node.import_blocks(data_file("blocks", "mainnet-0-599.dat"))
    equal((node.blocks_dir / "blk00000.dat").stat().st_size, size, "block file after importing the same again")
    node.start()
    check_tip(node, expected["tip"])
    node.stop()


@case
def obfuscated_block_files(t):
    """Block files as Bitcoin Core leaves them: obfuscated with the key of xor.dat."""
    for key in (CORE_KEY, bytes(random.Random(7).randbytes(8)), bytes(8)):
        blocks, magic = records(data_file("blocks", "mainnet-0-599.dat"))
        folder = t.dir / f"core-{key.hex()}" / "blocks"
        folder.mkdir(parents=True)
        (folder / "xor.dat").write_bytes(key)
        for number, part in enumerate((blocks[:250], blocks[250:])):
            plain = framed(part, magic)
            (folder / f"blk{number:05}.dat").write_bytes(obfuscated(plain, key))
        expected = data_json("blocks", "expected.json")["mainnet-0-599"]
        node = t.node("main", FULL)  # imported from the folder
        node.import_blocks(folder)
        node.start()
        check_tip(node, expected["tip"])
        node.stop()
        single = t.node("main", FULL)  # and file by file, the key standing beside them
        single.import_blocks(folder / "blk00000.dat", folder / "blk00001.dat")
        single.start()
        check_tip(single, expected["tip"])
        single.stop()
        own = t.node("main", FULL)  # taken over as the own folder
        own.blocks_dir.rmdir() if own.blocks_dir.exists() else None
        shutil.copytree(folder, own.blocks_dir)
        own.import_blocks(args=["-reindex"])
        own.start()
        check_tip(own, expected["tip"])
        own.stop()
        equal((own.blocks_dir / "xor.dat").read_bytes(), key, "the key")


def obfuscated(data, key, offset=0):
    size = len(data)
    whole = (key * (size // 8 + 2))[offset % 8:offset % 8 + size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")


@case
def own_files_are_as_bitcoin_core_writes_them(t):
    node, expected = run_of(t, "mainnet-0-599")
    node.stop()
    key = (node.blocks_dir / "xor.dat").read_bytes()
    equal(len(key), 8, "length of the key")
    check(key != bytes(8), "new block files are obfuscated")
    plain = obfuscated((node.blocks_dir / "blk00000.dat").read_bytes(), key)
    wanted = data_file("blocks", "mainnet-0-599.dat").read_bytes()
    equal(plain[:len(wanted)], wanted, "the blocks")
    check(not any(plain[len(wanted):]), "something other than zeroes follows the blocks")
    undo = obfuscated((node.blocks_dir / "rev00000.dat").read_bytes(), key)
    equal(undo[:4], wanted[:4], "magic of the first undo record")
    ended = node.run("-blocksxor=0")
    equal(ended.code, 1, "a stored key cannot be switched off")
    contains(ended.err, "The blocksdir XOR-key can not be disabled when a random key was already stored!", "error")
    plain_node = t.node("main", FULL + ["-blocksxor=0"])
    plain_node.import_blocks(data_file("blocks", "mainnet-0-599.dat"))
    equal((plain_node.blocks_dir / "xor.dat").read_bytes(), bytes(8), "the key of a plain folder")
    equal((plain_node.blocks_dir / "blk00000.dat").read_bytes()[:len(wanted)], wanted, "plain blocks")


@case
def blocks_in_any_order(t):
    blocks, magic = records(data_file("blocks", "mainnet-0-599.dat"))
    expected = data_json("blocks", "expected.json")["mainnet-0-599"]
    for seed in (1, 2):
        shuffled = blocks[:]
        random.Random(seed).shuffle(shuffled)
        files = [t.dir / f"part{seed}{i}.dat" for i in range(3)]
        for i, file in enumerate(files):
            file.write_bytes(framed(shuffled[i::3], magic))
        node = t.node("main", FULL)
        node.import_blocks(*files)
        node.start()
        check_tip(node, expected["tip"])
        node.stop()
        node.import_blocks(args=["-reindex"])  # now in the disorder of the own file
        node.start()
        check_tip(node, expected["tip"])
        node.stop()
    backwards = t.dir / "backwards.dat"
    backwards.write_bytes(framed(blocks[::-1], magic))
    node = t.node("main", FULL)
    node.import_blocks(backwards)
    node.start()
    check_tip(node, expected["tip"])
    node.stop()


@case
def a_gap_is_filled_later(t):
    blocks, magic = records(data_file("blocks", "mainnet-0-599.dat"))
    expected = data_json("blocks", "expected.json")["mainnet-0-599"]
    most, missing = t.dir / "most.dat", t.dir / "missing.dat"
    most.write_bytes(framed(blocks[:300] + blocks[301:], magic))
    missing.write_bytes(framed(blocks[300:], magic))
    node = t.node("main", FULL)
    node.import_blocks(most)
    node.start()
    equal(node.rpc.getblockcount(), 299, "height below the gap")
    node.stop()
    node.import_blocks(missing)
    node.start()
    check_tip(node, expected["tip"])
    node.stop()


@case
def blocks_folder_elsewhere(t):
    elsewhere = t.dir / "elsewhere"
    elsewhere.mkdir()
    node, expected = run_of(t, "signet-0-10", f"-blocksdir={elsewhere}")
    node.stop()
    check((elsewhere / "signet" / "blocks" / "blk00000.dat").exists(), "the block file is where -blocksdir says")
    check(not (node.blocks_dir / "blk00000.dat").exists(), "no block file is in the data directory")
    node.import_blocks(args=["-reindex"])
    node.start()
    check_tip(node, expected["tip"])
    node.stop()
    ended = t.node("signet", [f"-blocksdir={t.dir / 'absent'}"]).run()
    equal(ended.code, 1, "a -blocksdir that is not there")
    contains(ended.err, f'Specified blocks directory "{t.dir / "absent"}" does not exist.', "error")


@case
def small_block_files(t):
    """-fastprune keeps 64 KiB a file: many files, and a reindex over all of them."""
    node, expected = run_of(t, "mainnet-0-599", "-fastprune")
    node.stop()
    files = sorted(f.name for f in node.blocks_dir.glob("blk*.dat"))
    check(len(files) >= 3, f"files: {files}")
    for option in ("-reindex", "-reindex-chainstate"):
        node.import_blocks(args=[option])
        node.start()
        check_tip(node, expected["tip"])
        node.stop()


@case
def assumed_valid_by_default(t):
    """Without -assumevalid=0 the same chain, and one thread or many, small cache or large."""
    file = data_file("blocks", "testnet3-0-4000.dat")
    expected = data_json("blocks", "expected.json")["testnet3-0-4000"]
    for args in ([], ["-par=1", "-assumevalid=0"], ["-par=8", "-dbcache=4", "-assumevalid=0"]):
        node = t.node("test", args)
        node.import_blocks(file)
        node.start()
        check_tip(node, expected["tip"])
        node.stop()


@case
def transaction_index(t):
    blocks_file = regtest_chain(t.dir)
    node = t.node("regtest", FULL)
    node.import_blocks(blocks_file)
    node.start()
    best = node.rpc.getblock(node.rpc.getblockhash(200))
    txid = best["tx"][-1]
    rpc_fails(-5, "Use -txindex", node.rpc.getrawtransaction, txid)
    equal(node.rpc.getrawtransaction(txid, 1, best["hash"])["txid"], txid, "with the block named")
    node.stop()
    node.args.append("-txindex")  # built afterwards
    node.start()
    wait_indexes(node, "txindex")
    for height in (1, 110, 200, 220):
        block = node.rpc.getblock(node.rpc.getblockhash(height))
        for txid in (block["tx"][0], block["tx"][-1]):
            tx = node.rpc.getrawtransaction(txid, 1)
            equal((tx["txid"], tx["blockhash"]), (txid, block["hash"]), f"transaction of block {height}")
    node.stop()
    node.start()
    wait_indexes(node, "txindex")
    node.stop()


@case
def foreign_files_that_are_not_there(t):
    node = t.node("regtest")
    node.import_blocks(t.dir / "absent.dat")
    contains(node.log(), "absent.dat", "log")
    (t.dir / "empty").mkdir()
    node.import_blocks(t.dir / "empty", os.devnull)
    node.start()
    equal(node.rpc.getblockcount(), 0, "height")
    node.stop()


run_cases()
