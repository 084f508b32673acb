"""The raw vault against plain DuckDB SQL that loads the same hubs, links and satellites: a first load and a 1 %
delta. The plain side is written by hand. It knows that a feed states a contact once, encodes its keys without
distinguishing ('a|', 'b') from ('a', '|b'), and needs neither dbt nor a journal. Fixed costs – a dbt run that has
nothing to load – are reported separately, and the ratio is given with and without them.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ops_project import catalog
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.pipeline.dbt_engine.manifest import DbtManifest
from ops_project.pipeline.landing.write.tables import ensure_tables
from ops_project.settings import Settings

BOUND = 1.5
MEMORY = "4GB"
TABLES = (
    "hub_customer",
    "hub_campaign",
    "hub_cell",
    "hub_offer",
    "hub_channel",
    "link_contact",
    "sat_contact_details",
    "sat_customer_profile",
)
STAGES = ("stg_mart_customers", "stg_mart_contacts")
FEEDS_OF_STAGES = (
    "stg_mart_campaigns",
    "stg_mart_cells",
    "stg_mart_offers",
    "stg_mart_responses",
    "stg_mart_consents",
    "stg_mart_contact_points",
)
AS_OF = datetime(2026, 1, 10, tzinfo=UTC)


def measure(rounds: int, large: bool) -> dict[str, object]:
    """Seconds of both sides, their ratio, and whether it is within the bound."""
    manifest = dbt_manifest.load()  # The project is parsed once for each content; the parse is not part of any load.
    customers, contacts = (1_000_000, 20_000_000) if large else (100_000, 2_000_000)
    found: list[dict[str, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="bench-vault-") as folder:
            found.append(_round(Path(folder), manifest, customers, contacts))
    middle = {name: round(statistics.median(item[name] for item in found), 2) for name in found[0]}
    answer: dict[str, object] = {"customers": customers, "contacts": contacts, **middle, "bound": BOUND}
    for phase in ("first", "delta"):
        vault, plain, fixed = middle[f"{phase}_vault_s"], middle[f"{phase}_plain_s"], middle["fixed_s"]
        answer[f"{phase}_ratio"] = round((vault - fixed) / plain, 2)
        answer[f"{phase}_ratio_with_fixed_costs"] = round(vault / plain, 2)
        answer[f"{phase}_within_bound"] = (vault - fixed) / plain <= BOUND
    return answer


def _round(folder: Path, manifest: DbtManifest, customers: int, contacts: int) -> dict[str, float]:
    home = Settings.load(home=folder / "home")
    home.warehouse.parent.mkdir(parents=True)
    seconds: dict[str, float] = {}
    with _connect(home.warehouse) as connection:
        ensure_tables(connection, catalog.load(home).feeds_of("marketing"))
        connection.execute("CREATE SCHEMA silver; CREATE SCHEMA gold")
        _extract(connection, 1, "2026-01-05", customers, contacts, 0)
    plain = folder / "plain" / "warehouse.duckdb"
    plain.parent.mkdir()
    shutil.copyfile(home.warehouse, plain)
    _dbt(manifest, home, [*STAGES, *FEEDS_OF_STAGES])
    seconds["first_vault_s"] = _timed(lambda: _dbt(manifest, home, TABLES))
    seconds["first_plain_s"] = _timed(lambda: _plain_first(plain))
    seconds["fixed_s"] = min(_timed(lambda: _dbt(manifest, home, TABLES)) for _ in range(3))
    for path in (home.warehouse, plain):
        with _connect(path) as connection:
            _extract(connection, 2, "2026-01-06", customers // 100, contacts // 100, contacts)
    seconds["delta_vault_s"] = _timed(lambda: _dbt(manifest, home, TABLES))
    seconds["delta_plain_s"] = _timed(lambda: _plain_delta(plain))
    with _connect(home.warehouse) as one, _connect(plain) as other:
        for table in TABLES:
            ghost = 1 if table.startswith("sat_") else 0
            mine = one.execute(f"SELECT count(*) FROM silver.{table}").fetchall()[0][0] - ghost
            theirs = other.execute(f"SELECT count(*) FROM plain.{table}").fetchall()[0][0]
            if mine != theirs:
                raise AssertionError(f"{table}: the vault has {mine} rows, plain SQL {theirs}")
    return seconds


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path), config={"memory_limit": MEMORY, "threads": 2, "preserve_insertion_order": False})


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _dbt(manifest: DbtManifest, home: Settings, select: tuple[str, ...] | list[str]) -> None:
    invocation = dbt_runner.build(
        manifest, home, select=list(select), as_of=AS_OF, with_tests=False, memory_limit=MEMORY
    )
    for _event in invocation:
        pass
    if invocation.result.errors or invocation.result.exception:
        raise RuntimeError(f"dbt failed: {invocation.result}")


def _extract(
    connection: duckdb.DuckDBPyConnection, seq: int, day: str, customers: int, contacts: int, first_contact: int
) -> None:
    """Write the rows of one night into bronze. The contacts are numbered from `first_contact`; the customers are the
    same each night.
    """
    meta = f"DATE '{day}' AS business_date, 'b{seq}' AS _batch_id, i AS _line, {seq} AS _load_seq"
    op = "I" if seq == 1 else "U"
    connection.execute(
        f"""
        INSERT INTO bronze.mart_customers BY NAME
        SELECT '{op}' AS op, 'M' || lpad(i::VARCHAR, 8, '0') AS customer_id, 'Ann' || i % 997 AS first_name,
            'Lee' || i % 991 || '{seq}' AS last_name, 'a' || i || '@example.com' AS email,
            DATE '1960-01-01' + (i % 15000)::INTEGER AS birth_date, 'F' AS gender, i || ' River Street' AS street,
            'Albany' AS city, 'NY' AS state, lpad((i % 99999)::VARCHAR, 5, '0') AS postal_code, 'US' AS country,
            'active' AS customer_status, 'low' AS value_band, i % 1000 AS lifetime_value, DATE '2020-01-01' AS created_date,
            TIMESTAMP '{day}' AS updated_at, {meta}
        FROM range({customers}) AS r (i)
        """
    )
    connection.execute(
        f"""
        INSERT INTO bronze.mart_contacts BY NAME
        SELECT '{op}' AS op, 'T' || lpad((i + {first_contact})::VARCHAR, 10, '0') AS treatment_id,
            'M' || lpad((i * 7919 % {customers * (1 if seq == 1 else 100)})::VARCHAR, 8, '0') AS customer_id,
            'CMP' || lpad((i % 60)::VARCHAR, 6, '0') AS campaign_id,
            'CMP' || lpad((i % 60)::VARCHAR, 6, '0') || '-0' || i % 5 AS cell_id,
            CASE WHEN i % 5 > 0 THEN 'OFR' || lpad((i % 60)::VARCHAR, 6, '0') END AS offer_id,
            (['email', 'sms', 'post', 'push'])[1 + i % 4] AS channel, 'delivered' AS contact_status,
            TIMESTAMP '2026-01-01' + to_seconds(i % 400000) AS contacted_at, (i % 90) / 100 AS contact_cost,
            TIMESTAMP '{day}' AS updated_at, {meta}
        FROM range({contacts}) AS r (i)
        """
    )
    for feed in ("mart_customers", "mart_contacts"):
        connection.execute(
            "INSERT INTO ops.batches BY NAME SELECT ? AS batch_id, ? AS feed, 'marketing' AS domain, 'f' AS file_name, "
            "'0' AS sha256, 1 AS size_bytes, now()::TIMESTAMP AS arrived_at, ?::DATE AS business_date, ? AS load_seq, "
            "'loaded' AS status, 0 AS rows_in, 0 AS rows_loaded, 0 AS rows_quarantined, 0 AS rows_filtered, "
            "0 AS rows_collapsed, now()::TIMESTAMP AS loaded_at",
            [f"{feed}{seq}", feed, day, seq],
        )
        connection.execute("INSERT INTO ops.touched_dates VALUES (?, ?, ?)", [feed, day, seq])
    connection.execute("CHECKPOINT")


HUBS = {
    "customer": ("customer_id", "mart_customers"),
    "campaign": ("campaign_id", None),
    "cell": ("cell_id", None),
    "offer": ("offer_id", None),
    "channel": ("channel", None),
}
LOAD = "business_date::TIMESTAMP AS load_datetime"
LINK = f"""
    SELECT md5_number(concat_ws('|', treatment_id, customer_id, campaign_id, cell_id, coalesce(offer_id, ''), channel))
            AS link_contact_hk,
        md5_number(customer_id) AS customer_hk, md5_number(campaign_id) AS campaign_hk, md5_number(cell_id) AS cell_hk,
        coalesce(md5_number(offer_id), 0) AS offer_hk, md5_number(channel) AS channel_hk,
        md5_number(treatment_id) AS contact_hk, treatment_id, {LOAD}, 'mart_contacts' AS record_source,
        _load_seq AS load_seq
    FROM bronze.mart_contacts
