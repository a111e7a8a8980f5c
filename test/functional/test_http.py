"""The RPC server as hostile, slow and old-fashioned clients meet it: raw sockets, statuses, versions, limits."""
import base64
import hashlib
import hmac
import json
import socket
import threading
import time

from framework import case, check, contains, equal, run_cases, wait_until

MIB = 1 << 20


class Peer:
    """One TCP connection to a node's RPC port. Replies are read one by one, as keep-alive clients do."""

    def __init__(self, node, timeout=30):
        self.node = node
        self.socket = socket.create_connection(("127.0.0.1", node.rpc_port), timeout)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, body, method="POST", path="/", auth=True, headers=(), version="1.1"):
        """The bytes of a request."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/{version}", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *headers]
        if auth is True:
            auth = (self.node.chain_dir / ".cookie").read_text()
        if auth:
            lines.append("Authorization: Basic " + base64.b64encode(auth.encode()).decode())
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def ask(self, body, **more):
        self.send(self.request(body, **more))
        return self.reply(more.get("method") != "HEAD")

    def fill(self):
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        self.rest += got
        return bool(got)

    def reply(self, has_body=True):
        """(status, headers, body) of the next reply; status None where the server closed the connection instead."""
        while b"\r\n\r\n" not in self.rest:
            if not self.fill():
                return None, {}, b""
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        headers = dict((k.lower(), v) for k, v in (line.split(": ", 1) for line in lines))
        status = int(first.split()[1])
        length = headers.get("content-length") if has_body and status != 204 else 0
        while length is not None and len(self.rest) < int(length) or length is None and self.fill():
            check(length is None or self.fill(), "the connection ended within a reply")
        size = len(self.rest) if length is None else int(length)
        body, self.rest = self.rest[:size], self.rest[size:]
        return status, headers, body

    def is_closed(self):
        """The server closes, within the socket's timeout."""
        try:
            while self.fill():
                pass
        except TimeoutError:
            return False
        return True


def call(method, params=(), **more):
    return {"method": method, "params": list(params), "id": 1, **more}


def ask(node, body, **more):
    with Peer(node) as peer:
        return peer.ask(body, **more)


def still_serves(node):
    status, _, body = ask(node, call("echo", ["alive"]))
    equal((status, json.loads(body)["result"]), (200, ["alive"]), "the server after that")


@case
def passwords(t):
    node = t.node().start()
    for auth in ("__cookie__:wrong", "nobody:" + "0" * 64, ":", "no-colon", "__cookie__:" + "x" * 4000):
        start = time.monotonic()
        status, headers, body = ask(node, call("uptime"), auth=auth)
        equal((status, body), (401, b""), f"wrong password {auth[:20]}")
        equal(headers.get("www-authenticate"), 'Basic realm="jsonrpc"', "challenge")
        check(time.monotonic() - start >= 0.2, "a wrong password is answered at once, so that many can be tried")
    status, headers, _ = ask(node, call("uptime"), auth=None)
    equal((status, headers.get("www-authenticate")), (401, 'Basic realm="jsonrpc"'), "no password")
    for header in ("Authorization: Basic", "Authorization: Basic !!!!", "Authorization: Bearer x", "Authorization: "):
        equal(ask(node, call("uptime"), auth=None, headers=[header])[0], 401, header)
    contains(node.log(), "ThreadRPCServer incorrect password attempt from 127.0.0.1:", "log")
    still_serves(node)
    node.stop()


@case
def rpcauth_and_whitelist(t):
    # rpcauth: user "reader", password "cGFzcw", salt "aa"
    digest = hmac.new(b"aa", b"cGFzcw", hashlib.sha256).hexdigest()
    node = t.node(args=[f"-rpcauth=reader:aa${digest}", "-rpcwhitelist=reader:uptime,echo", "-rpcwhitelistdefault=0"])
    node.start()
    equal(ask(node, call("uptime"), auth="reader:cGFzcw")[0], 200, "a method on the list")
    equal(ask(node, call("stop"), auth="reader:cGFzcw")[0], 403, "a method that is not")
    equal(ask(node, [call("uptime"), call("stop")], auth="reader:cGFzcw")[0], 403, "a batch with one that is not")
    equal(ask(node, call("uptime"), auth="reader:other")[0], 401, "that user's wrong password")
    still_serves(node)
    node.stop()


