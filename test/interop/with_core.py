#!/usr/bin/env python3
"""cairn and Bitcoin Core as peers on loopback: both directions of connection, of sync, of new blocks, of
reorganisations, of transactions.

    CAIRN_BIN_DIR=build/bin test/interop/with_core.py --core=FOLDER [CASE...]

FOLDER holds bitcoind, built outside of this project. Nothing here is run by ctest."""
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))
from framework import (Node, case, check, data_file, data_json, equal, free_port, regtest_chain,  # noqa: E402
                       run_cases, sats, wait_until)

CORE = None
ADDRESS = "bcrt1p9yfmy5h72durp7zrhlw9lf7jpwjgvwdg0jr0lqmmjtgg83266lqsekaqka"
OTHER = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
OTHER_SCRIPT = "0014751e76e8199196d454941c45d1b3a323f1433bd6"
OTHER_KEY = "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"  # the number one
OLD_CHAIN = ["-assumevalid=0", "-minimumchainwork=0", "-maxtipage=2000000000"]
PROPAGATION_S = 1
ROUNDS = 20


class Peer(Node):
    """A node that listens on loopback and dials nobody by itself."""
    common = ["-printtoconsole=0", "-connect=0", "-dnsseed=0", "-fixedseeds=0", "-discover=0", "-listenonion=0",
              "-listen=1", "-debug=net", "-debug=cmpctblock"]

    def __init__(self, test, chain, name, args=()):
        super().__init__(test.dir / name, chain, args)
        self.p2p_port = free_port()
        test.nodes.append(self)

    def command(self, *args):
        program = [str(CORE / "bitcoind")] if isinstance(self, CorePeer) else super().command()[:1]
        base = [f"-datadir={self.datadir}", f"-chain={self.chain}", f"-rpcport={self.rpc_port}",
                f"-bind=127.0.0.1:{self.p2p_port}"]
        return [str(c) for c in [*program, *base, *self.common, *self.args, *args]]

    def dial(self, other):
        """Connects to OTHER and waits until both sides are open."""
        self.rpc.addnode(f"127.0.0.1:{other.p2p_port}", "onetry")
        for side in (self, other):
            wait_until(lambda side=side: any(p["version"] and "pong" in p["bytesrecv_per_msg"]
                                             for p in side.rpc.getpeerinfo()), "the handshake is over", 30)

    def hash_of_coins(self):
        return self.rpc.gettxoutsetinfo("hash_serialized_3")["hash_serialized_3"]


class CorePeer(Peer):
    pass


def pair(test, chain="regtest", args=(), v2=True):
    core_args = [*args] if v2 else [*args, "-v2transport=0"]
    return (Peer(test, chain, "cairn", args).start(), CorePeer(test, chain, "core", core_args).start())


def same_tip(a, b, timeout=60, step=0.005):
    wait_until(lambda: a.rpc.getbestblockhash() == b.rpc.getbestblockhash(), "the tips are the same", timeout, step)


def same_coins(a, b):
    equal(a.hash_of_coins(), b.hash_of_coins(), "hash of all coins")


def sync(test, chain, source_kind, cairn_dials, blocks, args, tip, coins):
    """One of the two imports BLOCKS, the other gets them as a peer."""
    first = Peer(test, chain, "cairn", args)
    second = CorePeer(test, chain, "core", args)
    source, target = (first, second) if source_kind == "cairn" else (second, first)
    source.start(f"-loadblock={blocks}")
    wait_until(lambda: source.rpc.getbestblockhash() == tip, "the source has imported")
    target.start()
    start = time.monotonic()
    (first.dial if cairn_dials else second.dial)(second if cairn_dials else first)
    same_tip(first, second, 120)
    took = time.monotonic() - start
    equal(target.hash_of_coins(), coins, "hash of all coins")
    same_coins(first, second)
    print(f"    {chain} from {source_kind}, {'cairn' if cairn_dials else 'core'} dials: "
          f"{target.rpc.getblockcount()} blocks in {took:.2f} s")


def sync_regtest(test, source, cairn_dials):
    blocks = regtest_chain(test.dir)
    facts = data_json("chains", "expected.json")["regtest-mixed-220.dat"]
    sync(test, "regtest", source, cairn_dials, blocks, ["-assumevalid=0"], facts["bestblock"],
         facts["gettxoutsetinfo"]["hash_serialized_3"])


def sync_testnet(test, source, cairn_dials):
    blocks = data_file("blocks", "testnet3-0-4000.dat")
    tip = data_json("blocks", "expected.json")["testnet3-0-4000"]["tip"]
    sync(test, "test", source, cairn_dials, blocks, OLD_CHAIN, tip["bestblockhash"],
         tip["utxo_set"]["hash_serialized_3"])


@case
def regtest_from_core_we_dial(t):
    sync_regtest(t, "core", True)


@case
def regtest_from_core_it_dials(t):
    sync_regtest(t, "core", False)


