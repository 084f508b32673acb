"""Sets one moment at which a whole call to a service ends, however slowly the service answers.

A socket's own timeout begins anew with every byte, so a service that sends one byte a second could hold up a sender for
ever. Here a timer shuts the socket down, so that every call that waits for the socket returns.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ops_project.process.time_limit import NotAnswered, within


class DeadlinePassed(TimeoutError):
    """The time for the whole call is over."""


class Deadline:
    """The moment at which one call must have ended, `seconds` after this object was made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        self._until = time.monotonic() + seconds

    def remaining(self) -> float:
        """The seconds that are left. Raises DeadlinePassed if there are none."""
        left = self._until - time.monotonic()
        if self.passed or left <= 0:
            raise self.error()
        return left

    def error(self) -> DeadlinePassed:
        return DeadlinePassed(f"no complete answer within {self.seconds:g} s")

    def connect(self, host: str, port: int) -> socket.socket:
        """Connect a socket. The look-up of the name and all attempts must end by the deadline. Raises OSError."""
        last: OSError | None = None
        for family, kind, protocol, _, address in self._addresses(host, port):
            candidate = socket.socket(family, kind, protocol)
            try:
                candidate.settimeout(self.remaining())
                candidate.connect(address)
                return candidate
            except OSError as error:
                candidate.close()
                last = error
                if isinstance(error, DeadlinePassed):
                    break
        raise last or OSError(f"{host} has no address")

    def _addresses(self, host: str, port: int) -> list[Any]:
        """Look up the addresses of a host. The look-up has no timeout of its own, so it runs in a thread, and the
        caller does not wait for the thread after the deadline.
        """
        try:
            return within(
                f"the look-up of {host}",
                lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM),
                self.remaining(),
            )
        except NotAnswered:
            raise self.error() from None
        except UnicodeError as error:  # A part of the host name is empty or too long.
            raise OSError(f"{host!r} is not a host name: {error}") from None

    @contextmanager
    def ends(self, connected: socket.socket) -> Iterator[None]:
        """Within this context the socket `connected` is shut down at the deadline, and every call that waits for it
        returns.
        """

        def shut() -> None:
            self.passed = True
            with suppress(OSError):  # The socket is already closed.
                connected.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(max(self._until - time.monotonic(), 0.0), shut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
