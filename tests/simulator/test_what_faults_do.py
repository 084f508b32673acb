"""The effects of a fault on files, in records, counts and times."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ops_project.catalog import Catalog
from ops_project.pipeline.landing import ensure_tables, land
from ops_project.settings import Settings
from ops_project.simulator import simulate
from ops_project.simulator.faults import truth
from ops_project.simulator.faults.registry import REGISTRY
from ops_project.simulator.faults.request import FaultError
from tests.simulator.conftest import END, NOW, SCALE, Deliver, contents, home, landed

# A late file is found by a run that looked for it before.
LATE = ("late", "late_partition")
# One feed of each kind.
KINDS = ("orders", "mart_contacts", "streams", "product_events")


def rows_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_truncated_keeps_sixty_percent_and_the_count(broken: Deliver, clean: Settings) -> None:
    settings = broken("truncated:orders", domain="ecommerce")
    name = f"ecommerce/orders_{END}.csv"
    before, after = rows_of(clean.inbound / name), rows_of(settings.inbound / name)
    assert after == before[: 1 + int((len(before) - 1) * 0.6)]
    assert (settings.inbound / f"{name}.ctl").read_bytes() == (clean.inbound / f"{name}.ctl").read_bytes()


def test_truncated_mid_row_ends_within_a_row(broken: Deliver, clean: Settings) -> None:
    settings = broken("truncated_mid_row:orders", domain="ecommerce")
    name = f"ecommerce/orders_{END}.csv"
    before, after = (clean.inbound / name).read_bytes(), (settings.inbound / name).read_bytes()
    assert before.startswith(after)
    assert not after.endswith(b"\n")
    assert 0.5 < len(after) / len(before) < 0.7


def test_untouched_records_keep_their_bytes(broken: Deliver, clean: Settings) -> None:
    settings = broken("mandatory_empty:mart_customers@2026-03-10", domain="marketing")
    name = "marketing/mart_customers_20260310.dat"
    before, after = rows_of(clean.inbound / name), rows_of(settings.inbound / name)
    assert len(before) == len(after)
    assert sum(one != two for one, two in zip(before, after, strict=True)) == 12


def test_volume_drop_takes_the_lines_of_the_lost_orders(broken: Deliver, clean: Settings) -> None:
    settings = broken("volume_drop:orders", domain="ecommerce")
    folder = settings.inbound / "ecommerce"
    orders, items = rows_of(folder / f"orders_{END}.csv")[1:], rows_of(folder / f"order_items_{END}.csv")[1:]
    assert {line.split(",")[0] for line in items} == {line.split(",")[0] for line in orders}
    assert len(orders) == round((len(rows_of(clean.inbound / f"ecommerce/orders_{END}.csv")) - 1) * 0.7)
    assert (folder / f"orders_{END}.csv.ctl").read_text().strip() == str(len(orders))


def test_volume_constant_is_constant_and_then_falls(broken: Deliver) -> None:
    settings = broken("volume_constant:orders", domain="ecommerce", days=5, scale=0.5)
    counts = [len(rows_of(path)) - 1 for path in sorted((settings.inbound / "ecommerce").glob("orders_*.csv"))]
    assert len(set(counts[:-1])) == 1
    assert counts[-1] == int(counts[0] * 0.6)


def test_volume_doubled_repeats_no_key(broken: Deliver) -> None:
    settings = broken("volume_doubled:streams", domain="streaming")
    found = duckdb.sql(
        f"SELECT count(*), count(DISTINCT stream_id) FROM '{settings.inbound}/streaming/streams_{END:%Y%m%d}_*.jsonl'"
    ).fetchone()
    assert found is not None
    assert found[0] == found[1] > 0


def test_late_comes_after_its_deadline_and_within_its_grace(broken: Deliver, catalog: Catalog) -> None:
    settings = broken("late:orders", domain="ecommerce")
    arrived = datetime.fromtimestamp((settings.inbound / f"ecommerce/orders_{END}.csv").stat().st_mtime, UTC)
    arrival = catalog.feeds["orders"].arrival
    due = datetime.combine(END + timedelta(days=arrival.after_days), arrival.by, arrival.zone)
    assert due < arrived < due + arrival.grace


def test_late_partition_comes_with_the_next_day(broken: Deliver) -> None:
    settings = broken("late_partition:policies", domain="insurance")
    folder = settings.inbound / "insurance"
    late = (folder / f"policies_{END - timedelta(days=1):%Y%m%d}.csv").stat().st_mtime
    own = (folder / f"policies_{END:%Y%m%d}.csv").stat().st_mtime
    assert abs(late - own) < 3600


@pytest.mark.parametrize("fault", LATE)
@pytest.mark.parametrize("feed", KINDS)
def test_what_is_late_is_found_late(fault: str, feed: str, broken: Deliver, catalog: Catalog, tmp_path: Path) -> None:
    """A run looks for the file, does not find it and reports that. When the file comes, it is late."""
    contract = catalog.feeds[feed]
    settings = broken(f"{fault}:{feed}", feeds=[feed], days=4)
    day = END - timedelta(days=REGISTRY[fault].days_back)
    folder, aside = settings.inbound / contract.domain, tmp_path / "aside"
    aside.mkdir()
    coming = [path for path in folder.iterdir() if str(day) in path.name or f"{day:%Y%m%d}" in path.name]
    with duckdb.connect() as connection:
        ensure_tables(connection, [contract])
        seen = []
        for moment in (NOW - timedelta(days=REGISTRY[fault].days_back), NOW + timedelta(hours=1)):
            for path in coming if not seen else list(aside.iterdir()):
                shutil.move(path, folder if seen else aside)
            paths = {"inbound": settings.inbound, "archive": settings.archive}
            result = land(connection, contract, now=moment, run_id="test", **paths)
            seen.append({finding.kind for finding in result.findings if finding.business_date == day})
    assert "source_missing" in seen[0]
    assert "source_late" in seen[1]


def test_missing_also_takes_away_an_earlier_delivery(tmp_path: Path) -> None:
    settings = home(tmp_path)
    simulate(settings, domain="ecommerce", days=2, end=END, scale=SCALE)
    simulate(settings, domain="ecommerce", faults=["missing:orders"])
    names = contents(settings.inbound / "ecommerce")
    assert f"orders_{END}.csv" not in names
    assert f"orders_{END}.csv.ctl" not in names
    assert f"orders_{END - timedelta(days=1)}.csv" in names


def test_cdc_gap_loses_seven_consecutive_changes(broken: Deliver, clean: Settings) -> None:
    settings = broken("cdc_gap", domain="insurance", scale=1)
    (told,) = truth.read(settings.truth)
    numbers = [
        int(line.split(",")[0]) for line in rows_of(settings.inbound / f"insurance/policies_{END:%Y%m%d}.csv")[1:]
    ]
    gap = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    assert gap == list(range(int(told["details"]["from_seq"]), int(told["details"]["to_seq"]) + 1))
    assert len(gap) == 7


def test_error_rate_exceeds_five_percent_in_its_window(broken: Deliver) -> None:
    settings = broken("error_rate", domain="streaming", scale=1)
    (told,) = truth.read(settings.truth)
    found = duckdb.sql(
        f"""SELECT count(*) FILTER (listen_seconds < 0) / count(*), count(*) FILTER (listen_seconds < 0)
        FROM '{settings.inbound}/streaming/streams_{END:%Y%m%d}_*.jsonl'
        WHERE time_bucket(INTERVAL 15 MINUTE, listened_at) = TIMESTAMP '{told["details"]["window_start"][:19]}'"""
    ).fetchone()
    assert found is not None
    assert found[0] > 0.05
    assert found[1] == told["details"]["broken"]


def test_unknown_songs_are_more_than_ten_in_an_hour(broken: Deliver) -> None:
    settings = broken("unknown_songs", domain="streaming", scale=1)
    folder = settings.inbound / "streaming"
    hours = duckdb.sql(
        f"""SELECT date_trunc('hour', listened_at), count(*), count(DISTINCT song_id)
        FROM '{folder}/streams_{END:%Y%m%d}_*.jsonl' ANTI JOIN '{folder}/songs_{END:%Y%m%d}.csv' USING (song_id)
        GROUP BY 1"""
    ).fetchall()
    assert [(violations, songs) for _, violations, songs in hours] == [(15, 15)]


def test_restatement_sends_sales_of_the_month_before_again(broken: Deliver) -> None:
    settings = broken("restatement", domain="investor", days=14)
    files = f"{settings.inbound}/investor/transactions_*.csv"
    again = duckdb.sql(
        f"""SELECT count(*), max(occurred_at)::DATE, count(*) FILTER (second.unit_revenue < 0.25 * first.unit_revenue)
        FROM read_csv('{files}', filename = 'file') first JOIN read_csv('{files}', filename = 'file') second
        USING (transaction_id, occurred_at) WHERE second.file > first.file"""
    ).fetchone()
    assert again is not None
    assert again[0] == again[2] > 0
    assert again[1] == date(2026, 2, 28)


def test_holiday_spike_is_on_a_public_holiday(broken: Deliver, catalog: Catalog) -> None:
    settings = broken("holiday_spike", domain="investor", days=30)
    (told,) = truth.read(settings.truth)
    assert told["business_date"] == "2026-02-16"
    assert told["finding"] is None
    grown = told["details"]["grown"]
    assert all(file["rows_after"] == 3 * file["rows_before"] for feed in grown.values() for file in feed["files"])
    results = landed(settings, catalog, "product_events", "transactions")
    assert not [
        finding for result in results.values() for finding in result.findings if finding.kind == "key_violation"
    ]


def test_holiday_spike_needs_a_holiday(broken: Deliver) -> None:
    with pytest.raises(FaultError, match=r"no public holiday .* simulate more days"):
        broken("holiday_spike", domain="investor")


def test_sample_ratio_mismatch_is_in_the_newest_experiment(broken: Deliver) -> None:
    settings = broken("sample_ratio_mismatch", domain="investor", scale=1)
    arms = duckdb.sql(
        f"""SELECT count(*) FILTER (arm = 'treatment') / count(*)
        FROM '{settings.inbound}/investor/experiment_assignments_{END:%Y%m%d}.csv'
        GROUP BY experiment_id ORDER BY experiment_id"""
    ).fetchall()
    assert abs(arms[0][0] - 0.5) < 0.02
    assert abs(arms[-1][0] - 3 / 8) < 0.02
