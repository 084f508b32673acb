"""The vault's own SQL on a small warehouse in memory: compiled by dbt once, run as dbt would run it.

Building with dbt costs seconds; a property needs hundreds of builds. `test_build.py` shows that this module and a build
with dbt give the same tables.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from ops_project.model.feed.feed import Feed
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import shortcuts
from ops_project.pipeline.landing.write.tables import ensure_tables
from ops_project.settings import Settings

UNCONSUMED = 987_654_321
FIRST = date(2026, 1, 5)
LAYERS = (["marketing", "staging"], ["marketing", "raw_vault"], ["marketing", "interface"])
# These columns say how a load came about, and not what it contains.
ARRIVAL = {
    "hub": {"load_datetime", "record_source", "load_seq"},
    "link": {"load_datetime", "record_source", "load_seq"},
}


@dataclass(frozen=True)
class Model:
    """A dbt model with its SQL for a first build and for a later one."""

    name: str
    kind: str
    first: str
    later: str


def compile_models(home: Path, feeds: Iterable[Feed]) -> list[Model]:
    """The models of staging, vault and interface in the order in which dbt builds them."""
    settings = Settings.load(home=home)
    settings.warehouse.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        ensure_tables(connection, feeds)
        connection.execute("CREATE SCHEMA silver; CREATE SCHEMA gold")
    models = _in_order(dbt_manifest.load())
    with duckdb.connect(str(settings.warehouse)) as connection:
        for name, kind, sql in models:
            connection.execute(f"CREATE {'VIEW' if kind == 'view' else 'TABLE'} silver.{name} AS {sql}")
            connection.execute("INSERT INTO ops.builds VALUES (?, ?, now()::TIMESTAMP)", [name, UNCONSUMED])
    later = _compile(settings, [name for name, kind, _ in models if kind == "incremental"])
    return [Model(name, kind, sql, later.get(name, sql)) for name, kind, sql in models]


def _in_order(manifest: dbt_manifest.DbtManifest) -> list[tuple[str, str, str]]:
    """Name, materialization and first SQL of each model, after its parents. The parsed project holds this SQL."""
    nodes = {
        name: node
        for name, node in manifest.json["nodes"].items()
        if node["resource_type"] == "model" and node["fqn"][1:3] in LAYERS
    }
    order = TopologicalSorter({name: node["depends_on"]["nodes"] for name, node in nodes.items()})
    return [
        (nodes[name]["name"], nodes[name]["config"]["materialized"], manifest.compiled[name])
        for name in order.static_order()
        if name in nodes
    ]


def _compile(settings: Settings, models: Iterable[str]) -> dict[str, str]:
    """Model → its SQL, compiled by dbt for the tables that exist."""
    from dbt.cli.main import dbtRunner

    shortcuts.take()
    manifest = dbt_manifest.load()
    folder = str(manifest.project_dir)
    with settings.exported():
        outcome = dbtRunner(manifest=manifest.to_run()).invoke(
            [
                "--log-level",
                "none",
                "--log-level-file",
                "none",
                "--no-print",
                "compile",
                "--project-dir",
                folder,
                "--profiles-dir",
                folder,
                "--target-path",
                str(settings.home / "target"),
                "--no-write-json",
                # Nobody reads the SQL of the models' tests.
                "--indirect-selection",
                "empty",
                "--select",
                *models,
            ]
        )
    assert outcome.success, outcome.exception
    results: list[Any] = getattr(outcome.result, "results", [])
    return {item.node.name: item.node.compiled_code for item in results}


@dataclass(frozen=True)
class Extract:
    """One file's rows."""

    feed: str
    day: date
    rows: tuple[dict[str, Any], ...]


