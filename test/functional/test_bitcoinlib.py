"""python-bitcoinlib, a client that others wrote, over a regtest node: what it expects of a Bitcoin node's RPC."""
from framework import Skip, case, check, contains, equal, run_cases, sats, wait_until

try:
    import bitcoin
    import bitcoin.core
    import bitcoin.rpc
    from bitcoin.core import COIN, COutPoint, b2lx, lx, x
    from bitcoin.wallet import CBitcoinAddress
except ImportError:
    bitcoin = None


def client(t, *args):
    """A node, and a proxy to it that takes its password from the cookie."""
    if bitcoin is None:
        raise Skip("python3-bitcoinlib is not installed")
    bitcoin.SelectParams("regtest")
    node = t.node("regtest", args).start()
    user, password = (node.chain_dir / ".cookie").read_text().split(":")
    return node, bitcoin.rpc.Proxy(f"http://{user}:{password}@127.0.0.1:{node.rpc_port}")


def address(node):
    return node.rpc.deriveaddresses(node.rpc.getdescriptorinfo(
        "pkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)")["descriptor"])[0]


def raises(kind, call, *args):
    try:
        result = call(*args)
    except kind as e:
        return e
    raise AssertionError(f"{call.__name__}{args} gives {result!r} instead of {kind.__name__}")


@case
def configuration_file_of_the_library(t):
    """The library finds port and cookie through bitcoin.conf, as Core's clients do."""
    if bitcoin is None:
        raise Skip("python3-bitcoinlib is not installed")
    bitcoin.SelectParams("regtest")
    node = t.node("regtest")
    conf = node.datadir / "bitcoin.conf"
    conf.write_text(f"rpcport={node.rpc_port}\nrpcconnect=127.0.0.1\n")
    node.start("-allowignoredconf", "-noconf")
    equal(bitcoin.rpc.Proxy(btc_conf_file=str(conf)).getblockcount(), 0, "height")
    node.stop()


@case
def blocks(t):
    node, proxy = client(t)
    genesis = bitcoin.params.GENESIS_BLOCK
    equal(proxy.getblockcount(), 0, "height")
    equal(proxy.getblockhash(0), genesis.GetHash(), "genesis")
    equal(proxy.getbestblockhash(), genesis.GetHash(), "tip")
    equal(proxy.getblock(genesis.GetHash()).serialize(), genesis.serialize(), "genesis block")
    hashes = list(proxy.generatetoaddress(5, address(node)))
    equal((proxy.getblockcount(), proxy.getbestblockhash()), (5, hashes[-1]), "after five blocks")
    for height, block_hash in enumerate(hashes, 1):
        equal(proxy.getblockhash(height), block_hash, f"hash at {height}")
        block = proxy.getblock(block_hash)
        equal(block.GetHash(), block_hash, f"block {height}")
        bitcoin.core.CheckBlock(block)
        equal(proxy.getblockheader(block_hash).serialize(), block.get_header().serialize(), f"header {height}")
        told = proxy.getblockheader(block_hash, verbose=True)
        equal((told["height"], told["confirmations"]), (height, 6 - height), f"facts of block {height}")
        equal(told["nextblockhash"], hashes[height] if height < 5 else None, f"block after {height}")
    equal(int.from_bytes(told["chainwork"], "big"), 12, "work of six regtest blocks")
    contains(str(raises(IndexError, proxy.getblockhash, 6)), "Block height out of range (-8)", "error")
    contains(str(raises(IndexError, proxy.getblockhash, -1)), "Block height out of range (-8)", "error")
    contains(str(raises(IndexError, proxy.getblock, b"\1" * 32)), "Block not found (-5)", "error")
    contains(str(raises(IndexError, proxy.getblockheader, b"\1" * 32)), "Block not found (-5)", "error")
    node.stop()


@case
def transactions_and_coins(t):
    node, proxy = client(t, "-txindex")
    to = CBitcoinAddress(address(node))
    block_hash, = proxy.generatetoaddress(1, to)
    coinbase = proxy.getblock(block_hash).vtx[0]
    wait_until(lambda: node.rpc.getindexinfo()["txindex"]["synced"], "the index")
    equal(proxy.getrawtransaction(coinbase.GetTxid()).serialize(), coinbase.serialize(), "transaction")
    told = proxy.getrawtransaction(coinbase.GetTxid(), verbose=True)
    equal((told["tx"].GetTxid(), told["blockhash"], told["confirmations"]), (coinbase.GetTxid(), block_hash, 1), "facts")
    equal(proxy.getrawtransaction(coinbase.GetTxid(), False, block_hash).GetTxid(), coinbase.GetTxid(), "with the block")
    contains(str(raises(IndexError, proxy.getrawtransaction, b"\2" * 32)), "No such mempool or blockchain transaction", "error")
    coin = proxy.gettxout(COutPoint(coinbase.GetTxid(), 0))
    equal((coin["txout"].nValue, coin["coinbase"], coin["confirmations"], coin["bestblock"]),
          (50 * COIN, True, 1, block_hash), "coin")
    equal(coin["txout"].scriptPubKey, to.to_scriptPubKey(), "script of the coin")
    raises(IndexError, proxy.gettxout, COutPoint(coinbase.GetTxid(), 7))
    raises(IndexError, proxy.gettxout, COutPoint(b"\3" * 32, 0))
    node.stop()


