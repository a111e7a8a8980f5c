#!/usr/bin/env python3
"""cairn-miner makes blocks of transactions through cairn and through Bitcoin Core; both make the same template of one pool.

    CAIRN_BIN_DIR=build/bin test/interop/miner_with_core.py --core=FOLDER [CASE...]

FOLDER holds bitcoind, built outside of this project. Nothing here is run by ctest."""
import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))
import with_core  # noqa: E402
from framework import BIN, CASES, case, check, equal, run_cases, run_program, wait_until  # noqa: E402
from with_core import CorePeer, Peer, same_tip  # noqa: E402

CASES.clear()  # those of the module whose nodes are used here

PAY_TO = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"
WITNESS_SCRIPT = b"\x51"
SCRIPT = b"\x00\x20" + hashlib.sha256(WITNESS_SCRIPT).digest()
COIN = 10**8
BLOCKS, ROOTS, FAN_OUT = 100, 10, 60


def spend(outpoint, value, fee, outputs=1, padding=0):
    """(hex, txid, value of each output) of a transaction that anybody can make."""
    each = (value - fee) // outputs
    outs = (each.to_bytes(8, "little") + bytes([len(SCRIPT)]) + SCRIPT) * outputs
    if padding:
        data = b"\x6a" + bytes([padding]) + bytes(padding)
        outs += bytes(8) + bytes([len(data)]) + data
    count = bytes([outputs + (padding > 0)])
    base = b"\x01" + bytes.fromhex(outpoint[0])[::-1] + outpoint[1].to_bytes(4, "little") + b"\x00" + b"\xff" * 4
    witness = b"\x01" + bytes([len(WITNESS_SCRIPT)]) + WITNESS_SCRIPT
    version, lock_time = (2).to_bytes(4, "little"), bytes(4)
    plain = version + base + count + outs + lock_time
    whole = version + b"\x00\x01" + base + count + outs + witness + lock_time
    txid = hashlib.sha256(hashlib.sha256(plain).digest()).digest()[::-1].hex()
    return whole.hex(), txid, each


def fill(nodes):
    """Parents, children and loners in the pools of all NODES, which must have one chain. Returns fees by txid."""
    first = nodes[0]
    first.rpc.generatetodescriptor(100 + ROOTS, f"raw({SCRIPT.hex()})")
    fans = []
    for height in range(1, ROOTS + 1):
        coinbase = first.rpc.getblock(first.rpc.getblockhash(height))["tx"][0]
        raw, txid, each = spend((coinbase, 0), 50 * COIN, 60000, FAN_OUT)
        equal(first.rpc.sendrawtransaction(raw, 0), txid)
        fans += [((txid, n), each) for n in range(FAN_OUT)]
    first.rpc.generateblock(f"raw({SCRIPT.hex()})", first.rpc.getrawmempool())
    equal(first.rpc.getmempoolinfo()["size"], 0, "the fans are mined")
    for other in nodes[1:]:
        same_tip(first, other)
    fees = {}
    for n, (outpoint, value) in enumerate(fans):
        fee = 300 + 37 * (n * 7919 % 601)
        raw, txid, each = spend(outpoint, value, fee, padding=n % 70)
        chain = [(raw, txid, fee)]
        if n % 3 == 0:
            fee = 200 + 53 * (n * 104729 % 997)
            raw, child, each = spend((txid, 0), each, fee, padding=n % 50)
            chain.append((raw, child, fee))
        for raw, txid, fee in chain:
            for node in nodes:
                equal(node.rpc.sendrawtransaction(raw, 0), txid)
            fees[txid] = fee
    return fees


