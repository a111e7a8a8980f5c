"""cairn-cli: options, standard input, exit codes, and exactly what it prints where."""
import time
from decimal import Decimal

from framework import CAIRND, CLI, case, check, contains, equal, free_port, run_cases, run_program


def prints(ended, out, what):
    """Exit code 0, OUT and a newline on standard output, nothing on standard error."""
    equal((ended.code, ended.out, ended.err), (0, out + "\n", ""), what)


def fails(ended, code, err, what):
    """Nothing on standard output, ERR on standard error."""
    equal((ended.code, ended.out), (code, ""), f"{what} ({ended})")
    contains(ended.err, err, what)


@case
def results(t):
    node = t.node().start()
    prints(node.cli("getblockcount"), "0", "a number")
    prints(node.cli("getbestblockhash"), "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206", "a string")
    prints(node.cli("echo", "a", "b c", 'quo"te'), '[\n  "a",\n  "b c",\n  "quo\\"te"\n]', "an array")
    prints(node.cli("echojson", '{"b": 1, "a": {"x": []}}', "[]", "{}"),
           '[\n  {\n    "b": 1,\n    "a": {\n      "x": [\n      ]\n    }\n  },\n  [\n  ],\n  {\n  }\n]', "nested values")
    equal(node.cli("syncwithvalidationinterfacequeue").__dict__, {"code": 0, "out": "", "err": ""}, "null prints nothing")
    equal(node.cli("gettxout", "00" * 32, "0").__dict__, {"code": 0, "out": "", "err": ""}, "a coin that is not there")
    help_text = node.cli("help")
    check(help_text.code == 0 and "== Blockchain ==" in help_text.out and "getblockcount" in help_text.out, "help")
    contains(node.cli("help", "getblockcount").out, "getblockcount", "help of a command")
    node.stop()


@case
def amounts_are_exact(t):
    node = t.node().start()
    to = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
    equal(node.cli("generatetoaddress", "2", to).code, 0, "generatetoaddress")
    block = node.cli("getblock", node.rpc.getblockhash(1), "2")
    contains(block.out, '"value": 50.00000000,', "an amount")
    contains(node.cli("gettxoutsetinfo").out, '"total_amount": 100.00000000,', "a sum")
    # What the node wrote is what is printed: nothing is rounded on the way.
    equal(node.cli("echojson", "9007199254740993").out, "[\n  9007199254740993\n]\n", "a number beyond a double's precision")
    equal(Decimal(node.rpc.getblock(node.rpc.getblockhash(1), 2)["tx"][0]["vout"][0]["value"]), Decimal(50), "over RPC")
    node.stop()


@case
def errors_and_exit_codes(t):
    node = t.node().start()
    fails(node.cli("nosuchmethod"), 89, "error code: -32601\nerror message:\nMethod not found", "unknown method")
    fails(node.cli("getblockhash", "5"), 8, "error code: -8\nerror message:\nBlock height out of range", "out of range")
    fails(node.cli("getblockhash"), 1, "error code: -1\nerror message:\n", "too few arguments")
    fails(node.cli("getblockhash", "x"), 1, "error: Error parsing JSON: x", "no JSON")
    fails(node.cli("getblock", "00" * 32), 5, "Block not found", "no such block")
    fails(node.cli(), 1, "error: too few parameters (need at least command)", "no command")
    fails(node.cli("-nosuchoption", "uptime"), 1, "Error parsing command line arguments: Invalid parameter -nosuchoption",
          "unknown option")
    fails(node.cli("-rpcport=0", "uptime"), 1, "Invalid port provided in -rpcport: 0", "port 0")
    fails(node.cli("-rpcuser=a", "-rpcpassword=b", "uptime"), 1, "Authorization failed: Incorrect rpcuser or rpcpassword",
          "wrong password")
    node.stop()
    fails(node.cli("uptime"), 1, f"127.0.0.1:{node.rpc_port} (Could not connect to the server)", "no server")
    fails(run_program(CLI, f"-datadir={t.dir / 'absent'}", "uptime"), 1, f'Specified data directory "{t.dir / "absent"}"',
          "no folder")
    for word in ("-version", "-help"):
        ended = run_program(CLI, word)
        check(ended.code == 0 and ended.out and not ended.err, f"{word}: {ended}")


@case
def named_arguments(t):
    node = t.node().start()
    genesis = node.rpc.getbestblockhash()
    prints(node.cli("-named", "getblockhash", "height=0"), genesis, "a name")
    raw = node.rpc.getblock(genesis, 0)
    prints(node.cli("-named", "getblock", f"blockhash={genesis}", "verbosity=0"), raw, "two names")
    prints(node.cli("-named", "getblock", genesis, "verbosity=0"), raw, "a position and a name")
    prints(node.cli("-named", "echo", "arg0=x=y", "arg2=z"), '[\n  "x=y",\n  null,\n  "z"\n]', "a value with =, and a hole")
    fails(node.cli("-named", "getblockhash", "nosuch=0"), 8, "Unknown named parameter nosuch", "unknown name")
    fails(node.cli("-named", "getblock", genesis, f"blockhash={genesis}"), 8, "specified twice", "twice")
    node.stop()


