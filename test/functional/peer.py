"""A stranger for the node under test: plain messages of version 1 over a socket, on regtest."""
import hashlib
import os
import socket
import struct
import time

from framework import check

MAGIC = bytes.fromhex("fabfb5da")


class Peer:
    """A stranger: plain messages of version 1 over a socket."""

    def __init__(self, port, greet=True):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.rest = b""
        if greet:
            self.greet()

    def send(self, name, payload=b"", magic=MAGIC):
        self.socket.sendall(message(name, payload, magic))

    def receive(self):
        """(name, payload) of the next message, or None at the end of the connection."""
        while True:
            if len(self.rest) >= 24:
                length = struct.unpack("<I", self.rest[16:20])[0]
                if len(self.rest) >= 24 + length:
                    name, payload = self.rest[4:16].rstrip(b"\0").decode(), self.rest[24:24 + length]
                    self.rest = self.rest[24 + length:]
                    return name, payload
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return None
            if not more:
                return None
            self.rest += more

    def expect(self, name):
        while True:
            got = self.receive()
            check(got is not None, f"the node hung up before {name}")
            if got[0] == name:
                return got[1]

    def send_version(self):
        address = struct.pack("<Q16sH", 0, b"\0" * 10 + b"\xff\xff\x7f\0\0\1", 0)
        self.send("version", struct.pack("<iQq", 70016, 0, int(time.time())) + address + address
                  + struct.pack("<Q", int.from_bytes(os.urandom(8), "little")) + b"\x06/flood" + struct.pack("<i?", 0, True))

    def greet(self):
        self.send_version()
        self.expect("verack")
        self.send("verack")

    def ping(self):
        nonce = os.urandom(8)
        self.send("ping", nonce)
        while self.expect("pong") != nonce:
            pass

    def wait_end(self):
        while self.receive() is not None:
            pass

    def close(self):
        self.socket.close()


def message(name, payload=b"", magic=MAGIC):
    check_sum = hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    return magic + name.encode().ljust(12, b"\0") + struct.pack("<I", len(payload)) + check_sum + payload