@dataclass
class Warehouse:
    """A warehouse in memory, loaded as landing and dbt would load it."""

    models: Sequence[Model]
    feeds: Sequence[Feed]
    connection: duckdb.DuckDBPyConnection = field(init=False)
    load_seq: int = 0
    made: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1; ATTACH ':memory:' AS warehouse; USE warehouse")
        ensure_tables(self.connection, self.feeds)
        self.connection.execute("CREATE SCHEMA silver")

    @property
    def vault(self) -> list[str]:
        """The tables that grow, and the views between them and bronze."""
        return [model.name for model in self.models if model.kind == "incremental" or model.name.startswith("stg_")]

    def deliver(self, extract: Extract) -> None:
        """Deliver a file as landing does: it replaces earlier rows for the feed's date."""
        self.load_seq += 1
        run = self.connection.execute
        run(f"DELETE FROM bronze.{extract.feed} WHERE business_date = ?", [extract.day])
        run(
            "UPDATE ops.batches SET status = 'replaced' WHERE feed = ? AND business_date = ? AND status = 'loaded'",
            [extract.feed, extract.day],
        )
        count, moment = len(extract.rows), "2026-02-01 00:00:00"
        batch = {
            "batch_id": f"b{self.load_seq}",
            "feed": extract.feed,
            "domain": "marketing",
            "file_name": "f",
            "sha256": "0",
            "size_bytes": 1,
            "arrived_at": moment,
            "business_date": extract.day,
            "load_seq": self.load_seq,
            "status": "loaded",
            "rows_in": count,
            "rows_loaded": count,
            "rows_quarantined": 0,
            "rows_filtered": 0,
            "rows_collapsed": 0,
            "loaded_at": moment,
        }
        self._insert("ops.batches", batch)
        for line, row in enumerate(extract.rows, start=2):
            self._insert(
                f"bronze.{extract.feed}",
                {
                    **row,
                    "business_date": extract.day,
                    "_batch_id": batch["batch_id"],
                    "_line": line,
                    "_load_seq": self.load_seq,
                },
            )

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        marks = ", ".join("?" for _ in row)
        self.connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def build(self, only: Iterable[str] = ()) -> None:
        """Build every model once, or only the models that are named."""
        chosen = set(only)
        for model in self.models:
            if chosen and model.name not in chosen:
                continue
            if model.kind != "incremental":
                if model.kind == "table" or model.name not in self.made:
                    kind = "VIEW" if model.kind == "view" else "TABLE"
                    self.connection.execute(f"CREATE OR REPLACE {kind} silver.{model.name} AS {model.first}")
            elif model.name not in self.made:
                self.connection.execute(f"CREATE TABLE silver.{model.name} AS {model.first}")
            else:
                self.connection.execute(
                    f"INSERT INTO silver.{model.name} BY NAME "
                    + model.later.replace(str(UNCONSUMED), str(self.consumed(model.name)))
                )
            self.made.add(model.name)
            if model.kind != "incremental":
                continue  # No model asks up to which load a view or a table was built.
            self.connection.execute("DELETE FROM ops.builds WHERE model = ?", [model.name])
            self.connection.execute(
                "INSERT INTO ops.builds VALUES (?, ?, now()::TIMESTAMP)", [model.name, self.load_seq]
            )

    def consumed(self, model: str) -> int:
        found = self.connection.execute("SELECT max(load_seq) FROM ops.builds WHERE model = ?", [model]).fetchone()
        return found[0] if found and found[0] is not None else -1

    def content(self, model: str) -> list[tuple[Any, ...]]:
        """The rows without the columns about their arrival, as a sorted set. Different batches may have held the same
        rows.
        """
        return self._rows(model, self._columns()[model])

    def checksums(self) -> dict[str, list[tuple[Any, ...]]]:
        """Model → its rows, for the models that are not the stage of a feed."""
        return self._contents([model.name for model in self.models if not model.name.startswith("stg_")])

    def _contents(self, models: Iterable[str]) -> dict[str, list[tuple[Any, ...]]]:
        asked, found, columns = set(models), {}, self._columns()
        # A view that reads views is planned with all of them. So each view becomes a table of its rows while it is read.
        self.connection.execute("BEGIN TRANSACTION")
        for model in self.models:
            if model.kind == "view":
                name = model.name
                self.connection.execute(f"DROP VIEW silver.{name}; CREATE TABLE silver.{name} AS {model.first}")
            if model.name in asked:
                found[model.name] = self._rows(model.name, columns[model.name])
        self.connection.execute("ROLLBACK")
        return found

    def _columns(self) -> dict[str, list[str]]:
        """Model → its columns, in one query: DESCRIBE would bind each view a second time."""
        return dict(
            self.connection.execute(
                "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
                "WHERE schema_name = 'silver' GROUP BY table_name"
            ).fetchall()
        )

    def _rows(self, model: str, columns: Iterable[str]) -> list[tuple[Any, ...]]:
        ignored = ARRIVAL.get(model.partition("_")[0], {"load_seq"})
        names = ", ".join(f'"{name}"' for name in columns if name not in ignored)
        return self.connection.execute(f"SELECT DISTINCT {names} FROM silver.{model} ORDER BY ALL").fetchall()


