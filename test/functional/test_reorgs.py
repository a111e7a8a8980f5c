"""What a defender sees: a double spend between two nodes that were apart, the alarm, getreorgs; and the price of a limit."""
from decimal import Decimal

from framework import case, check, contains, equal, free_port, rpc_fails, run_cases, wait_until

KEY = "cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N"
SINK = "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202"
FEE = Decimal("0.001")
DEPTH = 4


def listener(t, name, *args):
    port = free_port()
    node = t.node(args=["-listen=1", f"-bind=127.0.0.1:{port}", f"-port={port}", *args], name=name)
    node.p2p_port = port
    return node


def connect(a, b):
    """Networks that were switched on a moment ago may miss one attempt, so there are several."""
    def try_once():
        if any(p["version"] for p in a.rpc.getpeerinfo()):
            return True
        a.rpc.addnode(f"127.0.0.1:{b.p2p_port}", "onetry")
        return False
    wait_until(try_once, "the two are connected", step=0.5)


def part(a, b):
    for node in (a, b):
        node.rpc.setnetworkactive(False)
    wait_until(lambda: a.rpc.getconnectioncount() + b.rpc.getconnectioncount() == 0, "the two are apart")


def join(a, b):
    for node in (a, b):
        node.rpc.setnetworkactive(True)
    connect(a, b)


def wait_same_tip(a, b):
    wait_until(lambda: a.rpc.getbestblockhash() == b.rpc.getbestblockhash(), "both are on the same tip")


def address_of(node):
    desc = f"wpkh({KEY})"
    return node.rpc.deriveaddresses(f"{desc}#{node.rpc.getdescriptorinfo(desc)['checksum']}")[0]


def coins_of(node, address, count):
    """COUNT coinbases that can be spent."""
    blocks = node.rpc.generatetoaddress(count, address)
    node.rpc.generatetoaddress(100, SINK)
    return [{"txid": node.rpc.getblock(b)["tx"][0], "vout": 0} for b in blocks]


def payment(node, coin, fee=FEE):
    value = node.rpc.gettxout(coin["txid"], coin["vout"])["value"]
    raw = node.rpc.createrawtransaction([coin], [{SINK: str(value - fee)}])
    signed = node.rpc.signrawtransactionwithkey(raw, [KEY])
    equal(signed["complete"], True, "signed")
    return signed["hex"], node.rpc.decoderawtransaction(signed["hex"])["txid"]


def warnings_of(node):
    lists = [node.rpc.call(m, [])["warnings"] for m in ("getblockchaininfo", "getnetworkinfo", "getmininginfo")]
    check(lists[0] == lists[1] == lists[2], f"three times the same: {lists}")
    return lists[0]


@case
def double_spend(t):
    """The merchant has four confirmations; the attacker, who was apart, has five blocks with another payment."""
    heard = t.dir / "alerts"
    merchant = listener(t, "merchant", f"-alertnotify=echo %s >> {heard}").start()
    attacker = listener(t, "attacker").start()
    coins = coins_of(merchant, address_of(merchant), 2)
    connect(attacker, merchant)
    wait_same_tip(attacker, merchant)
    fork = merchant.rpc.getbestblockhash()
    part(attacker, merchant)

    paid, paid_id = payment(merchant, coins[0])
    other, other_id = payment(merchant, coins[1])
    equal([r["allowed"] for r in merchant.rpc.testmempoolaccept([paid])], [True], "the payment is good")
    merchant.rpc.generateblock(SINK, [paid, other])
    old_tip = merchant.rpc.generatetoaddress(DEPTH - 1, SINK)[-1]
    equal(merchant.rpc.gettxout(paid_id, 0)["confirmations"], DEPTH, "confirmations")
    equal((merchant.rpc.getreorgs(), warnings_of(merchant)), ([], []), "nothing has happened yet")

    theft, theft_id = payment(attacker, coins[0], 2 * FEE)
    check(theft_id != paid_id, "two payments of one coin")
    equal([r["allowed"] for r in attacker.rpc.testmempoolaccept([theft])], [True], "the theft is good")
    attacker.rpc.generateblock(SINK, [theft])
    attacker.rpc.generatetoaddress(DEPTH, SINK)
    join(attacker, merchant)
    wait_same_tip(attacker, merchant)

    reorg, = merchant.rpc.getreorgs()
    height = merchant.rpc.getblockcount()
    equal({k: reorg[k] for k in ("id", "old_tip", "old_height", "new_tip", "new_height", "fork", "fork_height")},
          {"id": 1, "old_tip": old_tip, "old_height": height - 1, "new_tip": attacker.rpc.getbestblockhash(),
           "new_height": height, "fork": fork, "fork_height": height - DEPTH - 1}, "the ends")
    equal((reorg["depth"], reorg["connected"], reorg["alarm"], reorg["by_operator"], reorg["loading"]),
          (DEPTH, DEPTH + 1, True, False, False), "what sort of one")
    equal((reorg["tx_count"], reorg["reversed"], reorg["fates"]),
          (DEPTH + 2, 2, {"mempool": 1, "mined": 0, "conflicted": 1, "dropped": 0, "coinbase": DEPTH}), "counts")
    by_id = {tx["txid"]: tx for tx in reorg["txs"]}
    equal(by_id[paid_id], {"txid": paid_id, "height": height - DEPTH, "fate": "conflicted", "conflict": theft_id,
                           "now": "gone"}, "the payment")
    equal(by_id[other_id], {"txid": other_id, "height": height - DEPTH, "fate": "mempool", "now": "mempool"}, "the other")
    equal(merchant.rpc.gettxout(paid_id, 0), None, "the paid output")
    equal([tip["status"] for tip in merchant.rpc.getchaintips() if tip["hash"] == old_tip], ["valid-fork"], "old branch")

    warning, = warnings_of(merchant)
    contains(warning, f"threw away {DEPTH} blocks, those from height {height - DEPTH} on, and reversed 2 payments, 1 of them "
             "for good", "warning")
    wait_until(heard.is_file, "the alert")
    merchant.rpc.generatetoaddress(1, SINK)
    after = {tx["txid"]: tx for tx in merchant.rpc.getreorgs()[0]["txs"]}
    equal((after[other_id]["fate"], after[other_id]["now"], after[other_id]["confirmations"]), ("mempool", "confirmed", 1),
          "mined again")
    equal(heard.read_text(), warning + "\n", "one alert")
    contains(merchant.new_log(), f"Reorganisation of {DEPTH} blocks: from {old_tip} at height", "log")
    equal((attacker.rpc.getreorgs(), warnings_of(attacker)), ([], []), "the attacker threw nothing away")
    equal((merchant.rpc.getreorgs(0), merchant.rpc.getreorgs(10, DEPTH + 1)), ([], []), "none, and none so deep")
    rpc_fails(-8, "Negative count", merchant.rpc.getreorgs, -1)
    rpc_fails(-8, "Negative depth", merchant.rpc.getreorgs, 1, -1)
    wait_same_tip(attacker, merchant)
    merchant.rpc.generatetoaddress(143, SINK)
    equal(warnings_of(merchant), [], "144 blocks later nobody is warned any more")
    attacker.stop()
    merchant.stop()


