"""What the functional tests share: cases and their counting, real daemons in folders of their own, a JSON-RPC client, data.

A script registers functions with @case and ends with run_cases(). Each case gets a `Test` with a folder that is removed
afterwards (CAIRN_TEST_KEEP=1 keeps it) and with nodes that are killed afterwards. Names of cases on the command line
choose among them. The programs come from CAIRN_BIN_DIR, the data folder from CAIRN_TEST_DATA or, as ctest sets it,
CAIRN_TEST_DATA_DEFAULT. The last line is "N passed, N failed, N skipped"; a skipped case says what was absent."""
import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from decimal import Decimal
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("CAIRN_BIN_DIR") or SOURCE / "build" / "bin")
DATA = Path(os.environ.get("CAIRN_TEST_DATA") or os.environ.get("CAIRN_TEST_DATA_DEFAULT")
            or SOURCE.parent / "shared" / "data")
CAIRND, CLI = BIN / "cairnd", BIN / "cairn-cli"
SHARED_MEMORY = Path("/dev/shm")  # a file system that need not wait for a disk
PATIENCE_S = 120  # for whatever should happen soon: machines are slow, and sanitizers slower
QUIET = ["-printtoconsole=0", "-connect=0", "-listen=0", "-dnsseed=0", "-fixedseeds=0"]
REPORT = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:|CHECK failed|Assertion")


class Skip(Exception):
    """Raised by a case that cannot run here; the text says why."""


class Failure(AssertionError):
    pass


def equal(got, want, what=""):
    if got != want:
        raise Failure(f"{what}: got {got!r}, want {want!r}")


def check(holds, what):
    if not holds:
        raise Failure(what)


def contains(text, part, what=""):
    if part not in text:
        raise Failure(f"{what}: {part!r} is not in {text[-2000:]!r}")


