"""Every column of the five domains: read from the code, compared with the tables that the code makes."""

from __future__ import annotations

import json

import duckdb
import pytest

from ops_project.catalog import load as load_catalog
from ops_project.column_lineage import ROWS, Column, ColumnLineage
from ops_project.operations.diagnosis.columns import resolved
from ops_project.pipeline.column_lineage import declared
from ops_project.pipeline.column_lineage.project import column_lineage
from ops_project.pipeline.dbt_engine import manifest
from ops_project.pipeline.learning.tables import TABLE_OF, TABLES
from ops_project.settings import Settings

# One worker builds the empty tables, for all of the tests that look at them.
pytestmark = pytest.mark.xdist_group("built_empty")
TOLD = 0.97


@pytest.fixture(scope="module")
def lineage(tmp_path_factory: pytest.TempPathFactory) -> ColumnLineage:
    catalog = load_catalog(Settings(home=tmp_path_factory.mktemp("lineage")))
    return column_lineage(catalog, manifest.load())


def test_every_column_of_every_table_is_told_or_unknown_with_a_reason(
    lineage: ColumnLineage, built_empty: Settings
) -> None:
    with duckdb.connect(str(built_empty.warehouse), read_only=True) as connection:
        real = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns()"
            " where schema_name in ('bronze', 'silver', 'gold') and table_name not like '%\\_\\_dbt%' escape '\\'"
        ).fetchall()
    known = {column for column in lineage.origins if column.asset.split("/")[0] in ("bronze", "silver", "gold")}
    tables = {column.asset for column in known}
    assert {f"{schema}/{table}" for schema, table, _ in real} <= tables
    built = {f"{schema}/{table}" for schema, table, _ in real}
    assert {Column(f"{schema}/{table}", name.lower()) for schema, table, name in real} == {
        column for column in known if column.name != ROWS and column.asset in built
    }
    unknown = lineage.unknown_columns()
    assert all(unknown.values())
    assert min(part.share for part in resolved(lineage).values()) >= TOLD


def test_every_parent_is_a_column_that_exists(lineage: ColumnLineage) -> None:
    strangers = {parent for origin in lineage.origins.values() for parent in origin.parents} - lineage.origins.keys()
    # The engine's own list of tables is no asset.
    assert {column.asset for column in strangers} <= {"information_schema/tables"}


def test_python_assets_declare_each_column_and_only_what_they_read(lineage: ColumnLineage) -> None:
    for table in TABLE_OF.values():
        assert set(declared.DECLARED[table.replace(".", "/")]) == set(TABLES[table])
    assert all(origin.state != "unknown" for origin in declared.of_python().values())


def test_personal_data_follows_the_values_and_not_the_numbers(lineage: ColumnLineage) -> None:
    personal = lineage.personal
    assert Column("bronze/mart_customers", "email") in personal
    assert Column("gold/customer_360", "email") in personal
    # a hash of personal data is still personal data
    assert Column("silver/sat_customer_profile", "customer_profile_hashdiff") in personal
    # The number of holders is not personal data. Neither is a value that only depends on personal data.
    assert not {column for column in personal if column.asset == "gold/kpi_policies"}


def test_what_is_kept_is_what_was_read(lineage: ColumnLineage) -> None:
    again = ColumnLineage.load(json.loads(json.dumps(lineage.dump())))
    assert again.origins == lineage.origins and again.version == lineage.version
