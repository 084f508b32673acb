"""Stores a mark for each dbt test that looks only at new rows. The mark is the time of the newest build whose rows have
passed the test. The test looks only at rows after its mark (macro last_build). The mark moves only when the test
passes. So after a failure, a warning or a killed run, the same rows are tested again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import duckdb

from ops_project.settings import Settings


def passed(results: Iterable[Any]) -> list[tuple[str, str]]:
    """The (test, model) pair of each test that looks only at new rows and has passed."""
    return [
        (item.node.name, str(item.node.attached_node or "").rsplit(".", 1)[-1])
        for item in results
        if item.node.resource_type == "test" and str(item.status) == "pass" and _looks_at_new_rows(item.node)
    ]


def _looks_at_new_rows(node: Any) -> bool:
    metadata = getattr(node, "test_metadata", None)
    return bool(node.config.where or (metadata is not None and metadata.kwargs.get("grows")))


def record(settings: Settings, tests: list[tuple[str, str]], as_of: datetime) -> None:
    """Set the marks of these tests to the time of the build."""
    if not tests:
        return
    moment = as_of.astimezone(UTC).replace(tzinfo=None, microsecond=0) if as_of.tzinfo else as_of
    # The options are the same as those of the writer's own connection and dbt's. So DuckDB shares one instance in this
    # process.
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.begin()
        connection.execute("DELETE FROM ops.tested WHERE list_contains(?, test)", [[name for name, _ in tests]])
        connection.execute(
            "INSERT INTO ops.tested SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), ?",
            [[name for name, _ in tests], [model for _, model in tests], moment],
        )
        connection.commit()