def mine(node, kind):
    fees = fill([node])
    start = node.rpc.getblockcount()
    command = [BIN / "cairn-miner", f"-datadir={node.datadir}", f"-chain={node.chain}", f"-rpcport={node.rpc_port}",
               f"-address={PAY_TO}", f"-blocks={BLOCKS}", "-threads=1"]
    ended = run_program(*[str(word) for word in command], timeout=600)
    equal(ended.code, 0, str(ended))
    equal(node.rpc.getblockcount(), start + BLOCKS, "blocks")
    check("rejected" not in ended.out, ended.out[-500:])
    carried, blocks = {}, 0
    for height in range(start + 1, start + BLOCKS + 1):
        block = node.rpc.getblock(node.rpc.getblockhash(height), 2)
        txids = [tx["txid"] for tx in block["tx"][1:]]
        carried.update(dict.fromkeys(txids, height))
        blocks += bool(txids)
        paid = sum(round(out["value"] * COIN) for out in block["tx"][0]["vout"])
        subsidy = 50 * COIN >> height // 150
        equal(paid, subsidy + sum(fees[txid] for txid in txids), f"the coinbase of {height}")
    equal(set(carried), set(fees), "transactions that were mined")
    equal(node.rpc.getmempoolinfo()["size"], 0, "what is left in the pool")
    equal(node.rpc.verifychain(4, 0), True, "verifychain")
    print(f"    {kind}: {BLOCKS} blocks, {blocks} of them with {len(carried)} transactions, {sum(fees.values())} satoshis of fees")


# Small, so that what there is fills many blocks.
SMALL = ["-blockmaxweight=14000"]


@case
def a_hundred_blocks_with_transactions_through_cairn(t):
    mine(Peer(t, "regtest", "cairn", SMALL).start(), "cairn")


@case
def a_hundred_blocks_with_transactions_through_core(t):
    mine(CorePeer(t, "regtest", "core", SMALL).start(), "Core")


@case
def both_make_templates_with_the_same_fees(t):
    """The same pool, whole and through ever smaller blocks: the same fees within one chunk, the same transactions when
    everything fits."""
    for weight in (4000000, 400000, 60000, 20000, 14000):
        cairn = Peer(t, "regtest", f"cairn-{weight}", [f"-blockmaxweight={weight}"]).start()
        core = CorePeer(t, "regtest", f"core-{weight}", [f"-blockmaxweight={weight}"]).start()
        cairn.dial(core)
        cairn.rpc.generatetodescriptor(1, f"raw({SCRIPT.hex()})")
        same_tip(cairn, core)
        fees = fill([cairn, core])
        wait_until(lambda: cairn.rpc.getmempoolinfo()["size"] == core.rpc.getmempoolinfo()["size"] == len(fees), "pools")
        ours, theirs = (node.rpc.getblocktemplate({"rules": ["segwit"]}) for node in (cairn, core))
        one, other = (sum(tx["fee"] for tx in template["transactions"]) for template in (ours, theirs))
        most = max(fees.values())
        check(abs(one - other) <= most, f"weight {weight}: fees {one}, Core {other}")
        same = [tx["txid"] for tx in ours["transactions"]] == [tx["txid"] for tx in theirs["transactions"]]
        if weight == 4000000:
            equal({tx["txid"] for tx in ours["transactions"]}, {tx["txid"] for tx in theirs["transactions"]}, "chosen")
            equal(one, other, "fees")
        fields = [{k: v for k, v in tx.items() if k != "depends"} for tx in ours["transactions"]]
        by_id = {tx["txid"]: tx for tx in theirs["transactions"]}
        for tx in fields:
            if tx["txid"] in by_id:
                equal(tx, {k: v for k, v in by_id[tx["txid"]].items() if k != "depends"}, "fields of a transaction")
        for key in ours.keys() | theirs.keys():
            if key not in ("transactions", "longpollid", "curtime", "default_witness_commitment", "coinbasevalue"):
                equal(ours[key], theirs[key], key)
        print(f"    weight {weight}: {len(ours['transactions'])} transactions, fees {one} and {other}, "
              f"{'the same order' if same else 'another order'}")
        for node in (cairn, core):
            node.stop()


if __name__ == "__main__":
    for word in list(sys.argv[1:]):
        if word.startswith("--core="):
            with_core.CORE = Path(word.removeprefix("--core="))
    if not with_core.CORE or not (with_core.CORE / "bitcoind").exists():
        sys.exit(__doc__)
    run_cases()
