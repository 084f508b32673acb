"""The PostgreSQL of Dagster's own storage stops in the middle of a run: one line says so, people are told, and the next
run goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.defs.shared import bronze
from ops_project.pipeline.warehouse import snapshots
from tests import postgres
from tests.cli.test_run import CONTRACT

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("postgres")]
NOW = datetime(2026, 11, 3, 14, 0, tzinfo=UTC)


class Place:
    """A domain with one feed, whose runs are kept on a server."""

    def __init__(self, folder: Path, server: postgres.Server) -> None:
        self.server, self.home, self.config = server, folder / "home", folder / "config"
        (self.config / "feeds").mkdir(parents=True)
        (self.config / "feeds" / "post.yaml").write_text(CONTRACT)
        (self.home / "dagster").mkdir(parents=True)
        (self.home / "dagster" / "dagster.yaml").write_text(postgres.DAGSTER_YAML)
        (self.home / "inbound" / "post").mkdir(parents=True)

    def arrives(self, day: int) -> None:
        file = self.home / "inbound" / "post" / f"parcels_2026-11-{day:02d}.csv"
        file.write_text(f"id\n{day}\n")

    def ops(self, *words: str) -> Result:
        before = ["--home", str(self.home), "--config", str(self.config), "--as-of", NOW.isoformat()]
        result = CliRunner().invoke(cli, [*before, *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        for wrong in ("Traceback", "fault of the program", "Retrying", "hush"):
            assert wrong not in result.output, result.output
        return result


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    pytest.importorskip("dagster_postgres", reason="the extra `postgres` is not installed here")
    if postgres.binaries() is None:
        pytest.skip(postgres.MISSING)
    (tmp_path / "server").mkdir()
    with postgres.server(tmp_path / "server") as server:
        url = server.url.replace("postgresql://postgres@", "postgresql+psycopg2://postgres:hush@")
        monkeypatch.setenv("OPS_DAGSTER_URL", url)
        yield Place(tmp_path, server)


@pytest.mark.parametrize("where", [(bronze, "land"), (snapshots, "take")], ids=["landing", "snapshot"])
def test_a_run_during_which_it_stops(place: Place, where: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> None:
    place.arrives(1)
    assert place.ops("run", "--domain", "post").exit_code == 0
    place.arrives(2)
    module, name = where
    whole = getattr(module, name)
    met: list[str] = []

    def stops(*arguments: Any, **more: Any) -> Any:
        if not met:
            place.server.stop()
            met.append(name)
        return whole(*arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(module, name, stops)
        ended = place.ops("run", "--domain", "post")
    assert met and ended.exit_code != 0
    said = " ".join(ended.output.split())
    assert "Dagster's storage postgresql://postgres:***@127.0.0.1" in said and "See whether the server runs" in said
    told = "".join(file.read_text() for file in place.home.rglob("alerts.jsonl"))
    assert "Dagster's storage postgresql://" in told
    assert place.ops("status").exit_code == 1
    place.server.start()
    again = place.ops("run", "--domain", "post")
    assert again.exit_code == 0, again.output
    assert place.ops("status").exit_code == 0
    counted = place.ops("sql", "select count(*) as n from bronze.parcels", "--csv")
    assert counted.stdout.split() == ["n", "2"]
