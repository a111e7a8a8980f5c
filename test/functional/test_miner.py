"""cairn-miner against cairnd: blocks in a row, stop and restart, long polling, and what goes wrong."""
import re
import signal
import subprocess
import threading
import time

from framework import BIN, Rpc, case, check, contains, equal, run_cases, run_program, wait_until

MINER = BIN / "cairn-miner"
ADDRESSES = ["mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "2N9hLwkSqr1cPQAPxbrGVUjxyjD11G2e1he",
             "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6"]


def command(node, *args, address=ADDRESSES[0]):
    return [str(c) for c in [MINER, f"-datadir={node.datadir}", f"-chain={node.chain}", f"-rpcport={node.rpc_port}",
                             f"-address={address}", *args]]


class Running:
    """A miner that goes on; its lines as they come."""

    def __init__(self, *words):
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self.reader.start()

    def text(self):
        return "".join(list(self.lines))

    def wait_text(self, text):
        wait_until(lambda: text in self.text(), f"{text!r} from the miner, which said {self.text()[-500:]!r}")

    def stop(self, sig=signal.SIGTERM, code=0):
        start = time.monotonic()
        self.process.send_signal(sig)
        equal(self.process.wait(30), code, self.text()[-500:])
        self.reader.join(5)
        check(time.monotonic() - start < 10, "a stop takes no time")


@case
def mines_a_hundred_blocks(test):
    node = test.node().start()
    ended = run_program(*command(node, "-blocks=100", "-threads=2"))
    equal(ended.code, 0, str(ended))
    equal(node.rpc.getblockcount(), 100)
    equal(len(re.findall("^accepted: ", ended.out, re.M)), 100, ended.out[-500:])
    check("rejected" not in ended.out, ended.out[-500:])
    block = node.rpc.getblock(node.rpc.getblockhash(100), 2)
    equal(block["tx"][0]["vout"][0]["scriptPubKey"]["address"], ADDRESSES[0])
    equal(node.rpc.verifychain(4, 0), True)
    node.stop()


@case
def every_kind_of_address_and_every_kernel(test):
    node = test.node().start()
    height = 0
    for address in ADDRESSES:
        equal(run_program(*command(node, "-blocks=2", address=address)).code, 0)
        height += 2
        paid = node.rpc.getblock(node.rpc.getbestblockhash(), 2)["tx"][0]["vout"][0]["scriptPubKey"]["address"]
        equal((node.rpc.getblockcount(), paid), (height, address))
    for kernel in ("c", "sse2", "avx2", "avx512", "sha-ni"):
        ended = run_program(*command(node, "-blocks=2", f"-kernel={kernel}", "-versionrolling", "-threads=1"))
        if ended.code == 1:
            contains(ended.err, f"-kernel={kernel}")
            continue
        height += 2
        equal((ended.code, node.rpc.getblockcount()), (0, height), kernel)
    node.stop()


@case
def a_private_signet(test):
    node = test.node("signet", ["-signetchallenge=51"]).start()
    ended = run_program(*command(node, "-blocks=3"))  # five million hashes each
    equal(ended.code, 0, str(ended))
    equal(node.rpc.getblockcount(), 3)
    node.stop()
    node = test.node("signet", ["-signetchallenge=5121" + "02" * 33 + "51ae"]).start()
    ended = run_program(*command(node, "-blocks=1"))
    equal(ended.code, 2, str(ended))
    contains(ended.err, "must be signed")
    node.stop()


@case
def stops_and_starts_again(test):
    node = test.node().start()
    for sig in (signal.SIGINT, signal.SIGTERM):
        before = node.rpc.getblockcount()
        miner = Running(*command(node))
        wait_until(lambda: node.rpc.getblockcount() >= before + 5, "five blocks")
        miner.stop(sig)
        contains(miner.text(), "stopped: ")
        height = node.rpc.getblockcount()
        time.sleep(0.5)
        equal(node.rpc.getblockcount(), height, "nobody mines any more")
    node.stop()