"""
SAT_CONTACT = f"""
    SELECT md5_number(treatment_id) AS contact_hk,
        md5_number(concat_ws('|', contact_status, contacted_at, contact_cost, customer_id, campaign_id, cell_id,
            coalesce(offer_id, ''), channel, op = 'D')) AS contact_details_hashdiff,
        md5_number(concat_ws('|', treatment_id, customer_id, campaign_id, cell_id, coalesce(offer_id, ''), channel))
            AS link_contact_hk,
        contact_status, contacted_at, contact_cost, op = 'D' AS is_deleted, {LOAD}, 'mart_contacts' AS record_source,
        _load_seq AS load_seq
    FROM bronze.mart_contacts
"""
PAYLOAD = (
    "first_name, last_name, email, birth_date, gender, street, city, state, postal_code, country, customer_status, "
    "value_band, lifetime_value, created_date"
)
SAT_CUSTOMER = f"""
    SELECT md5_number(customer_id) AS customer_hk,
        md5_number(concat_ws('|', {PAYLOAD}, op = 'D')) AS customer_profile_hashdiff, {PAYLOAD}, op = 'D' AS is_deleted,
        {LOAD}, 'mart_customers' AS record_source, _load_seq AS load_seq
    FROM bronze.mart_customers
"""


def _hub(column: str, feed: str | None, condition: str) -> str:
    read = [
        f"SELECT {column}, business_date, _load_seq FROM bronze.mart_contacts WHERE {column} IS NOT NULL AND {condition}"
    ]
    if feed:
        read.append(f"SELECT {column}, business_date, _load_seq FROM bronze.{feed} WHERE {condition}")
    return (
        f"SELECT md5_number({column}) AS hk, {column}, min(business_date)::TIMESTAMP AS load_datetime, "
        f"'mart_contacts' AS record_source, min(_load_seq) AS load_seq FROM ({' UNION ALL '.join(read)}) GROUP BY {column}"
    )


def _plain_first(path: Path) -> None:
    with _connect(path) as connection:
        run = connection.execute
        run("CREATE SCHEMA plain")
        for name, (column, feed) in HUBS.items():
            run(f"CREATE TABLE plain.hub_{name} AS {_hub(column, feed, 'true')}")
        run(f"CREATE TABLE plain.link_contact AS {LINK}")
        run(f"CREATE TABLE plain.sat_contact_details AS {SAT_CONTACT}")
        run(f"CREATE TABLE plain.sat_customer_profile AS {SAT_CUSTOMER}")


def _plain_delta(path: Path) -> None:
    with _connect(path) as connection:
        run = connection.execute
        for name, (column, feed) in HUBS.items():
            run(
                f"INSERT INTO plain.hub_{name} SELECT * FROM ({_hub(column, feed, '_load_seq > 1')}) AS new "
                f"ANTI JOIN plain.hub_{name} AS known USING ({column})"
            )
        run(
            f"INSERT INTO plain.link_contact SELECT * FROM ({LINK} WHERE _load_seq > 1) AS new "
            "ANTI JOIN plain.link_contact AS known USING (link_contact_hk)"
        )
        for table, key, sql in (
            ("sat_contact_details", "contact_hk", SAT_CONTACT),
            ("sat_customer_profile", "customer_hk", SAT_CUSTOMER),
        ):
            run(
                f"INSERT INTO plain.{table} SELECT * FROM ({sql} WHERE _load_seq > 1) AS new "
                f"ANTI JOIN plain.{table} AS known USING ({key}, load_datetime)"
            )