@case
def methods_and_paths(t):
    node = t.node().start()
    for method in ("GET", "PUT", "HEAD"):
        status, _, body = ask(node, b"", method=method)
        equal(status, 405, method)
        check(method == "HEAD" or body == b"JSONRPC server handles only POST requests", f"{method}: {body}")
    for method in ("OPTIONS", "DELETE", "PATCH", "TRACE", "NONSENSE"):
        status = ask(node, b"", method=method)[0]
        check(status in (400, 405, 501), f"{method}: {status}")
    equal(ask(node, call("uptime"), path="/nowhere")[0], 404, "unknown path")
    equal(ask(node, call("uptime"), path="/rest/chaininfo.json", method="GET")[0], 404, "REST without -rest")
    still_serves(node)
    node.stop()


@case
def statuses_of_version_1(t):
    node = t.node().start()
    rows = [
        (call("uptime"), 200, None),
        (call("uptime", jsonrpc="1.0"), 200, None),
        (call("uptime", version="1.1"), 200, None),
        (call("nosuchmethod"), 404, -32601),
        (call("echo", jsonrpc="1.1"), 400, -32600),
        (call("echo", jsonrpc=2), 400, -32600),
        (call("uptime", [1, 2, 3]), 500, -1),
        ({"params": [], "id": 1}, 400, -32600),
        ({"method": 5, "id": 1}, 400, -32600),
        ({"method": "uptime", "params": "x", "id": 1}, 400, -32600),
        (b"", 500, -32700),
        (b"{", 500, -32700),
        (b"{\"method\":\"uptime\"} x", 500, -32700),
        (b"7", 500, -32700),
        (b"\xff\xfe", 500, -32700),
        (b"\0" * 100, 500, -32700),
    ]
    for body, want, code in rows:
        status, headers, reply = ask(node, body)
        equal((status, headers.get("content-type")), (want, "application/json"), f"status of {str(body)[:60]}")
        reply = json.loads(reply)
        equal(set(reply), {"result", "error", "id"}, f"fields of the reply to {str(body)[:60]}")
        equal(reply["error"] and reply["error"]["code"], code, f"error code of {str(body)[:60]}")
    node.stop()


@case
def statuses_of_version_2(t):
    node = t.node().start()
    rows = [
        (call("uptime", jsonrpc="2.0"), 200, None),
        (call("nosuchmethod", jsonrpc="2.0"), 200, -32601),
        (call("uptime", [1, 2, 3], jsonrpc="2.0"), 200, -1),
        ({"jsonrpc": "2.0", "method": "uptime", "params": "x", "id": 1}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1}, 400, -32600),
    ]
    for body, want, code in rows:
        status, _, reply = ask(node, body)
        equal(status, want, f"status of {body}")
        reply = json.loads(reply)
        equal(set(reply), {"jsonrpc", "id", "error" if code else "result"}, f"fields of the reply to {body}")
        equal(reply.get("error", {}).get("code"), code, f"error code of {body}")
    for ident in (None, "text", 7, -1, 10**18):
        reply = json.loads(ask(node, call("uptime", jsonrpc="2.0") | {"id": ident})[2])
        equal(reply["id"], ident, "the id comes back")
    node.stop()


@case
def notifications(t):
    node = t.node().start()
    for body in ({"jsonrpc": "2.0", "method": "uptime"}, {"jsonrpc": "2.0", "method": "nosuchmethod"},
                 [{"jsonrpc": "2.0", "method": "uptime"}, {"jsonrpc": "2.0", "method": "echo", "params": [1]}]):
        status, _, reply = ask(node, body)
        equal((status, reply), (204, b""), f"reply to the notification {body}")
    status, _, reply = ask(node, {"method": "uptime"})  # version 1 knows no notifications
    equal((status, json.loads(reply)["error"]), (200, None), "version 1 without id")
    node.stop()


@case
def batches(t):
    node = t.node().start()
    equal(ask(node, [])[0::2], (200, b"[]\n"), "empty batch")
    batch = [call("echo", ["a"]), {"jsonrpc": "2.0", "method": "echo", "params": ["quiet"]}, 17,
             call("nosuchmethod", jsonrpc="2.0"), {"jsonrpc": "2.0", "method": "echo", "params": {"arg0": "b"}, "id": "n"}]
    status, _, body = ask(node, batch)
    replies = json.loads(body)
    equal((status, len(replies)), (200, 4), "batch")
    equal(replies[0], {"result": ["a"], "error": None, "id": 1}, "first")
    equal(replies[1]["error"]["code"], -32600, "no object")
    equal(replies[2]["error"]["code"], -32601, "no method")
    equal(replies[3], {"jsonrpc": "2.0", "result": ["b"], "id": "n"}, "last")
    status, _, body = ask(node, [call("echo", [i]) | {"id": i} for i in range(5000)])
    equal([(r["id"], r["result"]) for r in json.loads(body)], [(i, [i]) for i in range(5000)], "a batch of 5,000")
    node.stop()


