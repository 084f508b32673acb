"""Data that goes into an answer comes out unchanged: in tables, lines, JSON and CSV. Data is never markup."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_project.cli.output import PlainConsole, csv_line, styled, table, to_json, write_out
from ops_project.visible import visible

TEXT = st.text(st.characters(), max_size=25)
MARKUP = ("[/b]", "[click]", "[bold]x[/bold]", "root:x:0:0", "10:100:00", ":100:", "\\[a]", "[link=http://a]b[/link]")
CLI = Path(__file__).parents[2] / "ops_project" / "cli"


def printed(*parts: object) -> str:
    """The output on a terminal of any width."""
    console = PlainConsole()
    console.width = 10_000
    with console.capture() as captured:
        console.print(*parts, soft_wrap=True)
    return captured.get()


@pytest.mark.parametrize("text", MARKUP)
def test_markup_in_data_is_shown_as_it_is(text: str) -> None:
    assert text in printed(text)
    shown = printed(table([text], [[text]], title=text))
    assert shown.count(text) == 3
    assert text in printed(styled(("bold", text)))


@given(TEXT)
def test_a_line_a_cell_a_title_and_a_name_come_out_as_they_went_in(text: str) -> None:
    text = text.replace("\n", " ").replace("\t", " ").strip()
    for what in (text, table([text or "x"], [[text]]), table(["x"], [["y"]], title=text), styled(("bold", text))):
        shown = printed(what)
        assert visible(text) in shown
        assert "\x1b" not in shown


def test_figures_keep_what_a_person_needs() -> None:
    exact = printed(
        table(["a", "b", "c"], [[0.0012, datetime(2026, 3, 1, 7, 8, 9, tzinfo=UTC), Decimal("1234.50")]], exact=True)
    ).split()
    assert exact[3:] == ["0.0012", "2026-03-01", "07:08:09+00:00", "1234.50"]
    assert "0.0012" in printed(table(["a"], [[0.0012]]))
    assert "1,234.50" in printed(table(["a"], [[1234.5]]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=8,
    )
)
def test_json_is_json(value: object) -> None:
    def refuse(word: str) -> object:
        raise AssertionError(f"{word} is not JSON")

    text = to_json(value)
    text.encode("utf-8")
    found = json.loads(text, parse_constant=refuse)
    if not any(word in text for word in ("NaN", "Infinity")):
        assert found == value


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_raw_csv_reads_back_as_it_was(values: list[str]) -> None:
    [row] = csv.reader(io.StringIO(csv_line(values, raw=True), newline=""), strict=True) if any(values) else [values]
    assert row == [value.encode("utf-8", "backslashreplace").decode() for value in values]


@given(TEXT)
def test_csv_holds_no_formula_and_no_escape(text: str) -> None:
    [row] = csv.reader(io.StringIO(csv_line(["x", text]), newline=""))
    assert "\x1b" not in row[1]
    assert not row[1].startswith(("=", "@", "\t", "\r", "\n", "\uff1d", "\uff20"))
    assert row[1].lstrip("'") == visible(text).lstrip("'")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\n=", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_whatever_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(start: str) -> None:
    """A spreadsheet ignores a line feed before the sign of a formula, and East Asian spreadsheets also accept the wide
    forms of the signs.
    """
    [row] = csv.reader(io.StringIO(csv_line([f"{start}1+cmd|' /C calc'!A0"]), newline=""))
    assert row[0].startswith("'")


def test_csv_leaves_numbers_alone() -> None:
    assert csv_line([-1.5, "-2", "+3e4", "=1+1", "@sum(a)", "-a", None, Decimal("-7.10")]) == (
        "-1.5,-2,+3e4,'=1+1,'@sum(a),'-a,,-7.10\r\n"
    )


@given(TEXT)
def test_a_document_is_written_without_control_characters(text: str) -> None:
    shown = io.StringIO()
    with redirect_stdout(shown):
        write_out(text.encode("utf-8", "backslashreplace").decode(), end="")
    assert shown.getvalue() == visible(text.encode("utf-8", "backslashreplace").decode())


def test_one_module_knows_how_to_print() -> None:
    found: dict[str, Callable[[str], bool]] = {
        "rich is imported in output.py only": lambda text: "from rich" in text or "import rich" in text,
        "a document is written with `write_out`": lambda text: bool(
            re.search(r"sys\.stdout\.write\((?!csv_line|rows\.wrote|f')|click\.echo\((?!visible|as_ical)", text)
        ),
        "a text is never parsed for markup": lambda text: "markup=True" in text or "from_markup" in text,
    }
    for law, broken in found.items():
        offenders = [
            path.name for path in CLI.glob("*.py") if path.name != "output.py" and broken(path.read_text("utf-8"))
        ]
        assert not offenders, law