@case
def standard_input(t):
    node = t.node(args=["-rpcuser=ann", "-rpcpassword=se cret"])
    node.connect = lambda: node.cli("-rpcuser=ann", "-rpcpassword=se cret", "uptime").code == 0
    node.start()
    user = ["-rpcuser=ann", "-rpcpassword=se cret"]
    prints(node.cli(*user, "-stdin", "echo", stdin="one\ntwo words\n"), '[\n  "one",\n  "two words"\n]', "parameters")
    prints(node.cli(*user, "-stdin", stdin="echo\nx"), '[\n  "x"\n]', "the command too, and no last newline")
    prints(node.cli(*user, "-stdin", "-named", "echo", stdin="arg0=n\n"), '[\n  "n"\n]', "named")
    prints(node.cli("-rpcuser=ann", "-stdinrpcpass", "echo", "p", stdin="se cret\n"), '[\n  "p"\n]', "the password")
    prints(node.cli("-rpcuser=ann", "-stdinrpcpass", "-stdin", "echo", stdin="se cret\nq\n"), '[\n  "q"\n]', "both")
    fails(node.cli("-rpcuser=ann", "-stdinrpcpass", "echo", stdin="wrong\n"), 1, "Authorization failed", "a wrong one")
    fails(node.cli("-rpcuser=ann", "-stdinrpcpass", "echo"), 1,
          "-stdinrpcpass specified but failed to read from standard input", "none")
    large = "x" * 3_000_000
    prints(node.cli(*user, "-stdin", "echo", stdin=large), f'[\n  "{large}"\n]', "3 MB")
    equal(node.cli(*user, "stop").out, "cairn stopping\n", "stop")
    node.wait()


@case
def waiting_for_the_server(t):
    node = t.node()
    start = time.monotonic()
    fails(node.cli("-rpcwait", "-rpcwaittimeout=2", "uptime"), 1, "timeout on transient error: ", "nobody there")
    check(1.5 < time.monotonic() - start < 20, "-rpcwaittimeout is not kept")
    node.launch()
    ended = node.cli("-rpcwait", "getblockcount")
    prints(ended, "0", "-rpcwait")
    node.connect()
    node.stop()


@case
def silence(t):
    """Programs read standard output: nothing else may stand there, and a success is silent on standard error."""
    node = t.node().start()
    for words in (["getblockchaininfo"], ["getrpcinfo"], ["getnetworkinfo"], ["gettxoutsetinfo"], ["help", "stop"],
                  ["-rpcclienttimeout=5", "uptime"], ["-rpcconnect=127.0.0.1", "uptime"], ["-rpcconnect=localhost", "uptime"],
                  ["-rpcid=abc", "uptime"], ["-color=always", "uptime"]):
        ended = node.cli(*words)
        equal((ended.code, ended.err), (0, ""), f"{words}")
    node.stop()


@case
def overview(t):
    node = t.node().start()
    ended = node.cli("-getinfo")
    equal((ended.code, ended.err), (0, ""), "-getinfo")
    for line in ("Chain: regtest", "Blocks: 0", "Headers: 0", "Verification progress: ", "Difficulty: ", "Network: in 0, out 0",
                 "Version: ", "Proxies: n/a", "Warnings: "):
        contains(ended.out, line, "-getinfo")
    check("\x1b" not in ended.out, "colours where standard output is no terminal")
    contains(node.cli("-getinfo", "-color=always").out, "\x1b[34mChain", "colours where they were asked for")
    fails(node.cli("-getinfo", "-color=sometimes"), 1, "Invalid value for -color option", "a wrong colour")
    fails(node.cli("-getinfo", "word"), 1, "-getinfo takes no arguments", "an argument")
    node.stop()


@case
def configuration(t):
    """The client reads the node's bitcoin.conf: port, user and password in it are enough."""
    node, port = t.node(), free_port()
    (node.datadir / "bitcoin.conf").write_text(f"regtest=1\n[regtest]\nrpcport={port}\nrpcuser=u\nrpcpassword=p\n")
    node.command = lambda *args: [CAIRND, f"-datadir={node.datadir}", "-printtoconsole=0", *args]
    node.launch()
    ended = run_program(CLI, f"-datadir={node.datadir}", "-rpcwait", "-rpcwaittimeout=60", "getblockcount")
    prints(ended, "0", "with the file alone")
    contains(run_program(CLI, f"-datadir={node.datadir}", f"-conf={t.dir / 'broken.conf'}", "uptime").err,
             "could not be opened", "a file that is not there")
    prints(run_program(CLI, f"-datadir={node.datadir}", "-rpcwait", "stop"), "cairn stopping", "stop")
    equal(node.wait().code, 0, "exit code")


@case
def servers_that_answer_nonsense(t):
    """Whatever is at the other end: an error and exit code 1, never a crash or a hang."""
    import socket
    import threading
    answers = {
        b"": "",
        b"garbage\r\n\r\n": "",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n": "no response from server",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"a\":": "couldn't parse reply from server",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}": "expected reply to have result, error and id properties",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100000: "couldn't parse reply from server",
        b"HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n": "server returned HTTP error 418",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy": "Server response: busy",
    }
    for answer, message in answers.items():
        with socket.create_server(("127.0.0.1", 0)) as server:
            def serve():
                peer, _ = server.accept()
                with peer:
                    peer.recv(65536)
                    peer.sendall(answer)
            thread = threading.Thread(target=serve)
            thread.start()
            ended = run_program(CLI, f"-datadir={t.dir}", "-regtest", f"-rpcport={server.getsockname()[1]}",
                                "-rpcuser=u", "-rpcpassword=p", "-rpcclienttimeout=10", "uptime", timeout=60)
            thread.join()
            fails(ended, 1, message, f"answer {answer[:40]}")


run_cases()
