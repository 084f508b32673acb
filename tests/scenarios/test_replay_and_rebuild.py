"""Stories of repairs: a contract that refused too much, a model that has grown, a table that must be built anew."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from ops_project.settings import CONFIG_DIR, Settings
from tests.scenarios import homes

pytestmark = pytest.mark.xdist_group("runs")
PREMIUM = 'premium: {type: "decimal(12,2)", required: true, min: 0'
STRICT = f"{PREMIUM}, max: 900"
MENDED = PREMIUM.replace("12,2", "12,4")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two days of files, landed and built under a contract that refuses every premium above 900."""
    homes.warm()
    folder = Path(tmp_path_factory.mktemp("mending"))
    settings = homes.simulate(folder / "home", days=2, domain="insurance", scale=0.1)
    overlay = folder / "config"
    settings = Settings(home=settings.home, as_of=settings.as_of, overlay=overlay)
    write_contract(overlay, STRICT)
    run(settings, "run", "--domain", "insurance")  # with so many refused changes, some checks fail
    return settings


def write_contract(overlay: Path, premium: str) -> None:
    text = (CONFIG_DIR / "feeds" / "insurance.yaml").read_text(encoding="utf-8")
    assert PREMIUM in text
    (overlay / "feeds").mkdir(parents=True, exist_ok=True)
    (overlay / "feeds" / "insurance.yaml").write_text(text.replace(PREMIUM, premium, 1), encoding="utf-8")


def run(settings: Settings, *arguments: str) -> tuple[int | None, dict]:
    ended = homes.ops(settings, *arguments, "--json").wait()
    assert ended.output.startswith(("{", "[")), ended.output + ended.errors
    return ended.code, json.loads(ended.output)


def asked(settings: Settings, question: str) -> list[tuple]:
    with duckdb.connect(str(settings.warehouse)) as connection:
        return connection.execute(question).fetchall()


def test_mend_the_contract_and_replay(home: Settings, tmp_path: Path) -> None:
    settings = homes.copy(home, tmp_path / "home")
    [(refused,)] = asked(settings, "select count(*) from ops.quarantine where feed = 'policies'")
    [(changes,)] = asked(settings, "select sum(changes_of_the_day)::bigint from silver.ods_policies")
    assert refused > 20 and changes > 20
    write_contract(tmp_path / "config", MENDED)
    settings = Settings(home=settings.home, as_of=settings.as_of, overlay=tmp_path / "config")

    code, told = run(settings, "feed", "replay", "policies", "--dry-run")
    assert code == 0 and [item["status"] for item in told] == ["loaded", "loaded"]
    code, told = run(settings, "feed", "replay", "policies")
    [one] = told["runs"]
    assert code == 0, one["failures"]
    assert (one["rows_quarantined"], one["offers"]) == (0, [])
    after = "select sum(changes_of_the_day)::bigint, max(premium) > 900 from silver.ods_policies"
    assert asked(settings, after) == [(changes + refused, True)]
    assert asked(settings, "select count(*) from ops.quarantine where feed = 'policies'") == [(0,)]

    code, told = run(settings, "feed", "replay", "policies")
    assert (code, told["runs"][0]["state"]) == (0, "nothing to replay")
    ended = homes.ops(settings, "feed", "replay", "policies", "--batch", "policies-1-00000000").wait()
    assert ended.code == 1 and "has no batch policies-1-00000000; its newest: policies-" in ended.output


def test_a_run_offers_the_replay_that_a_changed_contract_needs(home: Settings, tmp_path: Path) -> None:
    settings = homes.copy(home, tmp_path / "home")
    write_contract(tmp_path / "config", MENDED)
    settings = Settings(home=settings.home, as_of=settings.as_of, overlay=tmp_path / "config")
    _, told = run(settings, "run", "--domain", "insurance")
    [offer] = told["runs"][0]["offers"]
    assert "`ops feed replay policies`" in offer and "2 files" in offer


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
