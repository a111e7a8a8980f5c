"""Files beside the chain that may be lost: the saved pool and the fee estimates. Damage is said and set aside, never fatal."""
import os
import time

from framework import case, check, contains, equal, rpc_fails, run_cases, wait_until

ESTIMATES = "fees/block_policy_estimates.dat"
COVERAGE = "fees/mempool_policy_estimator.dat"
ANYBODY = "raw(51)"


def with_pool(t, *args):
    """A node with one transaction in its pool (a coinbase that anybody can spend, moved)."""
    node = t.node(args=["-acceptnonstdtxn=1", *args]).start()
    hashes = node.rpc.generatetodescriptor(101, ANYBODY)
    coin = node.rpc.getblock(hashes[0])["tx"][0]
    raw = node.rpc.createrawtransaction([{"txid": coin, "vout": 0}], [{"data": "00" * 80}], 0)
    txid = node.rpc.sendrawtransaction(raw, 0, 0)
    return node, txid


def pool_of(node):
    wait_until(lambda: node.rpc.getmempoolinfo()["loaded"], "the pool is loaded")
    return node.rpc.getrawmempool()


def stop_with_warnings(node):
    node.rpc.stop()
    ended = node.wait()
    equal(ended.code, 0, "exit code")
    return ended.err


@case
def pool_survives(t):
    node, txid = with_pool(t)
    for args in [], ["-persistmempoolv1"], []:
        node.stop()
        check((node.chain_dir / "mempool.dat").is_file(), "the pool is saved")
        check(not (node.chain_dir / "mempool.dat.new").exists(), "nothing is left beside it")
        node.start(*args)
        equal(pool_of(node), [txid], "the pool after a restart")
    contains(node.new_log(), "Imported mempool transactions from file: 1 succeeded, 0 failed, 0 expired, 0 already there",
             "the log")
    node.stop()


@case
def damaged_pool_is_set_aside(t):
    node, txid = with_pool(t)
    node.stop()
    path = node.chain_dir / "mempool.dat"
    whole = path.read_bytes()
    for bad in (b"", whole[:5], whole[:-1], b"\x09" + whole[1:], whole[:40] + bytes(len(whole) - 40), os.urandom(1000)):
        path.write_bytes(bad)
        node.start()
        check(pool_of(node) in ([], [txid]), "the pool is usable")
        contains(node.new_log(), "Failed to deserialize mempool data on file", "the log")
        equal((node.chain_dir / "mempool.dat.bad").read_bytes(), bad, "what was set aside")
        contains(stop_with_warnings(node), "cannot be used", "the warning")
        check(path.is_file(), "a new one was written")
        (node.chain_dir / "mempool.dat.bad").unlink()
    path.write_bytes(whole)
    node.start()
    equal(pool_of(node), [txid], "the pool that was not damaged")
    node.stop()


@case
def no_file_where_none_is_wanted(t):
    node, txid = with_pool(t, "-persistmempool=0")
    node.stop()
    check(not (node.chain_dir / "mempool.dat").exists(), "no file")
    node.start()
    equal(pool_of(node), [], "the pool")
    equal(node.rpc.savemempool()["filename"], str(node.chain_dir / "mempool.dat"), "where it is written on request")
    node.stop()


@case
def import_of_nonsense(t):
    node, txid = with_pool(t)
    name = t.dir / "file"
    rpc_fails(-1, "Unable to import mempool file", node.rpc.importmempool, str(name))
    for bad in b"", b"\x02" + bytes(7), os.urandom(500):
        name.write_bytes(bad)
        rpc_fails(-1, "Unable to import mempool file", node.rpc.importmempool, str(name))
    node.rpc.savemempool()
    equal(node.rpc.importmempool(str(node.chain_dir / "mempool.dat")), {}, "import of the own pool")
    contains(node.new_log(), "0 succeeded, 0 failed, 0 expired, 1 already there", "the log")
    equal(node.rpc.getrawmempool(), [txid], "the pool")
    node.stop()


@case
def damaged_estimates_are_set_aside(t):
    node = t.node().start()
    node.rpc.generatetodescriptor(10, ANYBODY)
    node.stop()
    for name in ESTIMATES, COVERAGE:
        path = node.chain_dir / name
        whole = path.read_bytes()
        for bad in b"", whole[:-1], b"\x01\x02" + whole[2:]:
            path.write_bytes(bad)
            node.start()
            equal(node.rpc.estimatesmartfee(2)["errors"], ["Insufficient data or no feerate found"], "an answer")
            equal(path.with_name(path.name + ".bad").read_bytes(), bad, "what was set aside")
            contains(stop_with_warnings(node), "cannot be used", "the warning")
            check(path.is_file(), "a new one was written")


@case
def stale_estimates_are_not_read(t):
    node = t.node().start()
    node.rpc.generatetodescriptor(10, ANYBODY)
    node.stop()
    path = node.chain_dir / ESTIMATES
    old = time.time() - 61 * 3600
    os.utime(path, (old, old))
    node.start()
    contains(node.new_log(), "too old (age=61 > 60 hours)", "the log")
    node.stop()
    os.utime(path, (old, old))
    node.start("-acceptstalefeeestimates")
    check("too old" not in node.new_log(), "they are read where that is wanted")
    node.stop()


@case
def no_estimates_without_relay(t):
    node = t.node().start("-blocksonly")
    rpc_fails(-32603, "Fee estimation disabled", node.rpc.estimatesmartfee, 2)
    rpc_fails(-32603, "Fee estimation disabled", node.rpc.estimaterawfee, 2)
    equal(node.rpc.getmempoolinfo()["maxmempool"], 5000000, "what -blocksonly makes of -maxmempool")
    node.rpc.generatetodescriptor(3, ANYBODY)
    node.stop()
    check(not (node.chain_dir / ESTIMATES).exists(), "no file")


if __name__ == "__main__":
    run_cases()
