"""Full disks, folders that cannot be written, torn and corrupted files: one clear line, exit code 1, nothing lost that
was good, and a way back."""
import os
import resource
import shutil
import signal
import subprocess

from framework import (Skip, case, check, contains, data_file, data_json, equal, framed, records, run_cases, wait_until)

NAMES = {"test": "testnet3-0-4000", "main": "mainnet-0-599"}


def chain(which="test"):
    return data_file("blocks", f"{NAMES[which]}.dat")


def imported(t, *args, which="test"):
    node = t.node(which, ["-assumevalid=0", *args])
    node.import_blocks(chain(which))
    return node


def check_complete(node):
    tip = data_json("blocks", "expected.json")[NAMES[node.chain]]["tip"]
    coins = node.rpc.gettxoutsetinfo("hash_serialized_3")
    equal((coins["height"], coins["hash_serialized_3"]), (tip["blocks"], tip["utxo_set"]["hash_serialized_3"]), "the coins")


def check_one_error(ended, *parts):
    """Exit code 1 and one paragraph on standard error that says what happened."""
    equal(ended.code, 1, f"exit code ({ended})")
    check(ended.err.startswith("Error: ") or "Please restart with -reindex" in ended.err, f"standard error {ended.err!r}")
    check(ended.err.count("\n") <= 2, f"standard error has many lines: {ended.err!r}")
    for part in parts:
        contains(ended.err, part, "standard error")


def completes(node):
    """A start as it stands must work, the rest of the chain go in, and everything check out."""
    node.start()
    node.stop()
    node.import_blocks(chain())
    node.start("-checklevel=4", "-checkblocks=0")
    check_complete(node)
    node.stop()


# ---- full disks ----

def limit_files(size):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


@case
def files_that_cannot_grow(t):
    """Writes fail beyond a file size, as they do on a full disk."""
    for size in (30_000, 200_000, 900_000, 1_200_000):
        node = t.node("test", ["-assumevalid=0", "-dbcache=4", "-nodebuglogfile"])
        ended = node.run("-stopafterblockimport", f"-loadblock={chain()}", preexec_fn=limit_files(size))
        check_one_error(ended)
        check("File too large" in ended.err, f"standard error does not say why: {ended.err}")
        completes(node)


@case
def a_log_that_cannot_grow(t):
    """What the log cannot take is not the node's end."""
    node = t.node("signet", ["-assumevalid=0"])
    node.launch(f"-loadblock={data_file('blocks', 'signet-0-10.dat')}", preexec_fn=limit_files(8192))
    wait_until(node.is_up, "the node answers")
    wait_until(lambda: node.rpc.getblockcount() == 10, "the import")
    check(len(node.log()) <= 8192, "the limit was reached")
    node.stop()


class SmallDisk:
    """A tmpfs of SIZE bytes."""

    def __init__(self, folder, size):
        self.folder, self.size = folder, size

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size}", "tmpfs", str(self.folder)],
                              capture_output=True, check=False)
        if done.returncode:
            raise Skip("no right to mount a small disk")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.folder)], check=False)

    def remount(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.folder)], check=True)


@case
def a_disk_that_fills_up(t):
    if os.geteuid():
        raise Skip("only root can mount a small disk")
    for kib in (400, 1500, 2200):
        node = t.node("test", ["-assumevalid=0", "-dbcache=4"])
        with SmallDisk(node.datadir, kib << 10) as disk:
            ended = node.run("-stopafterblockimport", f"-loadblock={chain()}")
            check_one_error(ended)
            disk.remount("size=64m")  # the user made room
            completes(node)


@case
def a_read_only_disk(t):
    if os.geteuid():
        raise Skip("only root can mount a small disk")
    node = t.node("test", ["-assumevalid=0"])
    with SmallDisk(node.datadir, 64 << 20) as disk:
        node.import_blocks(chain())
        disk.remount("ro")
        check_one_error(node.run(), str(node.datadir))
        disk.remount("rw")
        node.start()
        check_complete(node)
        node.stop()


