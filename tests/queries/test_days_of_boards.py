"""A board counts a moment on the day of the platform's time zone, as reports and rotas do."""

from __future__ import annotations

import re
from datetime import date, datetime

import duckdb
import pytest

from ops_project.queries.boards import LEDGER, SNAPSHOT, every, figure

AS_OF = datetime.fromisoformat("2026-03-04T12:00:00")
EVENING, NIGHT = "timestamp '2026-03-01 03:30:00'", "timestamp '2026-03-01 06:30:00'"
"""03:30 UTC is the evening of 28 February in New York. 06:30 UTC is 01:30 on 1 March there."""
DAY_OF_A_MOMENT = re.compile(
    r"\b\w*(?:_at|as_of)\b\s*(?:::\s*date|as date\b)|substr\(\s*\w+_at|(?:strftime|date_trunc|date|to_char)\([^)]*_at\b"
)


def _zoned(sql: str) -> str:
    """The query without the places that name the time zone."""
    return re.sub(r"\(?\w+ at time zone 'UTC' at time zone \$zone\)?|local_day\([^)]*\)", "zoned", sql)


def test_no_figure_takes_the_day_of_a_moment_in_utc():
    assert DAY_OF_A_MOMENT.search("select as_of::date") and DAY_OF_A_MOMENT.search("strftime(loaded_at, '%Y')")
    assert DAY_OF_A_MOMENT.search("substr(started_at, 1, 10)")
    sources = [item for item in every() if item.source != LEDGER and not item.board.startswith("queries-")]
    assert [item.id for item in sources if DAY_OF_A_MOMENT.search(_zoned(item.sql))] == []
    assert len([item for item in sources if item.source == SNAPSHOT]) > 20


@pytest.mark.parametrize(
    ("name", "table", "expected"),
    [
        (
            ("quality", "scores_over_time"),
            f"create table ops.quality_scores as select unnest([{EVENING}, {NIGHT}]) as as_of,"
            " 'bronze' as table_schema, 'a' as table_name, 50.0 as score",
            [date(2026, 2, 28), date(2026, 3, 1)],
        ),
        (
            ("models", "drift"),
            f"create table ops.model_health as select unnest([{EVENING}, {NIGHT}]) as as_of,"
            " 'churn' as model, 'input_drift' as metric, 0.1 as value",
            [date(2026, 2, 28), date(2026, 3, 1)],
        ),
        (
            ("reports", "growth"),
            f"create table ops.batches as select unnest([{EVENING}, {NIGHT}]) as loaded_at,"
            " 1 as rows_loaded, 1 as size_bytes",
            ["2026-03", "2026-02"],
        ),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_a_moment_counts_on_the_day_of_the_platform(name: tuple[str, str], table: str, expected: list[object]):
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema ops")
        connection.execute(table)
        sql = figure(*name).sql
        values = {"as_of": AS_OF, "zone": "America/New_York"}
        rows = connection.execute(sql, {key: value for key, value in values.items() if f"${key}" in sql}).fetchall()
    assert [row[0] for row in rows] == expected
