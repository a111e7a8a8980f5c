"""Block files that are gone, and some that nobody may write to."""
import subprocess

from framework import Skip, case, contains, equal, run_cases, wait_until

SCRIPT = "raw(6a" + 0x10000 * "ff" + ")"  # one block fills a file of -fastprune


@case
def missing(t):
    node = t.node("regtest", []).start()
    node.rpc.generatetodescriptor(3, "raw(51)")
    node.stop()
    (node.blocks_dir / "blk00000.dat").rename(node.blocks_dir / "blk00000.bak")
    ended = node.run()
    equal((ended.code, ended.err), (1, "Error loading block database.\nPlease restart with -reindex or "
                                       "-reindex-chainstate to recover.\n"), "start without a block file")
    contains(node.new_log(), "blk00000.dat, with 4 blocks: Cannot find", "log")
    (node.blocks_dir / "blk00000.bak").rename(node.blocks_dir / "blk00000.dat")
    equal(node.start().rpc.getblockcount(), 3, "blocks after the file came back")
    node.stop()


@case
def locked(t):
    node = t.node("regtest", ["-fastprune"]).start()
    node.rpc.generateblock(SCRIPT, [])
    height = node.rpc.getblockcount()
    node.stop()
    path = node.blocks_dir / "blk00000.dat"
    path.chmod(0o400)
    if subprocess.run(["chattr", "+i", path], capture_output=True).returncode:
        raise Skip("no right to lock a file with chattr")
    try:
        node.start("-reindex")
        wait_until(lambda: node.rpc.getmempoolinfo()["loaded"], "the reindex")
        equal(node.rpc.getblockcount(), height, "blocks after a reindex over a locked file")
        contains(node.new_log(), "Reindexing finished", "log")
        node.stop()
    finally:
        subprocess.run(["chattr", "-i", path])


run_cases()