# ---- rights ----

def as_nobody(t, node):
    """Arguments for Popen that drop root's power to write anywhere."""
    if os.geteuid():
        return {}
    for folder, names, files in os.walk(t.dir):
        for name in [*names, *files, "."]:
            os.chown(os.path.join(folder, name), 65534, 65534)
    try:
        probe = subprocess.run([node.command()[0], "-version"], user=65534, group=65534, extra_groups=[],
                               capture_output=True, check=False)
    except PermissionError:
        probe = None
    if probe is None or probe.returncode:
        raise Skip("the programs lie where another user cannot run them")
    return {"user": 65534, "group": 65534, "extra_groups": []}


@case
def folders_without_write_permission(t):
    node = imported(t)
    user = as_nobody(t, node)
    for folder, part in ((node.datadir, str(node.datadir)), (node.chain_dir, str(node.chain_dir)),
                         (node.blocks_dir, str(node.blocks_dir)), (node.chain_dir / "chainstate", "chainstate")):
        folder.chmod(0o500)
        ended = node.run("-stopafterblockimport", **user)
        if folder != node.datadir:  # nothing is written in that one itself
            check_one_error(ended, part)
        folder.chmod(0o700)
    as_nobody(t, node)
    node.start(**user)
    check_complete(node)
    node.stop()


@case
def a_block_file_without_write_permission(t):
    node = t.node("test", ["-assumevalid=0", "-blocksxor=0"])
    blocks, magic = records(chain())
    half = t.dir / "half.dat"
    half.write_bytes(framed(blocks[:2000], magic))
    node.import_blocks(half)
    user = as_nobody(t, node)
    file = node.blocks_dir / "blk00000.dat"
    file.chmod(0o400)
    node.start(**user)  # nothing needs to be written
    equal(node.rpc.getblockcount(), 1999, "height")
    node.stop()
    check_one_error(node.run("-stopafterblockimport", f"-loadblock={chain()}", **user), "blk00000.dat")
    file.chmod(0o600)
    node.import_blocks(chain(), **user)
    node.start(**user)
    check_complete(node)
    node.stop()


# ---- torn and corrupted files ----

def last(folder, pattern):
    return max(folder.glob(pattern), key=lambda f: f.name)


def cut(path, size):
    with open(path, "r+b") as file:
        file.truncate(size)


@case
def torn_database_logs(t):
    """The last batch of a database half-written: the state before it, which the block files bring forward."""
    whole = imported(t, which="main")
    for database in ("chainstate", "blocks/index"):
        for lost in (1, 7, 1000, 40_000):
            node = t.node("main", ["-assumevalid=0"])
            shutil.copytree(whole.datadir, node.datadir, dirs_exist_ok=True)
            log = last(node.chain_dir / database, "*.log")
            cut(log, max(0, log.stat().st_size - lost))
            ended = node.run("-stopafterblockimport", f"-loadblock={chain('main')}")
            if ended.code:
                check_one_error(ended, "Please restart with -reindex")
                node.import_blocks(chain("main"), args=["-reindex"])
            node.start("-checklevel=4", "-checkblocks=0")
            check_complete(node)
            node.stop()


@case
def damaged_databases(t):
    """A table, a manifest or CURRENT that is damaged or gone: an error that names the way out, which then works."""
    whole = imported(t, which="main")
    whole.start()  # a second start turns the logs into tables
    whole.stop()
    whole.start()
    whole.stop()
    for database in ("chainstate", "blocks/index"):
        for pattern, harm in (("*.ldb", cut_in_half), ("*.ldb", scramble), ("*.ldb", os.unlink), ("MANIFEST-*", scramble),
                              ("MANIFEST-*", os.unlink), ("CURRENT", scramble), ("CURRENT", os.unlink)):
            node = t.node("main", ["-assumevalid=0"])
            shutil.copytree(whole.datadir, node.datadir, dirs_exist_ok=True)
            if not list((node.chain_dir / database).glob(pattern)):
                continue
            harm(last(node.chain_dir / database, pattern))
            what = f"{harm.__name__} of {pattern} in {database}"
            ended = node.run("-stopafterblockimport")
            if ended.code:
                check(ended.code == 1, f"{what}: {ended}")
                check_one_error(ended)
            node.import_blocks(args=["-reindex"])
            node.start()
            check_complete(node)
            node.stop()


