"""A dbt command opens the warehouse once, and has closed it when it ends, also if it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments.local import LocalEnvironment

from ops_project.pipeline.dbt_engine import shortcuts
from tests.dbt.shop import Shop


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the databases that dbt opens from now on."""
    found: list[str] = []
    open_one: Callable[..., object] = LocalEnvironment.initialize_db

    def counted(creds: object, plugins: object = None) -> object:
        found.append(str(getattr(creds, "path", "")))
        return open_one(creds, plugins)

    monkeypatch.setattr(LocalEnvironment, "initialize_db", staticmethod(counted))
    return found


def is_open(path: Path) -> bool:
    return any(link.exists() and link.resolve() == path for link in Path("/proc/self/fd").iterdir())


def environment_of(shop: Shop) -> LocalEnvironment:
    path = str(shop.settings.warehouse)
    return LocalEnvironment(DuckDBCredentials(database="warehouse", schema="silver", path=path, keep_open=False))


def test_dbt_opens_the_warehouse_once_and_closes_it(tmp_path: Path, opened: list[str]) -> None:
    shop = Shop(tmp_path / "home")
    shop.build("dim_customers", "dim_products")
    assert opened == [str(shop.settings.warehouse)]
    assert not is_open(shop.settings.warehouse)
    shop.ask("drop table bronze.products")
    with pytest.raises(AssertionError, match="products does not exist"):
        shop.build("dim_customers", "dim_products")
    assert opened == [str(shop.settings.warehouse)] * 2
    assert not is_open(shop.settings.warehouse)


def test_it_is_closed_also_if_dbt_itself_fails(tmp_path: Path, opened: list[str]) -> None:
    shortcuts.take()
    shop = Shop(tmp_path / "home")
    with pytest.raises(ZeroDivisionError), shortcuts.warehouse_opened_once():
        environment = environment_of(shop)
        for _ in range(2):
            environment.handle().close()
        assert is_open(shop.settings.warehouse)
        raise ZeroDivisionError
    assert opened == [str(shop.settings.warehouse)]
    assert not is_open(shop.settings.warehouse)


def test_a_command_that_is_abandoned_leaves_nothing_open(tmp_path: Path, opened: list[str]) -> None:
    shortcuts.take()
    shop = Shop(tmp_path / "home")
    abandoned, following = shortcuts.warehouse_opened_once(), shortcuts.warehouse_opened_once()
    abandoned.__enter__()
    following.__enter__()
    environment = environment_of(shop)
    environment.handle().close()
    abandoned.__exit__(None, None, None)
    assert is_open(shop.settings.warehouse), "the following command uses it"
    following.__exit__(None, None, None)
    assert not is_open(shop.settings.warehouse)
    environment.handle().close()
    assert not is_open(shop.settings.warehouse), "no command runs"


def test_what_a_hook_sets_ends_with_its_connection(tmp_path: Path) -> None:
    """dbt makes the settings of the profile for each connection. DuckDB keeps some of them for the whole database."""
    shortcuts.take()
    shop = Shop(tmp_path / "home")
    with shortcuts.warehouse_opened_once():
        environment = environment_of(shop)
        environment.creds.settings = {"memory_limit": "1GiB"}
        hook = environment.handle()
        hook.cursor().execute("SET memory_limit = '2GiB'")
        hook.close()
        assert environment.handle().cursor().execute("SELECT current_setting('memory_limit')").fetchone() == (
            "1.0 GiB",
        )