@case
def submitted_blocks(t):
    """Blocks made by the library with its own code, handed in through submitblock."""
    node, proxy = client(t)
    tip = proxy.getblock(list(proxy.generatetoaddress(1, address(node)))[0])
    block = next_block(tip, 2)
    equal(proxy.submitblock(block), None, "a good block")
    equal((proxy.getblockcount(), proxy.getbestblockhash()), (2, block.GetHash()), "tip")
    equal(proxy.submitblock(block), "duplicate", "the same again")
    orphan = next_block(block, 4)
    orphan.hashPrevBlock = b"\4" * 32
    equal(proxy.submitblock(mined(orphan)), "prev-blk-not-found", "a block without parent")
    equal(proxy.submitblock(next_block(block, 3, reward=51 * COIN)), "bad-cb-amount", "too much reward")
    bad_root = next_block(block, 3)
    bad_root.hashMerkleRoot = b"\5" * 32
    equal(proxy.submitblock(mined(bad_root)), "bad-txnmrklroot", "a wrong merkle root")
    weak = next_block(block, 3)
    while int.from_bytes(weak.GetHash(), "little") <= bitcoin.core.uint256_from_compact(weak.nBits):
        weak.nNonce += 1
    equal(proxy.submitblock(weak), "high-hash", "no work")
    equal(proxy.getblockcount(), 2, "height")
    e = raises(bitcoin.rpc.JSONRPCError, proxy.call, "submitblock", "00" * 70)
    equal((e.error["code"], e.error["message"]), (-22, "Block decode failed"), "nonsense")
    node.stop()


def mined(block):
    target = bitcoin.core.uint256_from_compact(block.nBits)
    while int.from_bytes(block.GetHash(), "little") > target:
        block.nNonce += 1
    return block


def next_block(parent, height, reward=None):
    """A mutable block on PARENT with a coinbase alone."""
    from bitcoin.core import CMutableTransaction, CMutableTxIn, CMutableTxOut
    from bitcoin.core.script import CScript, OP_TRUE
    coinbase = CMutableTransaction()
    coinbase.vin.append(CMutableTxIn(scriptSig=CScript([height, b"pad"]), nSequence=0xffffffff))
    coinbase.vout.append(CMutableTxOut(50 * COIN if reward is None else reward, CScript([OP_TRUE])))
    made = MutableBlock(nVersion=0x20000000, hashPrevBlock=parent.GetHash(), nTime=parent.nTime + 1, nBits=parent.nBits)
    made.vtx = [coinbase]
    made.hashMerkleRoot = coinbase.GetTxid()
    return mined(made)


class MutableBlock:
    """The library's blocks cannot be changed; this one can, and is written through the library's header."""

    def __init__(self, **fields):
        self.__dict__.update(fields, nNonce=0)

    def header(self):
        return bitcoin.core.CBlockHeader(self.nVersion, self.hashPrevBlock, self.hashMerkleRoot, self.nTime, self.nBits,
                                         self.nNonce)

    def GetHash(self):
        return self.header().GetHash()

    def serialize(self):
        return self.header().serialize() + bytes([len(self.vtx)]) + b"".join(tx.serialize() for tx in self.vtx)


@case
def addresses(t):
    node, proxy = client(t)
    good = address(node)
    told = proxy.validateaddress(good)
    equal((told["isvalid"], str(told["address"])), (True, good), "a good address")
    equal(x(told["scriptPubKey"]), CBitcoinAddress(good).to_scriptPubKey(), "its script")
    bech = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
    told = proxy.validateaddress(bech)
    equal((told["isvalid"], told["witness_version"], told["witness_program"]),
          (True, 0, "751e76e8199196d454941c45d1b3a323f1433bd6"), "a witness address")
    equal(proxy.validateaddress("1BoatSLRHtKNngkdXEeobR76b53LETtpyT")["isvalid"], False, "an address of mainnet")
    equal(proxy.validateaddress("nonsense")["isvalid"], False, "nonsense")
    node.stop()


@case
def methods_that_are_gone(t):
    node, proxy = client(t)
    for name in ("getinfo", "getaccountaddress", "getwork", "nonsense"):
        e = raises(bitcoin.rpc.JSONRPCError, proxy.call, name)
        equal((e.error["code"], e.error["message"]), (-32601, "Method not found"), name)
    equal(type(raises(bitcoin.rpc.JSONRPCError, proxy.getinfo)).__name__, "JSONRPCError", "kind of error")
    raises(bitcoin.rpc.JSONRPCError, proxy.generate, 1)
    node.stop()


@case
def batches_and_numbers(t):
    node, proxy = client(t)
    list(proxy.generatetoaddress(3, address(node)))
    batch = [{"version": "1.1", "method": "getblockhash", "params": [i], "id": i} for i in range(4)]
    replies = proxy._batch(batch)
    equal([lx(r["result"]) for r in replies], [proxy.getblockhash(i) for i in range(4)], "batch")
    raw = node.rpc.post(b'{"method":"getblock","params":["%s",2],"id":1}' % b2lx(proxy.getblockhash(1)).encode())[1]
    contains(raw.decode(), '"value":50.00000000', "an amount with eight decimals")
    equal(sats(node.rpc.getblockstats(1)["subsidy"]), 50 * COIN * COIN, "satoshis are whole numbers")
    check(isinstance(proxy.getmininginfo()["blocks"], int), "getmininginfo")
    node.stop()


run_cases()
