"""The data of a chart, from the rows of a figure."""

from __future__ import annotations

from datetime import UTC, date, datetime

from ops_project.console.figures import Answer, bars, chart
from ops_project.queries.boards import Figure

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def _answer(shape: str, columns: tuple[str, ...], *rows: tuple[object, ...]) -> Answer:
    return Answer(Figure("b", "n", "T", "t", "snapshot", shape, "", "select 1"), NOW, columns, rows)


def test_a_line_keeps_its_gaps_and_draws_its_band():
    found = chart(
        _answer(
            "line",
            ("day", "revenue", "seven_day_average", "expected_low", "expected_high"),
            (date(2026, 3, 1), 5, 4, 1, 9),
            (date(2026, 3, 2), None, 4, None, None),
        )
    )
    assert found["x"] == [1772323200.0, 1772409600.0] and found["series"][2]["values"] == [5.0, None]
    assert [item["role"] for item in found["series"]] == ["band", "band", "line", "average"]
    assert found["bands"] == [[1, 0]]
    assert chart(_answer("line", ("day", "n"), (date(2026, 3, 1), 1))) is None, "one point is no line"


def test_bars_are_shares_of_the_largest():
    found = bars(_answer("bars", ("reason", "rows", "files"), ("a", 10, 2), ("b", 5, 1), (None, None, 0)))
    assert found == [("a", 10.0, 100.0, (2,)), ("b", 5.0, 50.0, (1,)), ("unknown", None, 0.0, (0,))]
    assert bars(_answer("bars", ("reason", "rows"), ("a", 0))) == [("a", 0.0, 0.0, ())]