class Gate:
    """Templates with a target that nobody meets, in front of a real node's RPC: what the miner asks for is written down."""

    def __init__(self, node):
        import http.server
        import json
        gate = self
        self.requests, self.json = [], json

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gate.requests.append(json.loads(body))
                credentials = (node.chain_dir / ".cookie").read_text()
                status, reply = Rpc(node.rpc_port, credentials).post(body)
                answer = json.loads(reply)
                if answer.get("result") and json.loads(body)["method"] == "getblocktemplate":
                    answer["result"]["bits"] = "1d00ffff"
                reply = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                try:
                    self.wfile.write(reply)
                except OSError:
                    pass  # the miner is gone

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]

    def templates(self, long_poll):
        return [r for r in list(self.requests) if r["method"] == "getblocktemplate"
                and ("longpollid" in r["params"][0]) == long_poll]


@case
def another_block_replaces_the_work_at_once(test):
    node = test.node().start()
    gate = Gate(node)
    miner = Running(*command(node, f"-rpcport={gate.port}", "-rpcuser=x", "-rpcpassword=y", "-threads=1"))
    wait_until(lambda: gate.templates(True), "a long poll")
    equal(len(gate.templates(False)), 1, "templates before anything happens")
    start = time.monotonic()
    node.rpc.generatetodescriptor(1, "raw(51)")
    wait_until(lambda: len(gate.templates(False)) >= 2, "a new template")
    check(time.monotonic() - start < 5, "the new template comes with the block")
    wait_until(lambda: len(gate.templates(True)) >= 2, "the next long poll")
    contains(gate.templates(True)[-1]["params"][0]["longpollid"], node.rpc.getbestblockhash())
    miner.stop()
    gate.server.shutdown()
    node.stop()


@case
def what_the_user_got_wrong(test):
    node = test.node().start()
    main = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
    for args, code, text in [
            ({"address": "nonsense"}, 1, "is no address of chain regtest"),
            ({"address": main}, 1, "is no address of chain regtest"),
            ({"more": ["-threads=-1"]}, 1, "-threads must be"),
            ({"more": ["-kernel=gpu"]}, 1, "-kernel=gpu"),
            ({"more": ["-rpcuser=a", "-rpcpassword=b"]}, 2, "Incorrect rpcuser or rpcpassword"),
            ({"more": ["-rpccookiefile=none"]}, 2, "Failed to read cookie file")]:
        ended = run_program(*command(node, *args.get("more", []), address=args.get("address", ADDRESSES[0])))
        equal(ended.code, code, str(ended))
        contains(ended.err, text)
    ended = run_program(MINER, "-regtest", f"-datadir={node.datadir}")
    equal(ended.code, 1)
    contains(ended.err, "-address=<address>")
    cookie = node.chain_dir / ".cookie"
    ended = run_program(MINER, f"-datadir={node.datadir}", f"-rpcport={node.rpc_port}", f"-rpccookiefile={cookie}",
                        f"-address={main}")
    equal(ended.code, 2, str(ended))
    contains(ended.err, "follows chain regtest, and the miner was started for main")
    equal(node.rpc.getblockcount(), 0)
    node.stop()


@case
def a_node_that_is_away(test):
    node = test.node().start()
    node.stop()
    start = time.monotonic()
    ended = run_program(*command(node, "-retries=2"))
    equal(ended.code, 3, str(ended))
    contains(ended.out, "trying again in 1 s")
    contains(ended.out, "trying again in 2 s")
    contains(ended.err, "gave up after 3 tries")
    check(time.monotonic() - start >= 3, "the pauses are kept")
    miner = Running(*command(node))
    miner.wait_text("trying again")
    node.start()
    miner.wait_text("the node answers again")
    wait_until(lambda: node.rpc.getblockcount() >= 3, "blocks")
    node.kill()
    said = len(miner.text())
    wait_until(lambda: "trying again" in miner.text()[said:], "word of the loss")
    node.start()
    height = node.rpc.getblockcount()
    wait_until(lambda: node.rpc.getblockcount() > height + 3, "blocks again")
    miner.stop()
    node.stop()


@case
def measures(test):
    ended = run_program(MINER, "-benchmark")
    equal(ended.code, 0, str(ended))
    contains(ended.out, "openssl")
    check("WRONG" not in ended.out, ended.out)


if __name__ == "__main__":
    run_cases()
