"""Landing against an independent reader, over random dialects, types and bytes: every value as delivered.

The fast reader, the exact reader, JSON lines and Parquet each take the same kinds of values.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_project.pipeline.landing import ensure_tables
from tests.pipeline.landing import independent
from tests.pipeline.landing.home import Home, feed_of
from tests.pipeline.landing.independent import TYPES, Dialect, Refused

MANY = settings(max_examples=25, deadline=None, derandomize=True, database=None)
MARKERS = ["", "NULL", "\\N", "-", "NA", "\\\\N", "^N"]
NAME = "takings_2026-11-01"

words = st.text(
    st.one_of(
        st.sampled_from("aN01 .,;|\t\"'\\^~\n-\u20ac\u00e9"),
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\x85\u2028\u2029"),
    ),
    max_size=8,
)
typical = st.sampled_from(
    [
        *MARKERS,
        *("7", "-7", "007", "+7", " 7 ", "1.5", "1.500", "1.0005", "1e2", "99999.999", "100000", "2147483648", "0x1"),
        *("2026-01-05", "2026-02-30", "2026-1-5", " 2026-01-05", "2026-01-05 10:00:00", "2026-01-05T23:59:59.5"),
        *("true", "N", "yes", "0", "C:\\temp\\new", "\\\\server\\share", 'a"b', "\\", '\\"', "x\\", "  "),
    ]
)
values = st.one_of(words, typical)
kinds = st.lists(st.sampled_from(TYPES), min_size=1, max_size=4)
markers = st.lists(st.sampled_from(MARKERS), max_size=3, unique=True).map(tuple)


@st.composite
def dialects(draw: Any) -> Dialect:
    quote = draw(st.sampled_from(['"', "'", None, "~"]))
    escape = (
        draw(st.sampled_from([None, "\\", "^", quote])) if quote is not None else draw(st.sampled_from([None, "\\"]))
    )
    delimiter = draw(st.sampled_from([item for item in ",;|\t^" if item not in (quote, escape)]))
    return Dialect(delimiter, quote, escape, draw(markers))


@dataclasses.dataclass
class Given:
    """A file and its contract."""

    kinds: list[str]
    null_values: tuple[str, ...]
    format: dict[str, Any]
    data: bytes

    @property
    def contract(self) -> str:
        columns = ", ".join(f"c{nth}: {{type: '{kind}'}}" for nth, kind in enumerate(self.kinds))
        return f"""
    inbound: "takings_{{date:%Y-%m-%d}}"
    columns: {{{columns}}}
    format: {json.dumps(self.format | {"null_values": list(self.null_values)}, ensure_ascii=False)}
    drift: {{share: 1}}
    volume: {{enabled: false}}
