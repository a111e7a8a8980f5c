"""Pruning: options that cannot be, block files that go and what is said of their blocks, kills, and the way back."""
import os

from framework import case, check, contains, equal, rpc_fails, run_cases, wait_until

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
SMALL = ["-fastprune"]
MANUAL = [*SMALL, "-prune=1"]
KEEP = 288


def files(node):
    return sorted(p.name for p in node.blocks_dir.iterdir() if p.name[:3] in ("blk", "rev"))


def mine(node, blocks):
    while blocks > 0:
        node.rpc.generatetoaddress(min(blocks, 250), ADDRESS)
        blocks -= 250


def pruned_node(t, blocks=900, *args):
    """A node that pruned as far as it may."""
    node = t.node("regtest", [*MANUAL, *args]).start()
    mine(node, blocks)
    node.rpc.pruneblockchain(blocks)
    return node


def coins(node):
    return node.rpc.gettxoutsetinfo("hash_serialized_3")["hash_serialized_3"]


@case
def options_that_cannot_be(t):
    node = t.node("regtest")
    for args, text in ((["-prune=-1"], "Prune cannot be configured with a negative value."),
                       (["-prune=549"], "Prune configured below the minimum of 550 MiB.  Please use a higher number."),
                       (["-prune=550", "-txindex"], "Prune mode is incompatible with -txindex."),
                       (["-prune=1", "-reindex-chainstate"],
                        "Prune mode is incompatible with -reindex-chainstate. Use full -reindex instead.")):
        ended = node.run(*args)
        equal((ended.code, ended.err), (1, f"Error: {text}\n"), str(args))


@case
def fields_of_a_pruned_node(t):
    node = t.node("regtest", SMALL).start()
    info = node.rpc.getblockchaininfo()
    equal([info["pruned"], *(k in info for k in ("pruneheight", "automatic_pruning", "prune_target_size"))], [False] * 4, "off")
    rpc_fails(-1, "Cannot prune blocks because node is not in prune mode.", node.rpc.pruneblockchain, 5)
    node.stop()
    node.start("-prune=1")
    info = node.rpc.getblockchaininfo()
    equal([info["pruned"], info["pruneheight"], info["automatic_pruning"], "prune_target_size" in info],
          [True, 0, False, False], "by hand")
    node.stop()
    node.start("-prune=600")
    info = node.rpc.getblockchaininfo()
    equal([info["pruned"], info["pruneheight"], info["automatic_pruning"], info["prune_target_size"]],
          [True, 0, True, 600 << 20], "by size")
    node.stop()


@case
def heights_and_times(t):
    node = t.node("regtest", MANUAL).start()
    prune = node.rpc.pruneblockchain
    mine(node, 99)
    rpc_fails(-1, "Blockchain is too short for pruning.", prune, 5)
    mine(node, 801)
    equal(prune(0), -1, "nothing to do")
    rpc_fails(-8, "Negative block height.", prune, -10)
    rpc_fails(-8, "Blockchain is shorter than the attempted prune height.", prune, 901)
    time = node.rpc.getblockheader(node.rpc.getblockhash(900))["time"]
    rpc_fails(-8, "Could not find block with at least the specified timestamp.", prune, time + 2 * 3600 + 1)
    lost = prune(300)
    check(200 < lost <= 300, f"pruned up to {lost}")
    equal(node.rpc.getblockchaininfo()["pruneheight"], lost + 1, "pruneheight")
    time = node.rpc.getblockheader(node.rpc.getblockhash(600))["time"]
    lost = prune(time + 2 * 3600)  # at least as much as by height: blocks may share a time
    check(500 < lost <= 900 - KEEP, f"pruned up to {lost}")
    equal(prune(900), prune(900 - KEEP), "the last blocks stay")
    check(node.rpc.getblockchaininfo()["pruneheight"] <= 900 - KEEP + 1, "the last blocks stay")
    node.stop()


@case
def what_is_said_of_pruned_blocks(t):
    node = pruned_node(t)
    rpc = node.rpc
    lost = rpc.getblockchaininfo()["pruneheight"] - 1
    low, first = rpc.getblockhash(lost), rpc.getblockhash(lost + 1)
    gone = "Block not available (pruned data)"
    for call, args in ((rpc.getblock, [low]), (rpc.getblock, [low, 0]), (rpc.getblock, [low, 3]), (rpc.getblockstats, [low])):
        rpc_fails(-1, gone, call, *args)
    rpc_fails(-1, gone, rpc.getblock, rpc.getblockhash(0))
    equal(rpc.getblockheader(low)["nTx"], 1, "what is known of a pruned block")
    txid = rpc.getblock(first)["tx"][0]
    rpc_fails(-1, "Block not available", rpc.getrawtransaction, txid, True, low)
    rpc_fails(-1, gone, rpc.gettxoutproof, [txid], low)
    equal(rpc.getrawtransaction(txid, True, first)["txid"], txid, "the first block that is left")
    rpc.getblock(first, 3)
    rpc.getblockstats(first)
    equal(rpc.verifychain(4, 100), True, "the last blocks")
    equal(rpc.verifychain(4, 0), False, "all blocks")
    contains(node.new_log(), f"Block verification stopping at height {lost} (no data)", "log")
    node.stop()
    node.start("-checkblocks=0", "-checklevel=4")
    node.stop()


