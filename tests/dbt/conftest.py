from __future__ import annotations

from pathlib import Path

import pytest

from tests.dbt.shop import Shop

DAYS = 12


@pytest.fixture(scope="session")
def built_at_once(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Twelve ordinary days, landed in order and built and tested in one go. Read only."""
    shop = Shop(tmp_path_factory.mktemp("at-once"))
    shop.land_day(*range(DAYS))
    result = shop.build(command="build")
    assert not result.failed_tests
    return shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "home")
