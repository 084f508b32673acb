"""The type in which two columns are compared, and the short cut for texts."""

from __future__ import annotations

import duckdb
import pytest

from ops_project.pipeline.reconcile.agreed import BEGINS_WITH_A_LETTER, NUMBER, agreed_type
from ops_project.pipeline.reconcile.sides import Side, as_instant

LETTERS = ("infinity", "epoch", "today", "NaN", "e5", "é1", "ä2026-01-01", "BC2026", "T10:00", "Jan 1 2026", "x")


def test_no_text_that_begins_with_a_letter_is_a_number_or_an_instant() -> None:
    rows = duckdb.sql(
        f"""
        select {BEGINS_WITH_A_LETTER.format(text="value")}, regexp_full_match(value, '{NUMBER}'),
            {as_instant("value", "DATE")}, {as_instant("value", "TIMESTAMP")}
        from (select unnest({list(LETTERS)}) as value)
        """
    ).fetchall()
    assert rows == [(True, False, None, None)] * len(LETTERS)


@pytest.mark.parametrize(
    ("source", "target", "agreed"),
    [
        (["1", "20"], ["1.5", None], "DECIMAL(38,1)"),
        (["1", "20"], ["1.5", "x"], "VARCHAR"),
        (["1", " a"], ["1", "2"], "VARCHAR"),
        (["007"], ["7"], "VARCHAR"),
        (["2026-03-01", ""], [None], "DATE"),
        (["2026-03-01"], ["2026-03-01T10:00:00"], "TIMESTAMP"),
        (["2026-03-01"], ["1"], "VARCHAR"),
        ([""], [None], "VARCHAR"),
    ],
)
def test_two_texts_are_compared_as_what_both_are(
    source: list[str | None], target: list[str | None], agreed: str
) -> None:
    with duckdb.connect() as connection:
        sides = []
        for name, values in (("source", source), ("target", target)):
            connection.execute(f"create table {name} (value varchar)")
            connection.executemany(f"insert into {name} values (?)", [[value] for value in values])
            sides.append(Side(name, name, {"value": "VARCHAR"}, is_file=True))
        assert agreed_type(connection, *sides, "value") == agreed
        assert agreed_type(connection, *reversed(sides), "value") == agreed
