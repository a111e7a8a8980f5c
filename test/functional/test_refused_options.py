"""Options that contradict the chain or each other end the start; hints about a chain stand in the log."""
from framework import case, contains, equal, run_cases


def refuses(t, text, *args, chain="regtest"):
    ended = t.node(chain, []).run(*args)
    equal((ended.code, ended.out, ended.err), (1, "", f"Error: {text}\n"), f"{chain} with {args}")


@case
def chain_only(t):
    refuses(t, "acceptnonstdtxn is not currently supported for main chain", "-acceptnonstdtxn", chain="main")
    refuses(t, "acceptstalefeeestimates is not supported on test chain.", "-acceptstalefeeestimates", chain="test")
    for name, args in (("test", ["-maxreorg=1"]), ("main", ["-maxreorg=100"])):
        refuses(t, "-maxreorg is for regtest only: it is no rule of Bitcoin, and a node that kept to it could part from "
                f"the {name} network for good.", *args, chain=name)
    t.node("regtest", []).start("-acceptnonstdtxn", "-acceptstalefeeestimates").stop()


@case
def pruning(t):
    refuses(t, "Prune cannot be configured with a negative value.", "-prune=-1")
    refuses(t, "Prune configured below the minimum of 550 MiB.  Please use a higher number.", "-prune=549")
    refuses(t, "Prune mode is incompatible with -txindex.", "-prune=1", "-txindex")
    refuses(t, "Prune mode is incompatible with -txindex.", "-prune=-1", "-txindex")


@case
def block_weight(t):
    refuses(t, "-blockmaxweight (4000001) exceeds consensus maximum block weight (4000000)", "-blockmaxweight=4000001")
    refuses(t, "-blockreservedweight (4000001) exceeds consensus maximum block weight (4000000)",
            "-blockreservedweight=4000001")
    refuses(t, "-blockreservedweight (1999) is lower than minimum safety value of (2000)", "-blockreservedweight=1999")
    refuses(t, "-blockreservedweight (8000) exceeds -blockmaxweight (7999)", "-blockmaxweight=7999")
    refuses(t, "Invalid amount for -blockmintxfee=<amount>: 'x'", "-blockmintxfee=x")


@case
def hints(t):
    node = t.node("test", []).start()
    contains(node.new_log(), "Warning: Support for testnet3 is deprecated", "log")
    node.stop()
    node = t.node("signet", []).start()
    contains(node.new_log(), "Signet derived magic (message start): 0a03cf40", "log")
    node.stop()


run_cases()