def extracts(seed: int, days: int = 4) -> list[Extract]:
    """A small data mart: a few keys whose state changes, returns, is deleted, and is delivered again unchanged."""
    chance = random.Random(seed)

    def some(feed: str, day: date, keys: Sequence[dict[str, Any]], payload: dict[str, Sequence[Any]]) -> Extract:
        chosen = [key for key in keys if chance.random() < 0.6]
        rows = [
            {**key, **{name: chance.choice(values) for name, values in payload.items()}, "op": chance.choice("UUUD")}
            for key in chosen
        ]
        return Extract(feed, day, tuple(rows))

    customers = [{"customer_id": f"M{n}"} for n in range(3)]
    offers = [{"offer_id": f"O{n}"} for n in range(2)]
    campaigns = [{"campaign_id": f"C{n}"} for n in range(2)]
    cells = [{"cell_id": f"L{n}"} for n in range(2)]
    contacts = [{"treatment_id": f"T{n}"} for n in range(3)]
    responses = [{"response_id": f"R{n}"} for n in range(2)]
    ids: dict[str, Sequence[Any]] = {
        "campaign_id": ["C0", "C1"],
        "offer_id": ["O0", "O1", None],
        "channel": ["email", "sms"],
    }
    people: dict[str, Sequence[Any]] = {"customer_id": ["M0", "M1", "M9"]}
    result: list[Extract] = []
    for number in range(days):
        day = FIRST + timedelta(days=number)
        result += [
            some(
                "mart_customers",
                day,
                customers,
                {
                    "first_name": ["Ann", "Bo", ""],
                    "last_name": ["Lee", None],
                    "country": ["US"],
                    "customer_status": ["active"],
                    "value_band": ["low"],
                    "created_date": [FIRST],
                },
            ),
            some(
                "mart_contact_points",
                day,
                [
                    {**key, "contact_point_type": kind, "contact_point_number": n}
                    for key in customers[:2]
                    for kind in ("email", "sms")
                    for n in (1, 2)
                ],
                {"contact_point_value": ["a", "b"], "is_valid": [True, False], "is_preferred": [True]},
            ),
            some(
                "mart_consents",
                day,
                [{**key, "channel": "email"} for key in customers],
                {"consent_status": ["opted_in", "opted_out"], "consented_at": ["2026-01-01 00:00:00"]},
            ),
            some(
                "mart_campaigns",
                day,
                campaigns,
                {
                    "campaign_name": ["x", "y"],
                    "campaign_type": ["retention"],
                    "campaign_status": ["active"],
                    "start_date": [FIRST],
                },
            ),
            some("mart_offers", day, offers, {"offer_name": ["p", "q"], "offer_type": ["gift"]}),
            some("mart_cells", day, cells, {**ids, "cell_name": ["m", "n"], "is_control": [True, False]}),
            some(
                "mart_contacts",
                day,
                contacts,
                {
                    **ids,
                    **people,
                    "cell_id": ["L0", "L1"],
                    "contact_status": ["sent"],
                    "contacted_at": ["2026-01-02 00:00:00", "2026-01-03 00:00:00"],
                    "contact_cost": [1],
                },
            ),
            some(
                "mart_responses",
                day,
                responses,
                {
                    **ids,
                    **people,
                    "treatment_id": ["T0", "T1"],
                    "response_type": ["open", "conversion"],
                    "responded_at": ["2026-01-04 00:00:00"],
                },
            ),
        ]
    return [extract for extract in result if extract.rows]
