"""Sets a deadline for a whole call to a service, however slowly the service answers.

The timeout of a socket starts again with every byte. So a service that sends one byte a second could block a sender for
ever. Here, a timer shuts the socket down at the deadline, and every call that waits for the socket returns.
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
    """The deadline of the whole call has passed."""


class Deadline:
    """The deadline of one call: `seconds` after this object was created."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        self._until = time.monotonic() + seconds

    def remaining(self) -> float:
        """The number of seconds until the deadline. Raises DeadlinePassed if there are none."""
        left = self._until - time.monotonic()
        if self.passed or left <= 0:
            raise self.error()
        return left

    def error(self) -> DeadlinePassed:
        return DeadlinePassed(f"no complete answer within {self.seconds:g} s")

    def connect(self, host: str, port: int) -> socket.socket:
        """Connect a socket. Looking up the name and all attempts must end before the deadline. Raises OSError."""
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
        """The addresses of a host. Looking them up has no timeout of its own. So it is done in a thread, and after the
        deadline the caller no longer waits for this thread.
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
        """Within this context, the socket `connected` is shut down at the deadline, so that every call that waits for
        it returns.
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