@case
def thresholds(t):
    """Three blocks alarm nobody, four do; what the operator orders alarms nobody."""
    a, b = listener(t, "a").start(), listener(t, "b", "-reorgalarm=0").start()
    a.rpc.generatetoaddress(10, SINK)
    connect(a, b)
    wait_same_tip(a, b)
    for depth, alarm in ((3, False), (4, True)):
        part(a, b)
        a.rpc.generatetoaddress(depth, SINK)
        b.rpc.generatetodescriptor(depth + 1, "raw(51)")
        join(a, b)
        wait_same_tip(a, b)
        reorg = a.rpc.getreorgs(1)[0]
        equal((reorg["depth"], reorg["alarm"]), (depth, alarm), "depth and alarm")
        equal(len(warnings_of(a)), int(alarm), "warnings")
    part(a, b)
    b.rpc.generatetoaddress(5, SINK)
    b.rpc.invalidateblock(b.rpc.getblockhash(b.rpc.getblockcount() - 4))
    reorg, = b.rpc.getreorgs()
    equal((reorg["depth"], reorg["connected"], reorg["by_operator"], reorg["alarm"]), (5, 0, True, False), "by hand")
    equal(warnings_of(b), [], "no warning")
    a.stop()
    b.stop()


@case
def limit(t):
    """Two nodes with -maxreorg=3 mine four blocks apart: they stay apart for good, until an operator chooses."""
    a, b = listener(t, "a", "-maxreorg=3").start(), listener(t, "b", "-maxreorg=3").start()
    a.rpc.generatetoaddress(10, SINK)
    connect(a, b)
    wait_same_tip(a, b)
    part(a, b)
    ours = a.rpc.generatetoaddress(4, SINK)[-1]
    theirs = b.rpc.generatetodescriptor(8, "raw(51)")[-1]
    join(a, b)
    a.wait_log("Refused to leave")
    tips = {tip["hash"]: tip["status"] for tip in a.rpc.getchaintips()}
    equal(tips, {ours: "active", theirs: "valid-headers"}, "tips")
    more = b.rpc.generatetodescriptor(5, "raw(51)")[-1]
    wait_until(lambda: more in [tip["hash"] for tip in a.rpc.getchaintips()], "a has heard of them")
    equal((a.rpc.getbestblockhash(), b.rpc.getbestblockhash()), (ours, more), "each on its own")
    equal(a.new_log().count("Refused to leave"), 1, "said once")
    equal((a.rpc.getreorgs(), b.rpc.getreorgs()), ([], []), "nothing was thrown away")
    a.rpc.preciousblock(more)
    equal(a.rpc.getbestblockhash(), more, "as the operator wants it")
    a.stop()
    b.stop()


run_cases()
