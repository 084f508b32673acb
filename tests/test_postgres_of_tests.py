"""The server of the tests stops and starts although somebody closes a folder above its own, as another pytest does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import postgres


@pytest.mark.skipif(postgres.binaries() is None, reason=postgres.MISSING)
def test_a_closed_folder_above_the_server_keeps_nobody_from_stopping_it(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with postgres.server(folder) as found:
        tmp_path.chmod(0o700)
        found.stop()
        found.start()
        tmp_path.chmod(0o700)
