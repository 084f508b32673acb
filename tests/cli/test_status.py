"""What `ops status` says of the warehouse: never that it is free where it cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.settings import Settings
from tests.empty_home import NOW, with_a_snapshot_and_an_alert


@pytest.mark.parametrize("damage", ["gone", "no database"])
def test_a_warehouse_that_cannot_be_used_is_not_called_free(tmp_path: Path, damage: str) -> None:
    settings = Settings(home=tmp_path / "home", as_of=NOW)
    with_a_snapshot_and_an_alert(settings)
    asked = ["--home", str(settings.home), "--as-of", NOW.isoformat(), "status"]
    assert "Warehouse  free" in CliRunner().invoke(cli, asked).output
    if damage == "gone":
        settings.warehouse.unlink()
    else:
        settings.warehouse.write_bytes(b"no database" * 1000)
    said = CliRunner().invoke(cli, asked).output
    assert "Warehouse  free" not in said and "Warehouse  The warehouse" in said