@case
def a_pruned_block_that_comes_again(t):
    whole = t.node("regtest", SMALL).start()
    mine(whole, 700)
    node = t.node("regtest", MANUAL).start()
    for height in range(1, 701):
        node.rpc.submitblock(whole.rpc.getblock(whole.rpc.getblockhash(height), 0))
    lost = node.rpc.pruneblockchain(700)
    check(lost > 100, f"pruned up to {lost}")
    for height in (lost, 1):
        block = whole.rpc.getblock(whole.rpc.getblockhash(height), 0)
        equal(node.rpc.submitblock(block), "inconclusive", "nothing is connected")
        equal(node.rpc.submitblock(block), "duplicate", "now it is here")
        equal(node.rpc.getblock(node.rpc.getblockhash(height), 0), block, "the block")
    equal(node.rpc.getblockchaininfo()["pruneheight"], lost + 1, "undo data did not come with it")
    equal(coins(node), coins(whole), "the coins")
    whole.stop()
    node.stop()


@case
def files_and_kills(t):
    node = t.node("regtest", MANUAL).start()
    mine(node, 900)
    before = coins(node)
    for height in (300, 450, 612):
        node.rpc.pruneblockchain(height)
        left = files(node)
        check("blk00000.dat" not in left and "rev00000.dat" not in left, f"the first pair is gone: {left}")
        equal([f[3:] for f in left if f < "r"], [f[3:] for f in left if f > "r"], "pairs")
        info = node.rpc.getblockchaininfo()
        node.kill()
        node.start()
        equal((files(node), coins(node)), (left, before), "after a kill")
        equal(node.rpc.getblockchaininfo()["pruneheight"], info["pruneheight"], "pruneheight")
    mine(node, 10)
    node.stop()


@case
def leftovers(t):
    """Files that a crash kept from being deleted go at the next start."""
    node = pruned_node(t)
    node.stop()
    left = files(node)
    for name in ("blk00000.dat", "rev00001.dat"):
        (node.blocks_dir / name).write_bytes(b"left over")
    node.start()
    equal(files(node), left, "files")
    node.stop()


@case
def the_way_back(t):
    node = pruned_node(t)
    node.stop()
    for more in ([], ["-reindex-chainstate"]):
        ended = node.run("-prune=0", *more)
        equal((ended.code, ended.err),
              (1, "You need to rebuild the database using -reindex to go back to unpruned mode.  This will redownload the "
                  "entire blockchain.\nPlease restart with -reindex or -reindex-chainstate to recover.\n"), "unpruned")
    node.start()  # nothing was wiped
    equal(node.rpc.getblockcount(), 900, "height")
    node.stop()
    node.start("-reindex")
    equal(node.rpc.getblockcount(), 0, "height after a reindex")
    equal(files(node), ["blk00000.dat", "rev00000.dat"], "files after a reindex")
    node.stop()
    node.start("-prune=0")
    equal(node.rpc.getblockcount(), 0, "height unpruned")
    node.stop()


@case
def a_reindex_while_all_is_there(t):
    node = t.node("regtest", MANUAL).start()
    mine(node, 600)
    before = coins(node)
    node.stop()
    node.start("-reindex")
    wait_until(lambda: node.rpc.getblockcount() == 600, "the reindex")
    equal(coins(node), before, "the coins")
    check(node.rpc.pruneblockchain(300) > 100, "prunes again")
    equal(coins(node), before, "the coins")
    node.stop()


@case
def coins_that_are_gone(t):
    node = pruned_node(t)
    node.stop()
    os.rename(node.chain_dir / "chainstate", t.dir / "aside")
    ended = node.run()
    equal(ended.code, 1, f"exit code ({ended})")
    contains(ended.err, "Please restart with -reindex", "standard error")


@case
def invalidating_below(t):
    """Blocks are taken back as far as they are there; the node lives on."""
    node = pruned_node(t)
    lost = node.rpc.getblockchaininfo()["pruneheight"] - 1
    first = node.rpc.getblockhash(lost + 1)
    node.rpc.invalidateblock(node.rpc.getblockhash(lost - 5))
    equal(node.rpc.getblockcount(), lost, "height")
    node.stop()
    node.start()
    equal(node.rpc.getblockcount(), lost, "height")
    node.rpc.generatetodescriptor(2, "raw(51)")  # others than those that were left
    equal(node.rpc.getblockcount(), lost + 2, "height")
    node.rpc.reconsiderblock(first)
    equal(node.rpc.getblockcount(), 900, "height")
    node.stop()


@case
def an_index_beside(t):
    node = t.node("regtest", [*MANUAL, "-coinstatsindex", "-debug=prune"]).start()
    mine(node, 700)
    wait_until(lambda: node.rpc.getindexinfo()["coinstatsindex"]["best_block_height"] == 700, "the index")
    lost = node.rpc.pruneblockchain(400)
    contains(node.new_log(), "coinstatsindex limited pruning to height 689", "log")
    node.rpc.gettxoutsetinfo("muhash", node.rpc.getblockhash(lost))
    node.stop()
    node.start("-coinstatsindex=0")
    mine(node, 1000)
    node.rpc.pruneblockchain(1400)
    node.stop()
    ended = node.run()
    equal((ended.code, ended.err),
          (1, "Error: coinstatsindex best block of the index goes beyond pruned data (including undo data). Please disable "
              "the index or reindex (which will download the whole blockchain again)\nError: A fatal internal error "
              "occurred, see debug.log for details: Failed to start indexes, shutting down…\n"), "an index that cannot go on")
    node.start("-coinstatsindex=0")
    node.stop()


run_cases()
