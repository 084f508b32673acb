"""A new entity is metadata only: a feed's contract and rows in three tables; the rest is generated, built and tested."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import shortcuts
from ops_project.pipeline.dbt_engine.compile import QUIET, folders
from ops_project.pipeline.landing.write.tables import ensure_tables
from ops_project.settings import CONFIG_DIR, DBT_PROJECT_DIR, Settings

FEED = """
  mart_products:
    description: Products that offers are about.
    inbound: "mart_products_{date:%Y%m%d}{revision}.dat"
    key: product_id
    columns:
      op: {type: string, required: true, allowed: [I, U, D]}
      product_id: {type: string, required: true}
      offer_id: {type: string}
      product_name: {type: string}
      price: {type: string, description: Text in the source}
"""
ROWS = {
    "entities": """hub_product,hub,,A thing that is sold
sat_product_details,satellite,hub_product,How a product is described
link_offer_product,link,,An offer is about a product
eff_sat_offer_product,effectivity_satellite,link_offer_product,Since when an offer is about a product
uds_product,interface,hub_product,Canonical product
""",
    "attributes": """hub_product,product_id,business_key,,mart_products,product_id,yes,Product number
sat_product_details,product_id,parent_key,,mart_products,product_id,yes,Product number
sat_product_details,product_name,payload,,mart_products,product_name,no,Name
sat_product_details,list_price,payload,,mart_products,price,no,Price as text
link_offer_product,product_id,driving_key,hub_product,mart_products,product_id,yes,The product
link_offer_product,offer_id,reference,hub_offer,mart_products,offer_id,yes,The offer
eff_sat_offer_product,product_id,parent_key,,mart_products,product_id,yes,Product number
""",
    "mappings": """uds_product,product_id,hub_product,product_id,,varchar,yes,yes,Product number
uds_product,product_name,sat_product_details,product_name,trim({source}),varchar,yes,no,Name
uds_product,list_price,sat_product_details,list_price,,"decimal(10,2)",no,no,Price
""",
}


def overlay(folder: Path) -> Path:
    (folder / "metadata" / "marketing").mkdir(parents=True)
    (folder / "feeds").mkdir()
    contract = (CONFIG_DIR / "feeds" / "marketing.yaml").read_text(encoding="utf-8")
    (folder / "feeds" / "marketing.yaml").write_text(contract.rstrip("\n") + "\n" + FEED, encoding="utf-8")
    for name, rows in ROWS.items():
        shipped = (CONFIG_DIR / "metadata" / "marketing" / f"{name}.csv").read_text(encoding="utf-8")
        (folder / "metadata" / "marketing" / f"{name}.csv").write_text(shipped + rows, encoding="utf-8")
    return folder


def parsed(project: Path, target: Path) -> Any:
    """dbt's Manifest of a project that differs little from the shipped one. As after every change of the shipped one
    (compile.py), dbt reads only what differs; reading all of it would cost 6 s.
    """
    from dbt.cli.main import dbtRunner
    from dbt.constants import PARTIAL_PARSE_FILE_NAME

    target.mkdir()
    shutil.copy(dbt_manifest.load().folder / dbt_manifest.MANIFEST_OBJECT, target / PARTIAL_PARSE_FILE_NAME)
    # If these differed from the values of the first parse, dbt would read everything again.
    empty = Settings.load(home=DBT_PROJECT_DIR / "target" / "empty")
    with empty.exported(OPS_MEMORY_LIMIT="1GB", OPS_DBT_THREADS="1"):
        outcome = dbtRunner().invoke(
            [*QUIET, "parse", *folders(project), "--target-path", str(target), "--no-write-json"]
        )
    assert outcome.success, outcome.exception
    return outcome.result


def test_an_entity_is_added_by_metadata_alone_and_builds(tmp_path: Path) -> None:
    from dbt.cli.main import dbtRunner

    shortcuts.take()
    config, project = overlay(tmp_path / "config"), tmp_path / "dbt"
    shutil.copytree(DBT_PROJECT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    words = ["--home", str(tmp_path / "home"), "--config", str(config), "metadata", "generate"]
    result = CliRunner().invoke(cli, [*words, "--models", str(project / "models"), "--json"])
    assert result.exit_code == 0, result.output

    settings = Settings.load(home=tmp_path / "home", overlay=config)
    settings.warehouse.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        ensure_tables(connection, catalog.load(settings).feeds.values())
        connection.execute(
            "INSERT INTO bronze.mart_products BY NAME SELECT * FROM (VALUES "
            "('I', 'P1', 'O1', ' Tea ', '2.50'), ('I', 'P2', NULL, 'Cup', 'free'), ('I', 'P3', 'O1', NULL, '1'), "
            "('D', 'P4', 'O2', 'Pot', '9')) AS rows (op, product_id, offer_id, product_name, price), "
            "(SELECT DATE '2026-01-05' AS business_date, 1 AS _load_seq, 'b1' AS _batch_id)"
        )
    manifest = parsed(project, tmp_path / "target")
    with settings.exported():
        outcome = dbtRunner(manifest=manifest).invoke(
            [
                *QUIET,
                "build",
                *folders(project),
                "--target-path",
                str(tmp_path / "target"),
                "--no-write-json",
                "--select",
                "+uds_product",
                "eff_sat_offer_product",
                "link_offer_product",
                "hub_offer",
                "+interface_rejects",
                "--exclude",
                "test_name:accepted_share",
                "--indirect-selection",
                "buildable",
                # As a run does: the unit tests of the shipped models state the shipped inputs.
                "--exclude-resource-types",
                "unit_test",
            ]
        )
    assert outcome.success, [
        (item.node.name, item.message) for item in outcome.result.results if str(item.status) not in ("pass", "success")
    ]
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        products = connection.execute("SELECT product_id, product_name, list_price FROM silver.uds_product").fetchall()
        rejects = connection.execute(
            "SELECT entity_key, mapping, reason FROM silver.interface_rejects WHERE entity = 'uds_product' ORDER BY ALL"
        ).fetchall()
        links = connection.execute("SELECT count(*) FROM silver.link_offer_product").fetchone()
        offers = connection.execute("SELECT offer_id FROM silver.hub_offer ORDER BY ALL").fetchall()
    assert [(row[0], row[1], str(row[2])) for row in products] == [("P1", "Tea", "2.50")]
    assert rejects == [
        ("P2", "uds_product.list_price", "not_castable"),
        ("P3", "uds_product.product_name", "mandatory_is_empty"),
    ]
    assert links == (3,)
    assert offers == [("O1",), ("O2",)]