def wait_until(condition, what, timeout=PATIENCE_S, step=0.05):
    """The first true value of CONDITION()."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"waited {timeout} s in vain: {what}")
        time.sleep(step)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- JSON-RPC ----

class RpcError(Exception):
    def __init__(self, code, message, status):
        super().__init__(f"{code} (HTTP {status}): {message}")
        self.code, self.message, self.status = code, message, status


class Rpc:
    """node.rpc.getblockhash(0), or with names: node.rpc.getblock(blockhash=..., verbosity=0)."""

    def __init__(self, port, credentials, timeout=PATIENCE_S):
        self.port, self.timeout = port, timeout
        self.headers = {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode(),
                        "Content-Type": "application/json"}

    def post(self, body):
        """(HTTP status, body) of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request("POST", "/", body, self.headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def call(self, method, params):
        status, body = self.post(json.dumps({"jsonrpc": "1.0", "id": "f", "method": method, "params": params}))
        try:
            reply = json.loads(body, parse_float=Decimal)
        except ValueError:
            raise RpcError(None, body.decode(errors="replace"), status) from None
        if reply["error"] is not None:
            raise RpcError(reply["error"]["code"], reply["error"]["message"], status)
        return reply["result"]

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args, **named: self.call(method, named or list(args))


def rpc_fails(code, text, call, *args, **named):
    """CALL must fail with this code and with TEXT in its message."""
    try:
        result = call(*args, **named)
    except RpcError as e:
        equal(e.code, code, f"error code of {e.message!r}")
        contains(e.message, text, "error message")
        return
    raise Failure(f"no error {code} ({text}) but {str(result)[:200]!r}")


# ---- processes ----

class Ended:
    """A program that ran to its end."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}, stdout {self.out[-500:]!r}, stderr {self.err[-1500:]!r}"


def run_program(*command, stdin="", timeout=PATIENCE_S, **more):
    done = subprocess.run([str(c) for c in command], input=stdin.encode(), capture_output=True, timeout=timeout, **more)
    return Ended(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


class Node:
    """A cairnd with its own data directory and RPC port. Arguments of start and run come on top of those given here."""

    def __init__(self, folder, chain="regtest", args=()):
        self.folder, self.chain, self.args = Path(folder), chain, [str(a) for a in args]
        self.datadir = self.folder / "data"
        self.datadir.mkdir(parents=True, exist_ok=True)
        self.rpc_port = free_port()
        self.process = None
        self.rpc = None
        self.log_start = 0  # where the log of the last process begins

    @property
    def chain_dir(self):
        names = {"main": "", "test": "testnet3"}
        return self.datadir / names.get(self.chain, self.chain)

    @property
    def blocks_dir(self):
        return self.chain_dir / "blocks"

    def command(self, *args):
        base = [CAIRND, f"-datadir={self.datadir}", f"-chain={self.chain}", f"-rpcport={self.rpc_port}"]
        return [str(c) for c in [*base, *QUIET, *self.args, *args]]

    def launch(self, *args, **more):
        """Starts the process and does not wait for anything. MORE goes to Popen."""
        check(self.process is None, "the node runs already")
        self.log_start = len(self.log())
        self.out, self.err = open(self.folder / "stdout", "wb"), open(self.folder / "stderr", "wb")
        self.process = subprocess.Popen(self.command(*args), stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err,
                                        **more)

    def start(self, *args, **more):
        """Starts and waits until RPC answers."""
        self.launch(*args, **more)
        wait_until(self.is_up, "the node answers", step=0.02)
        return self

    def is_up(self):
        if self.process.poll() is not None:
            raise Failure(f"the node ended at its start: {self.ended()}")
        return self.connect()

    def connect(self):
        """True once RPC answers and start-up is over; makes self.rpc."""
        try:
            self.rpc = Rpc(self.rpc_port, (self.chain_dir / ".cookie").read_text())
            self.rpc.uptime()
        except (OSError, http.client.HTTPException):
            return False
        except RpcError as e:
            if e.code == -28 or e.status == 401:  # 401: the cookie of a process that was killed
                return False
            raise
        return True

    def ended(self):
        """The outcome of a process that is over."""
        code = self.process.wait(1)
        self.process = None
        for file in (self.out, self.err):
            file.close()
        ended = Ended(code, *((self.folder / n).read_text(errors="replace") for n in ("stdout", "stderr")))
        check(not REPORT.search(ended.err), f"a sanitizer or a check reported: {ended.err}")
        return ended

    def wait(self, timeout=PATIENCE_S):
        """Waits for the end."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"the node does not end; log: {self.log()[-1500:]}") from None
        return self.ended()

    def run(self, *args, timeout=PATIENCE_S, **more):
        """Runs a process that ends by itself."""
        self.launch(*args, **more)
        return self.wait(timeout)

    def stop(self):
        """An orderly end through RPC: exit code 0 and nothing on standard error."""
        self.rpc.stop()
        ended = self.wait()
        equal(ended.code, 0, f"exit code of an ordered stop ({ended})")
        equal(ended.err, "", "standard error of an ordered stop")
        return ended

    def kill(self, sig=signal.SIGKILL):
        if self.process is None:
            return None
        self.process.send_signal(sig)
        return self.wait()

    def log(self):
        path = self.chain_dir / "debug.log"
        return path.read_text(errors="replace") if path.is_file() else ""

    def new_log(self):
        """What the last process wrote."""
        return self.log()[self.log_start:]

    def wait_log(self, text, timeout=PATIENCE_S):
        wait_until(lambda: text in self.new_log(), f"{text!r} in the log", timeout, step=0.01)

    def import_blocks(self, *files, args=(), code=0, **more):
        """One run that imports FILES and ends."""
        ended = self.run("-stopafterblockimport", *[f"-loadblock={f}" for f in files], *args, **more)
        equal(ended.code, code, f"exit code of an import ({ended}; log: {self.log()[-800:]})")
        return ended

    def cli(self, *words, stdin="", timeout=PATIENCE_S):
        return run_program(CLI, f"-datadir={self.datadir}", f"-chain={self.chain}", f"-rpcport={self.rpc_port}", *words,
                           stdin=stdin, timeout=timeout)


# ---- cases ----

def scratch():
    """Where the folders of cases go: TMPDIR if it is set; memory where there is enough of it; the system's place."""
    if os.environ.get("TMPDIR") or not os.access(SHARED_MEMORY, os.W_OK):
        return None
    return SHARED_MEMORY if shutil.disk_usage(SHARED_MEMORY).free > 1 << 30 else None


class Test:
    def __init__(self, name):
        self.name = name
        self.dir = Path(tempfile.mkdtemp(prefix="cairn-test-", dir=scratch()))
        self.nodes = []

    def node(self, chain="regtest", args=(), name=None):
        node = Node(self.dir / (name or f"node{len(self.nodes)}"), chain, args)
        self.nodes.append(node)
        return node

    def close(self):
        for node in self.nodes:
            if node.process is not None and node.process.poll() is None:
                node.process.kill()
                node.process.wait()
        if os.environ.get("CAIRN_TEST_KEEP"):
            print(f"    kept {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


CASES = []


def case(function):
    CASES.append(function)
    return function


def run_cases():
    chosen = [a for a in sys.argv[1:] if not a.startswith("-")]
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    check(CAIRND.exists(), f"no cairnd in {BIN}; CAIRN_BIN_DIR names the folder of the programs")
    for function in CASES:
        name = function.__name__
        if chosen and name not in chosen:
            continue
        test, start, outcome, text = Test(name), time.monotonic(), "passed", ""
        try:
            function(test)
        except Skip as e:
            outcome, text = "skipped", f" ({e})"
        except Exception as e:  # whatever goes wrong in a case is its failure, and the next one runs
            outcome = "failed"
            text = f": {e}" if isinstance(e, Failure) else "\n" + traceback.format_exc()
        test.close()
        counts[outcome] += 1
        print(f"{outcome} {name} {time.monotonic() - start:.1f} s{text}", flush=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped", flush=True)
    sys.exit(1 if counts["failed"] else 0)


# ---- data ----

def data_file(*parts):
    path = DATA.joinpath(*parts)
    if not path.exists():
        raise Skip(f"no test data at {path}")
    return path


def data_json(*parts):
    return json.loads(data_file(*parts).read_text(), parse_float=Decimal)


def regtest_chain(folder):
    """The synthetic regtest chain, unpacked into FOLDER."""
    packed = data_file("chains", "regtest-mixed-220.dat.zst")
    if not shutil.which("zstd"):
        raise Skip("no zstd program to unpack the regtest chain")
    out = Path(folder) / "regtest-mixed-220.dat"
    with open(out, "wb") as file:
        subprocess.run(["zstd", "-dcq", str(packed)], stdout=file, check=True)
    return out


def records(path):
    """The raw blocks of a file in blk framing, and its magic."""
    raw, at, blocks = Path(path).read_bytes(), 0, []
    while at < len(raw):
        size = int.from_bytes(raw[at + 4:at + 8], "little")
        blocks.append(raw[at + 8:at + 8 + size])
        at += 8 + size
    return blocks, raw[:4]


def framed(blocks, magic):
    return b"".join(magic + len(b).to_bytes(4, "little") + b for b in blocks)


def sats(amount):
    """An amount of the RPC interface (a Decimal in BTC) in satoshis."""
    return int((Decimal(amount) * 100_000_000).to_integral_exact())
