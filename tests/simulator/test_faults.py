"""Each fault does what it says, to the files that it names and to nothing else; landing finds what it must."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ops_project import catalog as catalogs
from ops_project.catalog import Catalog
from ops_project.landing import ensure_tables, land
from ops_project.operations.failures import classify
from ops_project.runtime.serving import Item, open_store
from ops_project.runtime.serving.store import Throttled
from ops_project.settings import Settings
from ops_project.simulator import simulate
from ops_project.simulator.faults import truth
from ops_project.simulator.faults.registry import REGISTRY, listing, resolve
from ops_project.simulator.faults.request import FaultError, Request
from ops_project.simulator.faults.serving import exhaust
from ops_project.simulator.faults.warehouse import tamper
from tests.simulator.conftest import END, NOW, SCALE, Deliver, contents, home, landed

# One feed of each kind: CSV with a control file, CSV with a delimiter of its own, JSON lines, Parquet.
KINDS = ("orders", "mart_contacts", "streams", "product_events")
FILE_FAULTS = [fault for fault in REGISTRY.values() if fault.apply == "file"]
FOUND_BY_LANDING = (
    "source_missing", "source_late", "source_empty", "source_partial", "source_duplicate", "schema_mismatch",
    "data_invalid", "key_violation",
)  # fmt: skip
# What only a format, or a contract, can suffer.
IMPOSSIBLE = {
    ("control_count", "streams"), ("control_count", "product_events"), ("unbalanced_quote", "streams"),
    ("unbalanced_quote", "product_events"), ("reordered_columns", "streams"),
}  # fmt: skip
# What arrives late is found by who looked for it before: a test of its own.
LATE = ("late", "late_partition")
# Landing cannot tell, and history must: a file without a count of its own that has too little of it.
BY_HISTORY = {
    ("truncated", "streams"),
    ("truncated", "product_events"),
    ("cdc_gap", "policies"),
    ("fan_out", "experiment_assignments"),
}
# A cut within a Parquet file leaves no Parquet file; within a JSON line, a bad row.
OTHERWISE = {
    ("truncated_mid_row", "product_events"): "data_invalid",
    ("truncated_mid_row", "streams"): "data_invalid",
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = home(tmp_path_factory.mktemp("clean"))
    simulate(settings, days=3, end=END, scale=SCALE)
    return settings


def domain_of(catalog: Catalog, feed: str) -> str:
    return catalog.feeds[feed].domain


def differing(clean: Settings, broken: Settings, catalog: Catalog, feed: str) -> set[str]:
    """Names of the feed's files, control files too, that are not what they were."""
    domain = domain_of(catalog, feed)
    before, after = contents(clean.inbound / domain), contents(broken.inbound / domain)
    mine = {name for name in before.keys() | after.keys() if name.startswith(f"{feed}_")}
    return {name for name in mine if before.get(name) != after.get(name)}


def cases() -> Iterator[tuple[str, str]]:
    for fault in FILE_FAULTS:
        if fault.on_holiday or fault.id == "restatement":
            continue
        for feed in dict.fromkeys((fault.feed, *KINDS)) if fault.any_feed else (fault.feed,):
            if (fault.id, feed) not in IMPOSSIBLE:
                yield fault.id, feed


@pytest.mark.parametrize(("fault", "feed"), list(cases()))
def test_fault(fault: str, feed: str, clean: Settings, catalog: Catalog, broken: Deliver) -> None:
    domain = domain_of(catalog, feed)
    settings = broken(f"{fault}:{feed}", feeds=[feed])
    known = REGISTRY[fault]
    changed = differing(clean, settings, catalog, feed)
    late = fault in LATE
    assert bool(changed) is not late, "late files are untouched, all others are not"
    if not known.spans_window:
        day = END - timedelta(days=known.days_back)
        assert all(str(day) in name or f"{day:%Y%m%d}" in name for name in changed)
    (told,) = truth.read(settings.truth)
    assert (told["fault"], told["domain"], told["feed"]) == (fault, domain, feed)
    assert told["finding"] == known.finding
    assert told["asset"] == known.asset_of(feed)
    assert told["owners"] and told["details"]
    expected = OTHERWISE.get((fault, feed), known.finding)
    if late or expected not in FOUND_BY_LANDING or (fault, feed) in BY_HISTORY:
        return
    result = landed(settings, catalog, feed)[feed]
    assert expected in {finding.kind for finding in result.findings}
    assert result.rows_in == result.rows_loaded + result.rows_quarantined + result.rows_filtered + result.rows_collapsed


