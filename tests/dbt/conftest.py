from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.built_once import built_once
from tests.dbt.shop import Shop

DAYS = 12


def build_at_once(folder: Path) -> None:
    shop = Shop(folder / "home")
    shop.land_day(*range(DAYS))
    result = shop.build(command="build")
    assert not result.failed_tests


@pytest.fixture(scope="session")
def built_at_once(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Twelve ordinary days, landed in order and built and tested in one go. Read only."""
    folder = built_once(tmp_path_factory, "built-at-once", build_at_once)
    # Each process has a copy, because DuckDB lets only one process at a time open a file.
    home = tmp_path_factory.mktemp("at-once") / "home"
    shutil.copytree(folder / "home", home)
    shop = Shop(home)
    shop.clock += timedelta(hours=1)  # the clock stands as after the build
    return shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "home")
