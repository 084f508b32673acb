"""Stories of repairs: a contract that refused too much, a model that has grown, a table that must be built anew."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from ops_project.settings import CONFIG_DIR, Settings
from tests.scenarios import homes

pytestmark = pytest.mark.xdist_group("runs")
STRICT = 'discount_amount: {type: "decimal(12,2)", min: 0}'
MENDED = 'discount_amount: {type: "decimal(12,4)", min: 0}'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two days of files, landed and built under a contract that refuses every discount above zero."""
    homes.warm()
    folder = Path(tmp_path_factory.mktemp("mending"))
    settings = homes.simulate(folder / "home", days=2)
    overlay = folder / "config"
    settings = Settings(home=settings.home, as_of=settings.as_of, overlay=overlay)
    write_contract(overlay, STRICT.replace("min: 0", "max: 0"))
    run(settings, "run", "--domain", "ecommerce")  # with so many refused orders, some checks fail
    return settings


def write_contract(overlay: Path, discount: str) -> None:
    text = (CONFIG_DIR / "feeds" / "ecommerce.yaml").read_text(encoding="utf-8")
    assert STRICT in text
    (overlay / "feeds").mkdir(parents=True, exist_ok=True)
    (overlay / "feeds" / "ecommerce.yaml").write_text(text.replace(STRICT, discount, 1), encoding="utf-8")


def run(settings: Settings, *arguments: str) -> tuple[int | None, dict]:
    ended = homes.ops(settings, *arguments, "--json").wait()
    assert ended.output.startswith(("{", "[")), ended.output + ended.errors
    return ended.code, json.loads(ended.output)


def asked(settings: Settings, question: str) -> list[tuple]:
    with duckdb.connect(str(settings.warehouse)) as connection:
        return connection.execute(question).fetchall()


def test_mend_the_contract_and_replay(home: Settings, tmp_path: Path) -> None:
    settings = homes.copy(home, tmp_path / "home")
    [(refused,)] = asked(settings, "select count(*) from ops.quarantine where feed = 'orders'")
    [(orders,)] = asked(settings, "select count(*) from silver.fact_orders")
    assert refused > 0
    write_contract(tmp_path / "config", MENDED)
    settings = Settings(home=settings.home, as_of=settings.as_of, overlay=tmp_path / "config")

    code, told = run(settings, "feed", "replay", "orders", "--dry-run")
    assert code == 0 and [item["status"] for item in told] == ["loaded", "loaded"]
    code, told = run(settings, "feed", "replay", "orders")
    [one] = told["runs"]
    assert code == 0, one["failures"]
    assert (one["rows_quarantined"], one["offers"]) == (0, [])
    assert asked(settings, "select count(*) from silver.fact_orders") == [(orders + refused,)]
    assert asked(settings, "select count(*) from ops.quarantine where feed = 'orders'") == [(0,)]

    code, told = run(settings, "feed", "replay", "orders")
    assert (code, told["runs"][0]["state"]) == (0, "nothing to replay")
    ended = homes.ops(settings, "feed", "replay", "orders", "--batch", "orders-1-00000000").wait()
    assert ended.code == 1 and "has no batch orders-1-00000000; its newest: orders-" in ended.output


def test_a_run_offers_the_replay_that_a_changed_contract_needs(home: Settings, tmp_path: Path) -> None:
    settings = homes.copy(home, tmp_path / "home")
    write_contract(tmp_path / "config", MENDED)
    settings = Settings(home=settings.home, as_of=settings.as_of, overlay=tmp_path / "config")
    _, told = run(settings, "run", "--domain", "ecommerce")
    [offer] = told["runs"][0]["offers"]
    assert "`ops feed replay orders`" in offer and "2 files" in offer


def test_a_model_that_has_grown_is_built_anew_without_asking(policies_done: Settings, tmp_path: Path) -> None:
    settings = homes.copy(policies_done, tmp_path / "home")
    before = asked(settings, "select policy_id, business_date, region from silver.ods_policies order by all")
    asked(settings, "alter table silver.ods_policies drop column region")
    _, told = run(settings, "run", "--domain", "insurance", "--days", "1")
    assert "ods_policies: its SQL has columns that its table lacks, so it is built anew" in told["runs"][0]["repaired"]
    assert asked(settings, "select policy_id, business_date, region from silver.ods_policies order by all") == before
    assert not [line for line in told["runs"][0]["failures"] if "dbt" in line]


def test_a_table_with_other_types_says_how_it_is_rebuilt_and_is(policies_done: Settings, tmp_path: Path) -> None:
    settings = homes.copy(policies_done, tmp_path / "home")
    before = asked(
        settings, "select policy_id, business_date, changes_of_the_day::varchar from silver.ods_policies order by all"
    )
    asked(settings, "alter table silver.ods_policies alter column changes_of_the_day set data type varchar")
    code, told = run(settings, "run", "--domain", "insurance", "--days", "1")
    assert code == 1
    lines = told["runs"][0]["failures"]
    assert any("`ops run --rebuild silver.ods_policies`" in line for line in lines), lines

    _, told = run(settings, "run", "--rebuild", "silver.ods_policies")
    assert not [line for line in told["runs"][0]["failures"] if "dbt" in line]
    assert [item["domain"] for item in told["runs"]] == ["insurance"]
    assert (
        asked(
            settings,
            "select policy_id, business_date, changes_of_the_day::varchar from silver.ods_policies order by all",
        )
        == before
    )