def test_every_fault_has_a_seed_a_finding_and_owners(catalog: Catalog) -> None:
    rows = listing(catalog)
    assert len(rows) == len(REGISTRY) >= 35
    assert all(row["domain"] and row["owners"] and row["seed"] and row["does"] for row in rows)
    assert [row["id"] for row in rows if row["finding"] is None] == ["holiday_spike"]


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
    """A run looks for the file, does not find it and says so; when it has come, it is late."""
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trunkated", r"fault 'trunkated' does not exist \(did you mean truncated\?\); valid: "),
        ("truncated:oders", "feed 'oders' does not exist; valid: "),
        ("cdc_gap:orders", "fault 'cdc_gap' breaks feed 'policies' only, not 'orders'"),
        ("truncated@11.3.2026", "'11.3.2026' is no date; write it as 2026-11-19"),
        ("truncated:orders@2026-01-01", "2026-01-01 is not simulated in this call"),
        ("control_count:streams", "feed 'streams' has no control file"),
        ("unbalanced_quote:streams", "feed 'streams' has no quotes: its format is jsonl"),
        ("Truncated orders", "is not understood; write ID, ID:FEED"),
    ],
)
def test_an_impossible_fault_says_what_is_possible(text: str, message: str, broken: Deliver, tmp_path: Path) -> None:
    with pytest.raises(FaultError, match=message):
        broken(text)
    assert not (tmp_path / "home" / "truth.json").exists()


OVERLAY = """
domain: parcels
owners: [team:data-engineering]
defaults: {expected: daily}
feeds:
  scans:
    inbound: "scans_{date:%Y-%m-%d}{revision}.csv"
    format: {kind: csv, delimiter: ";", encoding: latin-1, decimal: ","}
    trailer: {pattern: 'ENDE (?P<rows>\\d+)'}
    key: scan_id
    columns:
      scan_id: {type: integer, required: true, from: Nr}
      place: {type: string, required: true, from: Ort}
      weight_kg: {type: "decimal(8,2)", required: true, min: 0, from: Gewicht}
"""


@pytest.fixture
def parcels(tmp_path: Path) -> Settings:
    """A user's own domain, with files that the simulator did not write."""
    (tmp_path / "config/feeds").mkdir(parents=True)
    (tmp_path / "config/feeds/parcels.yaml").write_text(OVERLAY)
    settings = home(tmp_path / "home", tmp_path / "config")
    folder = settings.inbound / "parcels"
    folder.mkdir(parents=True)
    for day in (END - timedelta(days=1), END):
        lines = ["Nr;Ort;Gewicht", *(f'{n};"Köln; Süd";{n},5' for n in range(1, 41)), "ENDE 40"]
        (folder / f"scans_{day}.csv").write_bytes("".join(f"{line}\r\n" for line in lines).encode("latin-1"))
    return settings


@pytest.mark.parametrize("fault", [fault for fault in FILE_FAULTS if fault.any_feed], ids=lambda fault: fault.id)
def test_generic_faults_break_a_users_own_files(
    fault: object, parcels: Settings, request: pytest.FixtureRequest
) -> None:
    identity = request.node.callspec.id
    possible = identity not in ("control_count", "unknown_reference")
    before = contents(parcels.inbound)
    asked = {"faults": [f"{identity}:scans"], "inbound_only": True}
    if not possible:
        with pytest.raises(FaultError, match=r"no control file|no reference"):
            simulate(parcels, **asked)  # type: ignore[arg-type]
        assert contents(parcels.inbound) == before
        return
    simulate(parcels, **asked)  # type: ignore[arg-type]
    after = contents(parcels.inbound)
    assert (after != before) is (identity not in LATE)
    assert not [name for name in after if "/." in name]
    catalog = catalogs.load(parcels)
    settings = Settings.load(home=parcels.home, overlay=parcels.overlay, as_of=NOW + timedelta(days=1), environ={})
    findings = {finding.kind for finding in landed(settings, catalog, "scans")["scans"].findings}
    expected = REGISTRY[identity].finding
    assert expected in findings or expected == "volume_anomaly" or identity in LATE


def test_an_overlay_domain_is_not_simulated(parcels: Settings) -> None:
    with pytest.raises(FaultError, match=r"domain 'parcels' is not simulated; .* --inbound-only"):
        simulate(parcels, faults=["truncated:scans"])