@case
def large_and_deep_bodies(t):
    node = t.node().start()
    status, _, body = ask(node, b"[" * 100_000)
    equal((status, json.loads(body)["error"]["code"]), (500, -32700), "100,000 nested arrays")
    status, _, body = ask(node, b'{"a":' * 100_000)
    equal((status, json.loads(body)["error"]["code"]), (500, -32700), "100,000 nested objects")
    text = "x" * (30 * MIB)
    status, _, body = ask(node, call("echo", [text]))
    check(status == 200 and json.loads(body)["result"] == [text], f"a body of 30 MiB: {status}")
    with Peer(node) as peer:
        head = peer.request(b"").replace(b"Content-Length: 0", b"Content-Length: %d" % (40 * MIB))
        try:
            peer.send(head)
            for _ in range(40):
                peer.send(b" " * MIB)
            status = peer.reply()[0]
        except (ConnectionResetError, BrokenPipeError):
            status = None
        check(status in (None, 400, 413), f"a body of 40 MiB: {status}")
    for length in ("-1", "99999999999999999999", "1e3", "0x10", ""):
        with Peer(node, 5) as peer:
            peer.send(peer.request(b"").replace(b"Content-Length: 0", b"Content-Length: " + length.encode()))
            try:
                status = peer.reply()[0]
            except TimeoutError:
                status = None
            check(status != 200, f"Content-Length {length!r} was served")
    still_serves(node)
    node.stop()


