"""A TCP server on loopback that misbehaves in one named way, and counts its connections."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HEAD = b"HTTP/1.1 200 OK\r\n"


class Misbehaving:
    """`behave` is called with each connection. `opened` counts the connections, and `asked` keeps the first bytes of
    each.
    """

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self.behave = behave
        self.opened = 0
        self.asked: list[bytes] = []
        self.ends = threading.Event()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.opened += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self.behave(connection)


@contextmanager
def misbehaving(behave: Callable[[socket.socket], None]) -> Iterator[Misbehaving]:
    server = Misbehaving(behave)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            server.server.shutdown(socket.SHUT_RDWR)
        server.server.close()
        thread.join(5)


def _drip(connection: socket.socket, begin: bytes, byte: bytes) -> None:
    connection.sendall(begin)
    for _ in range(2000):
        connection.sendall(byte)
        time.sleep(0.02)


def _flood(connection: socket.socket, begin: bytes, block: bytes) -> None:
    connection.sendall(begin)
    for _ in range(2000):
        connection.sendall(block)


def _answer(text: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(text)

    return behave


def never(connection: socket.socket) -> None:
    """The server accepts the connection and sends nothing."""
    connection.recv(65_536)
    time.sleep(30)


def _greets_and_stops(connection: socket.socket) -> None:
    connection.sendall(b"220 hello\r\n")
    time.sleep(30)


def hangs_up(connection: socket.socket) -> None:
    connection.recv(10)


HTTP: dict[str, Callable[[socket.socket], None]] = {
    "never answers": never,
    "hangs up": hangs_up,
    "drips its headers": lambda c: _drip(c, HEAD, b"X: y\r\n"),
    "drips one endless header": lambda c: _drip(c, HEAD + b"X: ", b"y"),
    "drips its body": lambda c: _drip(c, HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
    "sends chunks for ever": lambda c: _drip(c, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "says nothing that is HTTP": _answer(b"\x00\xff\x00 nonsense\r\n\r\n"),
    "a hundred headers of 60,000 bytes": lambda c: _flood(c, HEAD, b"X: " + b"y" * 60_000 + b"\r\n"),
}
SMTP: dict[str, Callable[[socket.socket], None]] = {
    "never greets": lambda c: time.sleep(30),
    "hangs up": lambda c: None,
    "drips its greeting": lambda c: _drip(c, b"220 ", b"x"),
    "greets for ever": lambda c: _drip(c, b"", b"220-x\r\n"),
    "greets with a gigabyte": lambda c: _flood(c, b"", b"220-" + b"x" * 500 + b"\r\n"),
    "says nothing that is SMTP": _answer(b"\x00\xff nonsense\r\n"),
    "goes silent after its greeting": _greets_and_stops,
}
