"""Every query in a first response or a runbook runs on a home with its fault, and shows the fault and nothing else.

The home has every table of every domain. `query_stories` puts the faults into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import duckdb
import pytest
import yaml

from ops_project.pipeline.learning import tables
from ops_project.settings import PACKAGE_DIR, Settings
from tests.docs.query_stories import STORIES, Home

pytestmark = pytest.mark.xdist_group("built_empty")

FILLED = {
    "{feed}": "orders",
    "{table}": "bronze.orders",
    "FEED": "orders",
    "ASSET": "gold/daily_revenue",
    "DOMAIN": "ecommerce",
    "KEY": "order_id",
    "VALUE": "O1",
}


@cache
def written() -> dict[tuple[str, int], str]:
    """(file, number) → every query that a first response or a runbook tells to run."""
    rules = yaml.safe_load((PACKAGE_DIR / "config" / "rules.yaml").read_text(encoding="utf-8"))
    classes = yaml.safe_load((PACKAGE_DIR / "config" / "failure_classes.yaml").read_text(encoding="utf-8"))
    told = [item["response"] for item in (*classes["first_responses"].values(), *rules["rules"].values())]
    texts = {"rules": "\n".join(told)}
    texts |= {page.stem: page.read_text(encoding="utf-8") for page in (PACKAGE_DIR / "runbooks").glob("*.md")}
    return {
        (name, number): query
        for name, text in sorted(texts.items())
        for number, query in enumerate(re.findall(r'ops sql "([^"]+)"', text))
    }


@pytest.fixture(scope="module")
def warehouse(built_empty: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(built_empty.warehouse)) as connection:
        tables.ensure(connection)
        yield connection


def test_every_query_has_a_story() -> None:
    assert set(written()) == set(STORIES)


@pytest.mark.parametrize(("name", "number"), sorted(written()), ids=lambda part: str(part))
def test_the_query_shows_its_fault_and_nothing_else(
    warehouse: duckdb.DuckDBPyConnection, name: str, number: int
) -> None:
    query = written()[name, number]
    for placeholder, value in FILLED.items():
        query = query.replace(placeholder, value)
    warehouse.execute("begin")
    try:
        shown, hidden = STORIES[name, number](Home(warehouse))
        lines = warehouse.execute(query).fetchall()
    finally:
        warehouse.execute("rollback")
    text = "\n".join(str([str(value) for value in line]) for line in lines)
    assert all(word in text for word in shown), text
    assert not any(word in text for word in hidden), text
    assert len(lines) <= 100, "`ops sql` shows a hundred lines"