@case
def chunked_bodies(t):
    node = t.node().start()
    body = json.dumps(call("echo", ["chunks"])).encode()
    with Peer(node) as peer:
        head = peer.request(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]) for i in range(0, len(body), 7))
        peer.send(head + chunks + b"0\r\n\r\n")
        status, _, reply = peer.reply()
        equal((status, json.loads(reply)["result"]), (200, ["chunks"]), "a body in chunks")
    for size in (b"ffffffffffffffff", b"-5", b"zz", b"7fffffff"):
        with Peer(node, 3) as peer:
            head = peer.request(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
            peer.send(head + size + b"\r\nxx")
            try:
                check(peer.reply()[0] != 200, f"chunk of size {size}")
            except TimeoutError:
                pass
    still_serves(node)
    node.stop()


@case
def header_floods(t):
    node = t.node().start()
    floods = [["X-Long: " + "a" * 9000], [f"X-{i}: {i}" for i in range(3000)], ["a" * 20000]]
    for headers in floods:
        with Peer(node) as peer:
            try:
                peer.send(peer.request(call("uptime"), headers=headers))
                status = peer.reply()[0]
            except (ConnectionResetError, BrokenPipeError):
                status = None
            check(status in (None, 400, 413, 431), f"headers {headers[0][:20]}...: {status}")
    with Peer(node, 20) as peer:  # headers without an end
        try:
            for _ in range(2000):
                peer.send(b"X-More: " + b"y" * 1000 + b"\r\n")
            check(peer.is_closed(), "headers without an end are read for ever")
        except (ConnectionResetError, BrokenPipeError):
            pass
    for line in (b"\r\n\r\n", b"POST\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
                 b"POST http:///// HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nHost\r\n\r\n"):
        with Peer(node, 3) as peer:
            peer.send(line)
            try:
                check(peer.reply()[0] != 200, f"{line} was served")
            except TimeoutError:
                pass
    still_serves(node)
    node.stop()


@case
def slow_clients_hold_nobody_up(t):
    node = t.node(args=["-rpcservertimeout=3"]).start()
    slow = [Peer(node) for _ in range(50)]
    request = slow[0].request(call("echo", ["slow"]))
    for i, peer in enumerate(slow):
        peer.send(request[:i + 1])
    end, longest, at = time.monotonic() + 2, 0, 1
    while time.monotonic() < end:
        start = time.monotonic()
        still_serves(node)
        longest = max(longest, time.monotonic() - start)
        slow[0].send(request[at:at + 1])  # this one is not silent, only slow
        at += 1
        time.sleep(0.1)
    check(longest < 1.5, f"others waited {longest:.1f} s")
    for peer in slow[1:]:
        check(peer.is_closed(), "a silent client is never dropped")
    for peer in slow:
        peer.socket.close()
    still_serves(node)
    node.stop()


@case
def a_byte_at_a_time(t):
    node = t.node().start()
    with Peer(node) as peer:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in peer.request(call("echo", ["drops"])):
            peer.send(bytes([byte]))
        status, _, body = peer.reply()
        equal((status, json.loads(body)["result"]), (200, ["drops"]), "a request in single bytes")
    node.stop()


@case
def keep_alive_and_pipelining(t):
    node = t.node().start()
    with Peer(node) as peer:
        for i in range(200):
            equal(json.loads(peer.ask(call("echo", [i]))[2])["result"], [i], "one connection, many requests")
        peer.send(b"".join(peer.request(call("echo", [i])) for i in range(50)))
        for i in range(50):
            equal(json.loads(peer.reply()[2])["result"], [i], "requests sent without waiting are answered in order")
    with Peer(node) as peer:
        equal(peer.ask(call("uptime"), headers=["Connection: close"])[0], 200, "reply before a close")
        check(peer.is_closed(), "Connection: close is not obeyed")
    with Peer(node) as peer:
        equal(peer.ask(call("uptime"), version="1.0")[0], 200, "HTTP/1.0")
        check(peer.is_closed(), "HTTP/1.0 without keep-alive stays open")
    node.stop()


@case
def clients_that_leave(t):
    node = t.node().start()
    big = call("echo", ["x" * MIB])
    for i in range(60):
        with Peer(node) as peer:
            request = peer.request(big)
            peer.send(request if i % 2 else request[:len(request) // 2])
            if i % 3 == 0:  # reset instead of an orderly end
                peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    still_serves(node)
    node.stop()


@case
def many_connections(t):
    node = t.node().start()
    peers = [Peer(node) for _ in range(300)]
    for i, peer in enumerate(peers):
        peer.send(peer.request(call("echo", [i])))
    refused = 0
    for i, peer in enumerate(peers):
        status, _, body = peer.reply()
        refused += status == 503  # the queue has its limit
        check(status == 503 or json.loads(body)["result"] == [i], f"reply {i}: {status}")
        peer.socket.close()
    check(refused < len(peers), "nobody was served")
    still_serves(node)
    node.stop()


@case
def the_work_queue_has_an_end(t):
    node = t.node(args=["-rpcthreads=1", "-rpcworkqueue=2"]).start()
    waiting = [Peer(node, 60) for _ in range(3)]
    for peer in waiting:
        peer.send(peer.request(call("waitforblockheight", [1000, 4000])))
    with Peer(node) as peer:
        def is_refused():
            status, _, body = peer.ask(call("uptime"))
            return status == 503 and body
        equal(wait_until(is_refused, "the queue is full", 3), b"Work queue depth exceeded", "refusal")
    for peer in waiting:
        equal(peer.reply()[0], 200, "those in the queue are answered")
        peer.socket.close()
    still_serves(node)
    node.stop()


@case
def stop_answers_those_who_wait(t):
    node = t.node().start()
    outcome = []

    def wait_for_block():
        with Peer(node, 60) as peer:
            outcome.append(peer.ask(call("waitforblockheight", [1000, 60000]))[0])
    thread = threading.Thread(target=wait_for_block)
    thread.start()
    wait_until(lambda: len(node.rpc.getrpcinfo()["active_commands"]) == 2, "the call is under way")
    start = time.monotonic()
    node.stop()
    thread.join()
    check(time.monotonic() - start < 20, "stopping took long")
    check(outcome[0] in (200, 500, 503), f"status {outcome[0]}")


@case
def allowed_addresses(t):
    node = t.node(args=["-rpcallowip=10.1.2.3", "-rpcbind=127.0.0.1"]).start()
    equal(ask(node, call("uptime"))[0], 200, "this machine is always allowed")
    node.stop()
    node.args = ["-rpcallowip=nonsense"]
    ended = node.run()
    equal(ended.code, 1, "a subnet that is none")
    contains(ended.err, "Invalid -rpcallowip subnet specification: nonsense.", "error")


run_cases()