def test_inbound_only_needs_files(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="no file of feed 'orders' lies in"):
        simulate(home(tmp_path), faults=["truncated:orders"], inbound_only=True)


def test_truth_is_appended(tmp_path: Path, clean: Settings) -> None:
    settings = home(tmp_path)
    shutil.copytree(clean.inbound, settings.inbound)
    simulate(settings, faults=["truncated:orders"], inbound_only=True)
    simulate(settings, faults=["late:customers", "missing:products"], inbound_only=True)
    told = json.loads(settings.truth.read_text())
    assert [entry["request"] for entry in told] == ["truncated:orders", "late:customers", "missing:products"]


@pytest.fixture
def policies() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA silver")
        for table in ("ods_policies", "fact_policies"):
            connection.execute(
                f"""CREATE TABLE silver.{table} AS SELECT 'POL' || n AS policy_id, 'motor' AS product, 'north' AS region,
                (800 + n)::DECIMAL(12, 2) AS premium, 'active' AS policy_status, DATE '2026-03-12' AS business_date
                FROM range(20) AS t(n)"""
            )
        yield connection


@pytest.mark.parametrize(
    ("fault", "table", "differing", "total"),
    [
        ("premium_changed_ods", "ods_policies", 3, 1500),
        ("premium_changed_fact", "fact_policies", 3, 1500),
        ("offsetting_errors", "fact_policies", 2, 0),
    ],
)
def test_warehouse_faults_change_what_they_say(
    fault: str, table: str, differing: int, total: int, policies: duckdb.DuckDBPyConnection, catalog: Catalog
) -> None:
    policies.execute(f"CREATE TABLE before AS FROM silver.{table}")
    tamper(policies, resolve(Request(fault), catalog))
    found = policies.execute(
        f"SELECT count(*) FILTER (a.premium <> b.premium), sum(a.premium - b.premium) "
        f"FROM silver.{table} a JOIN before b USING (policy_id)"
    ).fetchone()
    assert found == (differing, total)


def test_policies_lost_and_duplicated(policies: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    tamper(policies, resolve(Request("policies_lost"), catalog))
    assert policies.execute("SELECT count(*) FROM silver.fact_policies").fetchone() == (17,)
    tamper(policies, resolve(Request("policies_duplicated"), catalog))
    assert policies.execute("SELECT count(*), count(DISTINCT policy_id) FROM silver.fact_policies").fetchone() == (
        19,
        17,
    )


def test_the_vault_faults_change_what_a_mapping_and_a_360_need(catalog: Catalog) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE SCHEMA silver; CREATE TABLE silver.sat_customer_profile AS SELECT i AS customer_hk, 'US' AS country, "
            "DATE '2020-01-01' AS created_date, false AS is_deleted, TIMESTAMP '2026-01-01' AS load_datetime "
            "FROM range(100) AS r (i); "
            "CREATE VIEW silver.sat_customer_profile_current AS FROM silver.sat_customer_profile"
        )

        def counts() -> tuple[int, int] | None:
            return connection.execute(
                "SELECT count(country), count(date_diff('day', created_date, DATE '2026-01-01')) "
                "FROM silver.sat_customer_profile"
            ).fetchone()

        tamper(connection, resolve(Request("mapping_broken"), catalog))
        assert counts() == (60, 100)
        tamper(connection, resolve(Request("mart_build_broken"), catalog))
        assert counts() == (60, 99)
        tamper(connection, resolve(Request("interface_build_broken"), catalog))
        assert counts() == (0, 99)


def test_an_exhausted_serving_store_refuses_and_recovers(tmp_path: Path) -> None:
    settings = home(tmp_path)
    simulate(settings, faults=["serving_throttled"])
    store = open_store(settings, "listening-kpis")
    item = Item("day", "2026-03-12", {"listens": 1})
    try:
        store._pause = lambda _seconds: None
        with pytest.raises(Throttled, match="ThrottlingException") as refused:
            store.replace("2026-03-12", [item])
        assert classify(refused.value).failure_class == "resource_exhausted"
        exhaust(tmp_path / "serving/listening-kpis.db", NOW - timedelta(days=3650))
        assert store.replace("2026-03-12", [item]).written == 1
    finally:
        store.close()


def test_warehouse_faults_need_a_warehouse(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="no warehouse yet; run the pipeline first"):
        simulate(home(tmp_path), faults=["offsetting_errors"])
    assert not (tmp_path / "inbound").exists(), "nothing is delivered for a fault that lies elsewhere"