@case
def regtest_from_cairn_we_dial(t):
    sync_regtest(t, "cairn", True)


@case
def regtest_from_cairn_it_dials(t):
    sync_regtest(t, "cairn", False)


@case
def testnet_from_core_we_dial(t):
    sync_testnet(t, "core", True)


@case
def testnet_from_core_it_dials(t):
    sync_testnet(t, "core", False)


@case
def testnet_from_cairn_we_dial(t):
    sync_testnet(t, "cairn", True)


@case
def testnet_from_cairn_it_dials(t):
    sync_testnet(t, "cairn", False)


def mined_to_seen(miner, other):
    """Seconds from the end of the mining call to the other's new tip."""
    block = miner.rpc.generatetoaddress(1, ADDRESS)[0]
    start = time.monotonic()
    wait_until(lambda: other.rpc.getbestblockhash() == block, "the new block is there", 30, step=0.002)
    return time.monotonic() - start


def compact_blocks_received(node):
    return sum(p["bytesrecv_per_msg"].get("cmpctblock", 0) for p in node.rpc.getpeerinfo())


def propagation(t, cairn_dials):
    cairn, core = pair(t)
    core.rpc.generatetoaddress(5, ADDRESS)
    (cairn.dial if cairn_dials else core.dial)(core if cairn_dials else cairn)
    same_tip(cairn, core)
    for miner, other in ((core, cairn), (cairn, core)):
        times = [mined_to_seen(miner, other) for _ in range(ROUNDS)]
        worst = max(times)
        print(f"    from {'core' if miner is core else 'cairn'}: median {statistics.median(times) * 1000:.1f} ms, "
              f"worst {worst * 1000:.1f} ms of {ROUNDS}")
        check(worst < PROPAGATION_S, f"a block took {worst:.2f} s")
        check(compact_blocks_received(other) > 0, "blocks came as compact blocks")
    same_coins(cairn, core)


@case
def new_blocks_we_dial(t):
    propagation(t, True)


@case
def new_blocks_it_dials(t):
    propagation(t, False)


@case
def high_bandwidth_is_chosen(t):
    """After some blocks in one direction the receiver asks the sender for compact blocks at once (BIP152)."""
    cairn, core = pair(t)
    core.rpc.generatetoaddress(5, ADDRESS)
    cairn.dial(core)
    same_tip(cairn, core)
    for _ in range(3):
        mined_to_seen(core, cairn)
        mined_to_seen(cairn, core)
    wait_until(lambda: cairn.rpc.getpeerinfo()[0]["bip152_hb_to"], "cairn chose Core for high bandwidth", 30)
    wait_until(lambda: core.rpc.getpeerinfo()[0]["bip152_hb_to"], "Core chose cairn for high bandwidth", 30)


def reorganise(t, loser_is_core):
    """Apart, one mines 4 blocks and the other 7: after they meet, the first follows the second."""
    cairn, core = pair(t)
    cairn.rpc.generatetoaddress(10, ADDRESS)
    cairn.dial(core)
    same_tip(cairn, core)
    for peer in cairn.rpc.getpeerinfo():
        cairn.rpc.disconnectnode("", peer["id"])
    wait_until(lambda: not core.rpc.getpeerinfo(), "they are apart")
    loser, winner = (core, cairn) if loser_is_core else (cairn, core)
    loser.rpc.generatetoaddress(4, ADDRESS)
    tip = winner.rpc.generatetoaddress(7, OTHER)[-1]
    cairn.dial(core)
    same_tip(cairn, core)
    equal(loser.rpc.getbestblockhash(), tip, "the chain with more work won")
    tips = {x["status"]: x["branchlen"] for x in loser.rpc.getchaintips()}
    equal(tips, {"active": 0, "valid-fork": 4}, "chain tips of the one that followed")
    same_coins(cairn, core)


@case
def core_follows_a_reorganisation(t):
    reorganise(t, True)


@case
def cairn_follows_a_reorganisation(t):
    reorganise(t, False)


@case
def what_was_negotiated(t):
    """getpeerinfo on both sides; Core first tries the encrypted transport, fails, and comes again without."""
    for cairn_dials in (True, False):
        cairn, core = (Peer(t, "regtest", f"cairn{cairn_dials}").start(),
                       CorePeer(t, "regtest", f"core{cairn_dials}").start())
        core.rpc.generatetoaddress(1, ADDRESS)
        (cairn.dial if cairn_dials else core.dial)(core if cairn_dials else cairn)
        same_tip(cairn, core)
        ours, theirs = cairn.rpc.getpeerinfo()[0], core.rpc.getpeerinfo()[0]
        print(f"    {'cairn' if cairn_dials else 'core'} dials; Core sees {theirs['subver']} {theirs['version']} "
              f"{theirs['servicesnames']}; cairn sees {ours['subver']} {ours['version']} {ours['servicesnames']}")
        check(theirs["subver"].startswith("/Satoshi:31.99.0/cairn:"), f"user agent {theirs['subver']}")
        for side in (ours, theirs):
            equal(side["version"], 70017, "version")
            equal(side["transport_protocol_type"], "v1", "transport")
            equal(side["relaytxes"], True, "relaytxes")
            equal(side["addr_relay_enabled"], True, "addr_relay_enabled")
            for name in ("NETWORK", "WITNESS", "NETWORK_LIMITED"):
                check(name in side["servicesnames"], f"{name} in {side['servicesnames']}")
            for name in ("version", "verack", "wtxidrelay", "sendaddrv2", "sendcmpct", "ping", "pong"):
                check(name in side["bytesrecv_per_msg"], f"{name} was received: {sorted(side['bytesrecv_per_msg'])}")
        equal(ours["connection_type"], "manual" if cairn_dials else "inbound", "connection type")