"""


@pytest.fixture(scope="module")
def home():
    """One home for all examples: making a warehouse costs more than landing a small file."""
    folder = Path(tempfile.mkdtemp())
    made = Home(folder, feed_of(Given(["string"], ("",), {}, b"").contract))
    yield made
    made.connection.close()
    shutil.rmtree(folder, ignore_errors=True)


def landed(home: Home, file: Given) -> tuple[list[tuple[Any, ...]], int]:
    """(bronze rows, refused rows). A file without any good row is rejected as a whole."""
    feed = feed_of(file.contract)
    home.feeds = (feed,)
    for table in ("batches", "quarantine", "findings", "touched_dates"):
        home.connection.execute(f"DELETE FROM ops.{table}")
    home.connection.execute(f"DROP TABLE IF EXISTS bronze.{feed.name}")
    shutil.rmtree(home.archive, ignore_errors=True)
    ensure_tables(home.connection, [feed])
    home.put(NAME, file.data)
    result = home.land()
    assert home.left() == [], result.findings
    assert {finding.kind for finding in result.findings} <= {"data_invalid", "schema_mismatch", "source_partial"}, (
        result.findings
    )
    return home.bronze(", ".join(f"c{nth}" for nth in range(len(file.kinds)))), result.rows_quarantined


def expected(rows: list[list[tuple[str | None, str | None]] | None], file: Given) -> tuple[list[tuple[Any, ...]], int]:
    """The expected result, from the independent reader. A record is its fields (text, as spelled); None if it is
    broken.
    """
    good, refused = [], 0
    for row in rows:
        try:
            if row is None or len(row) != len(file.kinds):
                raise Refused
            cells = tuple(
                independent.cast(*cell, kind, file.null_values) for cell, kind in zip(row, file.kinds, strict=True)
            )
            if "" in file.null_values and not "".join((text or "") for text, _ in row).strip(independent.BLANKS):
                raise Refused  # the whole row is empty
            good.append(cells)
        except Refused:
            refused += 1
    # If none of three or more rows is good, the whole file is rejected. The counts are the same.
    return good, refused


def spelled(draw: Any, text: str, dialect: Dialect) -> str:
    """A spelling of `text`, in quotes or without, that the dialect can read. If there is no such spelling, some of its
    characters are replaced.
    """
    special = (dialect.delimiter, "\n", "\r", *([dialect.quote] if dialect.quote is not None else []))
    if dialect.quote is None:
        for character in special:
            text = text.replace(character, "_")
        return text
    bare = not any(character in text for character in special)
    if bare and draw(st.booleans()):
        return text
    quote, escape = dialect.quote, dialect.escape
    if escape in (None, quote):
        return quote + text.replace(quote, quote * 2) + quote
    assert escape is not None
    if draw(st.booleans()):  # as a writer does that escapes the escape character too
        text = text.replace(escape, escape * 2)
        return quote + text.replace(quote, escape + quote) + quote
    # As a writer that does not escape the escape character, except before a quote, before itself, or at the end, where
    # it would act.
    result = ""
    for nth, character in enumerate(text):
        following = text[nth + 1 : nth + 2]
        acts = character == escape and following in (quote, escape, "")
        result += escape + character if character == quote or acts else character
    return quote + result + quote


@st.composite
def csv_files(draw: Any) -> tuple[Given, Dialect]:
    dialect, types = draw(dialects()), draw(kinds)
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines = []
    for row in draw(st.lists(st.lists(values, min_size=len(types), max_size=len(types)), min_size=1, max_size=8)):
        cells = [spelled(draw, cell, dialect) for cell in row]
        more = draw(st.sampled_from([0] * 8 + [1, -1]))
        cells = cells[:-1] if more < 0 and len(cells) > 1 else cells + ["x"] * max(more, 0)
        lines.append(dialect.delimiter.join(cells))
    text = end.join(lines) + draw(st.sampled_from([end, ""]))
    layout = {"delimiter": dialect.delimiter, "quote": dialect.quote, "escape": dialect.escape, "header": False}
    return Given(types, dialect.null_values, layout, (text or end).encode()), dialect


@pytest.mark.parametrize("way", ["as chosen", "exact"])
@MANY
@given(made=csv_files())
def test_csv(home, way, made):
    file, dialect = made
    if dialect.escape == dialect.quote:
        dialect = dataclasses.replace(dialect, escape=None)
    with pytest.MonkeyPatch.context() as patch:
        if way == "exact":
            module = importlib.import_module("ops_project.pipeline.landing.workbench")
            scan = module.scan
            patch.setattr(module, "scan", lambda *args: dataclasses.replace(scan(*args), plain=False))
        found = landed(home, file)
    rows = [
        None if row.broken else [(item.value, item.spelled) for item in row.fields]
        for row in independent.read(file.data.decode(), dialect)
    ]
    assert found == expected(rows, file)


plain_values = st.one_of(typical, words.map(lambda text: "".join(c for c in text if c not in "\n\r\"'~^,;|\t\\")))


@MANY
@given(types=kinds, nulls=markers, data=st.data())
def test_csv_on_the_fast_way(home, types, nulls, data):
    """Quotes only open and close fields, and each record is one line: DuckDB reads it, and its result is used."""
    rows = data.draw(st.lists(st.lists(plain_values, min_size=len(types), max_size=len(types)), min_size=1, max_size=8))
    rows = [[cell.replace('"', "'").replace("\n", " ") for cell in row] for row in rows]
    rows = [row for row in rows if len(row) > 1 or row[0]]
    if not rows:
        return
    lines = [",".join(f'"{cell}"' if data.draw(st.booleans()) or "," in cell else cell for cell in row) for row in rows]
    file = Given(types, nulls, {"header": False}, ("\n".join(lines) + "\n").encode())
    assert landed(home, file) == expected([[(cell, cell) for cell in row] for row in rows], file)


json_values = st.one_of(values, st.none(), st.integers(-10, 10), st.decimals(-9, 9, places=2, allow_nan=False))


@MANY
@given(types=kinds, nulls=markers, data=st.data())
def test_json_lines(home, types, nulls, data):
    rows = data.draw(st.lists(st.lists(json_values, min_size=len(types), max_size=len(types)), min_size=1, max_size=8))
    ascii_only = data.draw(st.booleans())

    def cell(value: Any) -> str:
        return json.dumps(value, ensure_ascii=ascii_only) if isinstance(value, str | None) else str(value)

    lines = ["{" + ", ".join(f'"c{nth}": {cell(value)}' for nth, value in enumerate(row)) + "}" for row in rows]
    texts = [[None if value is None else str(value) for value in row] for row in rows]
    file = Given(types, nulls, {"kind": "jsonl"}, "\n".join(lines).encode())
    assert landed(home, file) == expected([[(text, text) for text in row] for row in texts], file)


@MANY
@given(types=kinds, nulls=markers, data=st.data())
def test_parquet(home, types, nulls, data):
    nothing = st.one_of(values, st.none())
    rows = data.draw(st.lists(st.lists(nothing, min_size=len(types), max_size=len(types)), min_size=1, max_size=8))
    columns = [pa.array([row[nth] for row in rows], pa.string()) for nth in range(len(types))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.parquet"
        pq.write_table(pa.table(dict(zip((f"c{nth}" for nth in range(len(types))), columns, strict=True))), path)
        file = Given(types, nulls, {"kind": "parquet"}, path.read_bytes())
    assert landed(home, file) == expected([[(text, text) for text in row] for row in rows], file)
