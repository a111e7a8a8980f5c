"""Raw transactions without a pool or a wallet: made, signed by one key or several, combined, and mined."""
import itertools
from decimal import Decimal

from framework import case, check, equal, rpc_fails, run_cases

KEYS = ["cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N", "cVKpPfVKSJxKqVpE9awvXNWuLHCa5j5tiE7K6zbUSptFpTEtiFrA",
        "cVpF924EspNh8KjYsfhgY96mmxvT6DgdWiTYMtMjuM74hJaU5psW"]
FEE = Decimal("0.001")
SINK = "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202"


def script_of(node, desc):
    """The scriptPubKey and the address of a descriptor with private keys."""
    address = node.rpc.deriveaddresses(with_checksum(node, desc))[0]
    return node.rpc.validateaddress(address)["scriptPubKey"], address


def with_checksum(node, desc):
    return f"{desc}#{node.rpc.getdescriptorinfo(desc)['checksum']}"


def pubkeys(node):
    descs = (node.rpc.getdescriptorinfo(f"pk({k})")["descriptor"] for k in KEYS)
    return [d[3:d.index(")")] for d in descs]


def coin_for(node, address):
    """A mature coin at ADDRESS: the coinbase of a block that lies a hundred deep."""
    block = node.rpc.generatetoaddress(1, address)[0]
    node.rpc.generatetoaddress(100, SINK)
    txid = node.rpc.getblock(block)["tx"][0]
    return {"txid": txid, "vout": 0}, node.rpc.gettxout(txid, 0)["value"]


def spend(node, coin, value):
    return node.rpc.createrawtransaction([coin], [{SINK: str(value - FEE)}, {"data": "00ff"}])


def mined(node, hexstring):
    block = node.rpc.generateblock(SINK, [hexstring])["hash"]
    equal(len(node.rpc.getblock(block)["tx"]), 2, "the spend is in the block")


@case
def one_key(t):
    node = t.node().start()
    for desc in ("pkh({})", "wpkh({})", "sh(wpkh({}))", "rawtr({})"):
        script, address = script_of(node, desc.format(KEYS[0]))
        coin, value = coin_for(node, address)
        raw = spend(node, coin, value)
        prev = {**coin, "scriptPubKey": script, "amount": str(value)}
        if desc.startswith("sh"):
            prev["redeemScript"] = script_of(node, f"wpkh({KEYS[0]})")[0]
        else:
            equal(node.rpc.signrawtransactionwithkey(raw, KEYS[:1])["complete"], True, "the coin is in the chain")
        nothing = node.rpc.signrawtransactionwithkey(raw, KEYS[1:], [prev])
        equal((nothing["complete"], len(nothing["errors"])), (False, 1), "others' keys")
        signed = node.rpc.signrawtransactionwithkey(raw, KEYS, [prev])
        equal(signed, {"hex": signed["hex"], "complete": True}, desc)
        equal(node.rpc.signrawtransactionwithkey(raw, KEYS, [prev]), signed, "the same again")
        mined(node, signed["hex"])
    node.stop()


@case
def several_keys(t):
    node = t.node().start()
    for kind in ("legacy", "p2sh-segwit", "bech32"):
        made = node.rpc.createmultisig(2, pubkeys(node), kind)
        equal(node.rpc.deriveaddresses(made["descriptor"]), [made["address"]], "descriptor and address")
        coin, value = coin_for(node, made["address"])
        raw = spend(node, coin, value)
        prev = {**coin, "scriptPubKey": node.rpc.validateaddress(made["address"])["scriptPubKey"], "amount": str(value),
                "redeemScript": made["redeemScript"]}
        parts = [node.rpc.signrawtransactionwithkey(raw, [key], [prev]) for key in KEYS]
        check(not any(p["complete"] for p in parts), "one key is not enough")
        for a, b in itertools.permutations(range(3), 2):
            combined = node.rpc.combinerawtransaction([parts[a]["hex"], parts[b]["hex"]])
            together = node.rpc.signrawtransactionwithkey(raw, [KEYS[a], KEYS[b]], [prev])
            in_turn = node.rpc.signrawtransactionwithkey(parts[a]["hex"], [KEYS[b]], [prev])
            equal((together["complete"], in_turn["complete"]), (True, True), "two keys are")
            equal((combined, in_turn["hex"]), (together["hex"],) * 2, "three ways to the same bytes")
        mined(node, combined)
        rpc_fails(-25, "Input not found or already spent", node.rpc.combinerawtransaction, [parts[0]["hex"]] * 2)
    node.stop()


@case
def hash_types(t):
    node = t.node().start()
    _, address = script_of(node, f"wpkh({KEYS[0]})")
    coin, value = coin_for(node, address)
    raw = spend(node, coin, value)
    for name, byte in (("ALL", "01"), ("NONE", "02"), ("SINGLE", "03"), ("ALL|ANYONECANPAY", "81"), ("DEFAULT", "01")):
        signed = node.rpc.signrawtransactionwithkey(raw, KEYS[:1], None, name)
        witness = node.rpc.decoderawtransaction(signed["hex"])["vin"][0]["txinwitness"]
        equal((signed["complete"], witness[0][-2:]), (True, byte), name)
    rpc_fails(-8, "'all' is not a valid sighash parameter.", node.rpc.signrawtransactionwithkey, raw, KEYS, None, "all")
    node.stop()


@case
def messages(t):
    node = t.node().start()
    _, address = script_of(node, f"pkh({KEYS[0]})")
    signature = node.rpc.signmessagewithprivkey(KEYS[0], "a = b")
    equal(node.rpc.verifymessage(address, signature, "a = b"), True, "the message")
    equal(node.rpc.verifymessage(address, signature, "a = c"), False, "another one")
    equal(node.cli("verifymessage", address, signature, "a = b").out.strip(), "true", "by the command line")
    node.stop()


if __name__ == "__main__":
    run_cases()
