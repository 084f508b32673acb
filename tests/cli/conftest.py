from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture
def occupied() -> Iterator[str]:
    """A port at which nothing can listen: `ops ui` ends before it becomes Dagster."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield str(taken.getsockname()[1])
