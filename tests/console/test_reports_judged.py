"""A report counts what was open at the end of its period, judges the figures in words, and shows what came from outside as
text.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb
import pytest

from ops_project.operations.reports import document
from ops_project.operations.reports.facts import FigureFacts, ReportFacts
from ops_project.operations.reports.judge import judge
from ops_project.queries.boards import REPORTS, figures


def test_a_report_counts_every_finding_that_was_open_at_its_end():
    """Thirty old findings were mended after the period, and one was mended in it."""
    since, until = datetime(2026, 3, 1), datetime(2026, 3, 8)  # noqa: DTZ001 - as the snapshot has them
    old, after = since - timedelta(days=9), until + timedelta(days=2)
    with duckdb.connect() as connection:
        connection.sql("create schema ops")
        columns = "feed text, asset text, kind text, business_date date, observed_at timestamp, resolved_at timestamp"
        connection.sql(f"create table ops.findings ({columns})")
        rows = [("orders", None, "source_late", old.date(), old, after)] * 30
        rows += [("orders", None, "source_late", since.date(), since, until - timedelta(days=1))]
        connection.executemany("insert into ops.findings values (?, ?, ?, ?, ?, ?)", rows)
        sql = next(item for item in figures(REPORTS) if item.name == "findings").sql
        states = [row[-1] for row in connection.execute(sql, {"since": since, "as_of": until}).fetchall()]
    assert states == ["open"] * 30 + ["ended"]


def _facts(*found: FigureFacts) -> ReportFacts:
    return ReportFacts(
        "weekly",
        "T",
        "Q?",
        "2026-03-02",
        "2026-03-08",
        "2026-03-09T04:00:00+00:00",
        "2026-03-09T05:00:00+00:00",
        "America/New_York",
        found,
    )


def _figure(name: str, columns: str, *rows: tuple, unknown: str = "", empty: str = "") -> FigureFacts:
    return FigureFacts(
        name, name.title(), "t", "select 1", "the ledger", "", unknown, empty, tuple(columns.split()), rows
    )


RUNS = "job runs failed seconds longest_seconds"
BEFORE = "job runs failed seconds"


@pytest.mark.parametrize(
    ("figures_", "state", "words"),
    [
        ([_figure("runs", RUNS, ("a", 7, 0, 70.0, 12.0))], "well", "7 runs in 70 s, 0 failed."),
        ([_figure("runs", RUNS, ("a", 7, 2, 70.0, 12.0))], "wrong", "a failed 2 of 7 times."),
        (
            [_figure("runs", RUNS, ("a", 1, 0, 30.0, 30.0)), _figure("runs_before", BEFORE, ("a", 2, 0, 20.0))],
            "well",
            "3.0 times as long",
        ),
        ([_figure("runs", RUNS, empty="Nothing ran.")], "unknown", "unknown. Nothing ran."),
        ([_figure("incidents", "number priority title domain opened_at resolved_at")], "well", "No incident."),
        ([_figure("broken_promises", "promise pipeline missed", ("by 8", "p", 1))], "wrong", "Readers waited: by 8."),
        ([_figure("data_age", "domain complete_through", ("a", "2026-03-07"))], "well", "1 of 1 domain."),
        (
            [_figure("data_age", "domain complete_through", ("a", "2026-03-05"))],
            "wrong",
            "complete only up to 2026-03-05",
        ),
        ([_figure("data_age", "domain complete_through", ("a", None))], "unknown", "an unknown date"),
        (
            [_figure("findings", "subject kind business_date state", ("orders", "source_late", None, "open"))],
            "wrong",
            "orders: source late",
        ),
        (
            [
                _figure(
                    "scores", "layer mean_score lowest tables_below_85 tables_without_score", ("gold", 90.0, 80.0, 1, 0)
                )
            ],
            "wrong",
            "1 table of gold below 85",
        ),
        (
            [
                _figure(
                    "scores", "layer mean_score lowest tables_below_85 tables_without_score", ("gold", None, None, 0, 2)
                )
            ],
            "unknown",
            "2 tables of gold without a score",
        ),
        ([_figure("disk", "highest_percent newest_percent readings", (85.0, 80.0, 9))], "wrong", "little room"),
        (
            [_figure("reconciliations", "asset reconciliation compared breaks", ("silver/x", "r", 7, 1))],
            "wrong",
            "disagreed 1 of 7",
        ),
        (
            [
                _figure(
                    "restatements",
                    "metric period_start change_percent is_beyond_tolerance",
                    ("profit", "2026-01-01", 9.5, True),
                )
            ],
            "wrong",
            "9.5 % off",
        ),
        (
            [_figure("cost_per_metric", "domain runs seconds gold_tables seconds_per_table", ("a", 7, 70.0, 7, 10.0))],
            "well",
            "Most expensive: a, 10 s",
        ),
    ],
)
def test_the_judgement(figures_, state, words):
    found = judge(_facts(*figures_))
    assert found.state == state
    assert any(words in sentence for sentence in [*found.happened, *found.meant])
    assert found.meant and found.todo


def test_what_came_from_outside_is_text_in_a_report():
    facts = _facts(_figure("alerts", "rule severity fired", ("<script>|*x*_y_ a_b", "high", 1234)))
    text, html = document.as_markdown(facts), document.as_html(facts)
    assert "\\<script\\>\\|\\*x\\*" in text and "a_b" in text and "1,234" in text
    assert "<script>" not in html and "<em>x</em>" not in html
