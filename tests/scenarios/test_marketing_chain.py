"""From the data mart to the 360s in whole runs: the counts equal those of the raw files, and a fault between two hops
reaches no consumer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from ops_project.pipeline.warehouse import publishing, snapshots
from ops_project.settings import Settings
from tests.scenarios import homes, runbooks

pytestmark = pytest.mark.xdist_group("domain_runs")
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def simulate(settings: Settings, days: int, faults: tuple[str, ...] = ()) -> None:
    ended = homes.ops(
        settings,
        "simulate",
        "--domain",
        "marketing",
        "--days",
        str(days),
        "--end",
        str(homes.LAST),
        "--scale",
        "0.05",
        *(word for fault in faults for word in ("--fault", fault)),
    ).wait()
    assert ended.code == 0, ended.output


def run(settings: Settings) -> tuple[int | None, str]:
    ended = homes.ops(settings, "run", "--domain", "marketing").wait()
    return ended.code, ended.output


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Four days, run once."""
    homes.warm()
    settings = Settings(home=tmp_path_factory.mktemp("marketing") / "home", as_of=NOW)
    simulate(settings, 4)
    code, output = run(settings)
    assert code == 0, output
    return settings


@pytest.fixture
def another(done: Settings, tmp_path: Path) -> Callable[[], Settings]:
    return lambda: homes.copy(done, tmp_path / "home")


def raw(feed: str, keys: str, settings: Settings) -> str:
    """SQL over the archived files themselves: the newest row of each key, without deleted keys."""
    files = sorted(str(path) for path in settings.archive.rglob(f"*_{feed}_2026*.dat"))
    assert files
    return f"""(
        SELECT * FROM read_csv({files}, delim = '|', header = true, all_varchar = true, filename = true)
        QUALIFY row_number() OVER (
            PARTITION BY {keys} ORDER BY regexp_extract(filename, '([0-9]{{8}})[.]dat$', 1) DESC
        ) = 1
    )"""


def test_customer_360_counts_what_the_raw_files_say(done: Settings) -> None:
    customers, contacts = raw("mart_customers", "customer_id", done), raw("mart_contacts", "treatment_id", done)
    responses = raw("mart_responses", "response_id", done)
    expected = duckdb.sql(
        f"""
        SELECT c.customer_id,
            (SELECT count(*) FROM {contacts} AS t WHERE t.customer_id = c.customer_id AND t.op <> 'D'
                AND t.contact_status <> 'control' AND t.contacted_at::TIMESTAMP > TIMESTAMP '{NOW:%Y-%m-%d %H:%M}' - INTERVAL 30 DAY
                AND t.contacted_at::TIMESTAMP <= TIMESTAMP '{NOW:%Y-%m-%d %H:%M}') AS contacts,
            (SELECT count(*) FROM {responses} AS r LEFT JOIN {contacts} AS t
                ON t.treatment_id = r.treatment_id AND t.op <> 'D'
                WHERE r.customer_id = c.customer_id AND r.op <> 'D' AND r.response_type <> 'unsubscribe'
                AND coalesce(t.contact_status, '') <> 'control'
                AND r.responded_at::TIMESTAMP <= TIMESTAMP '{NOW:%Y-%m-%d %H:%M}'
                AND r.responded_at::TIMESTAMP > TIMESTAMP '{NOW:%Y-%m-%d %H:%M}' - INTERVAL 90 DAY) AS responses
        FROM {customers} AS c WHERE c.op <> 'D' ORDER BY c.customer_id
        """
    ).fetchall()
    with snapshots.open(snapshots.newest(done)) as connection:
        found = connection.execute(
            "SELECT customer_id, contacts_30d, responses_90d FROM gold.customer_360 ORDER BY customer_id"
        ).fetchall()
    assert found == expected
    assert sum(row[1] for row in found) > 100
    assert sum(row[2] for row in found) > 50


def test_both_360s_are_published_for_their_consumers(done: Settings) -> None:
    published = publishing.current(done, "marketing")
    assert published is not None
    assert not published.held
    assert set(published.manifest["tables"]) == {"customer_360", "campaign_360", "campaign_performance"}
    (rows,) = duckdb.sql(f"SELECT count(*) FROM '{published.folder}/customer_360.parquet'").fetchone() or (0,)
    with snapshots.open(snapshots.newest(done)) as connection:
        assert (rows,) == connection.execute("SELECT count(*) FROM silver.uds_customer").fetchone()


def test_each_lift_lies_within_its_interval(done: Settings) -> None:
    with snapshots.open(snapshots.newest(done)) as connection:
        rows = connection.execute(
            "SELECT lift, lift_low, lift_high FROM gold.campaign_360 WHERE lift IS NOT NULL"
        ).fetchall()
    assert rows
    assert all(low <= lift <= high for lift, low, high in rows)


def test_what_breaks_behind_the_vault_is_told_and_published_by_nobody(another: Callable[[], Settings]) -> None:
    settings = another()
    simulate(settings, 1, ("mapping_broken", "mart_build_broken"))
    before = publishing.current(settings, "marketing")
    code, output = run(settings)
    assert code == 1, output
    assert "customer_360" in output
    broken = {entry["fault"]: entry["details"] for entry in json.loads(settings.truth.read_text(encoding="utf-8"))}
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        rejected = connection.execute(
            "SELECT mapping, reason, count(*) FROM silver.interface_rejects GROUP BY ALL"
        ).fetchall()
        (again,) = connection.execute("SELECT count(*) FROM gold.customer_360").fetchone() or (None,)
    # The row is kept out, counted, and its mapping is named. A customer with newer data is complete again.
    ((mapping, reason, count),) = rejected
    assert (mapping, reason) == ("uds_customer.country_code", "mandatory_is_empty")
    assert 0 < count <= broken["mapping_broken"]["customers"]
    after = publishing.current(settings, "marketing")
    assert before is not None
    assert after is not None
    good = before.manifest["tables"]["customer_360"]
    assert after.folder == before.folder or after.manifest["tables"]["customer_360"]["state"] != "published"
    assert duckdb.sql(f"SELECT count(*) FROM '{after.folder}/customer_360.parquet'").fetchone() == (good["rows"],)
    assert again == good["rows"]
    runbooks.follow(settings, "mart_build_broken", "gold/customer_360")