def cut_in_half(path):
    cut(path, path.stat().st_size // 2)


def scramble(path):
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 37):
        data[at] ^= 0x55
    path.write_bytes(data)


def damaged_at(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


@case
def a_corrupted_block(t):
    node = imported(t, "-blocksxor=0")
    blocks, _ = records(chain())
    file = node.blocks_dir / "blk00000.dat"
    end = sum(len(b) + 8 for b in blocks)
    damaged_at(file, end - 20)  # in the last transaction of the tip
    ended = node.run()
    check_one_error(ended, "Corrupted block database detected", "Please restart with -reindex or -reindex-chainstate to recover.")
    node.import_blocks(args=["-reindex"])
    node.start()
    equal(node.rpc.getblockcount(), 3999, "height without the damaged block")
    node.stop()
    node.import_blocks(chain())
    node.start()
    check_complete(node)
    node.stop()


@case
def a_corrupted_undo_record(t):
    node = imported(t, "-blocksxor=0")
    file = node.blocks_dir / "rev00000.dat"
    data = file.read_bytes()
    used = len(data.rstrip(b"\0"))
    damaged_at(file, used - 10)  # the last checksum
    check_one_error(node.run(), "Corrupted block database detected")
    node.import_blocks(args=["-reindex"])
    node.start("-checklevel=4", "-checkblocks=0")
    check_complete(node)
    node.stop()


@case
def a_cut_block_file(t):
    """The end of the last block file is gone while the index knows of it."""
    node = imported(t, "-blocksxor=0")
    blocks, _ = records(chain())
    cut(node.blocks_dir / "blk00000.dat", sum(len(b) + 8 for b in blocks[:3990]) + 50)
    check_one_error(node.run(), "Please restart with -reindex")
    node.import_blocks(args=["-reindex"])
    node.start()
    equal(node.rpc.getblockcount(), 3989, "height of what is left")
    node.stop()
    node.import_blocks(chain())
    node.start()
    check_complete(node)
    node.stop()


@case
def block_files_that_vanish(t):
    node = imported(t)
    os.rename(node.blocks_dir / "blk00000.dat", t.dir / "aside.dat")
    check_one_error(node.run())
    os.rename(t.dir / "aside.dat", node.blocks_dir / "blk00000.dat")
    node.start()
    check_complete(node)
    node.stop()


@case
def a_damaged_key(t):
    node = imported(t)
    key = node.blocks_dir / "xor.dat"
    good = key.read_bytes()
    for bad in (b"", good[:5]):
        key.write_bytes(bad)
        check_one_error(node.run("-stopafterblockimport"), "xor.dat")
    key.write_bytes(good)
    node.start()
    check_complete(node)
    node.stop()


# ---- two processes ----

@case
def one_process_for_one_folder(t):
    node = t.node("regtest").start()
    second = t.node("regtest", [f"-datadir={node.datadir}"])
    ended = second.run()
    equal((ended.code, ended.err),
          (1, f"Error: Cannot obtain a lock on directory {node.datadir}/regtest. cairn is probably already running.\n"),
          "second process")
    blocks = t.node("regtest", [f"-blocksdir={node.datadir}"])
    contains(blocks.run().err, f"Cannot obtain a lock on directory {node.datadir}/regtest/blocks.", "shared blocks folder")
    equal(node.rpc.getblockcount(), 0, "the first goes on")
    check((node.chain_dir / ".cookie").exists() and (node.chain_dir / "bitcoind.pid").exists(), "the first's files stay")
    node.stop()


run_cases()