@case
def spends_and_all_kinds_of_script(t):
    """The synthetic chain's coins, once more with amounts, and mined on by both in turn."""
    cairn, core = pair(t, args=["-assumevalid=0"])
    del core
    blocks = regtest_chain(t.dir)
    source = CorePeer(t, "regtest", "source", ["-assumevalid=0"]).start(f"-loadblock={blocks}")
    wait_until(lambda: source.rpc.getblockcount() == 220, "imported")
    cairn.dial(source)
    same_tip(cairn, source)
    for miner in (cairn, source) * 5:
        miner.rpc.generatetoaddress(1, ADDRESS)
        same_tip(cairn, source)
    a, b = cairn.rpc.gettxoutsetinfo(), source.rpc.gettxoutsetinfo()
    equal(sats(a["total_amount"]), sats(b["total_amount"]), "total amount")
    same_coins(cairn, source)


def payment(node, output, value, fee_sat):
    """Spends OUTPUT (txid, index) to OTHER, worth VALUE satoshis, to itself."""
    amount = f"{(value - fee_sat) / 1e8:.8f}"
    raw = node.rpc.createrawtransaction([{"txid": output[0], "vout": output[1]}], [{OTHER: amount}])
    known = [{"txid": output[0], "vout": output[1], "scriptPubKey": OTHER_SCRIPT, "amount": f"{value / 1e8:.8f}"}]
    signed = node.rpc.signrawtransactionwithkey(raw, [OTHER_KEY], known)
    check(signed["complete"], "signed")
    return signed["hex"]


def same_pool(a, b, count):
    wait_until(lambda: len(b.rpc.getrawmempool()) == count == len(a.rpc.getrawmempool()), f"{count} in both pools", 120)
    equal(sorted(a.rpc.getrawmempool()), sorted(b.rpc.getrawmempool()), "the pools")


def transactions(t, cairn_dials):
    """Transactions go both ways, children with their parents, and the blocks that take them need no round trip."""
    cairn, core = pair(t)
    blocks = cairn.rpc.generatetoaddress(20, OTHER)
    (cairn.dial if cairn_dials else core.dial)(core if cairn_dials else cairn)
    cairn.rpc.generatetoaddress(100, ADDRESS)
    same_tip(cairn, core)
    mined_to_seen(core, cairn)
    mined_to_seen(cairn, core)
    coins = [(cairn.rpc.getblock(b)["tx"][0], 0) for b in blocks]
    count = 0
    for source, other, own in ((cairn, core, coins[:10]), (core, cairn, coins[10:])):
        for coin in own:
            value = 50 * 10 ** 8
            for fee in (1000, 3000):
                coin = (source.rpc.sendrawtransaction(payment(source, coin, value, fee)), 0)
                value -= fee
                count += 1
        start = time.monotonic()
        same_pool(source, other, count)
        print(f"    {len(own) * 2} from {'cairn' if source is cairn else 'core'}: {time.monotonic() - start:.1f} s")
    equal(cairn.rpc.getmempoolinfo()["unbroadcastcount"], 0, "Core asked for all of ours")
    equal(core.rpc.getmempoolinfo()["unbroadcastcount"], 0, "we asked for all of Core's")
    for miner, other in ((core, cairn), (cairn, core)):
        mined_to_seen(miner, other)
        line = [x for x in other.log().splitlines() if "Successfully reconstructed block" in x][-1]
        check(" and 0 txn (0 bytes) requested" in line, f"nothing was asked for: {line}")
        equal(len(other.rpc.getrawmempool()), 0, "the pool is mined")
    check(any(" 40 txn from mempool" in x for x in cairn.log().splitlines()), "the block came out of the pool")
    same_coins(cairn, core)


@case
def transactions_we_dial(t):
    transactions(t, True)


@case
def transactions_it_dials(t):
    transactions(t, False)


if __name__ == "__main__":
    for word in list(sys.argv[1:]):
        if word.startswith("--core="):
            CORE = Path(word.removeprefix("--core="))
    if not CORE or not (CORE / "bitcoind").exists():
        sys.exit(__doc__)
    run_cases()
