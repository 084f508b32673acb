"""The output of commands: tables for people, `--json` for programs, and progress on standard error.

Standard output carries only the answer, so that `ops … --json | jq` always works. All output is data and never markup:
`[/b]`, `:100:` and an escape sequence in a file's name are shown as text. Only this module uses rich. A style is given
as an argument (`styled`), and never as a mark inside a text.
"""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ops_project.visible import json_visible, visible, visible_line

__all__ = [
    "Group",
    "console",
    "emit",
    "errors",
    "json_option",
    "progress",
    "status",
    "styled",
    "table",
    "told",
    "told_if_cut",
]

# A pipe has no width. Rich would assume 80 columns and break figures in the middle. Readers of a file or of `less -S`
# need each row on one line.
PIPE_WIDTH = 200
LARGEST_TRANSPOSED = 200
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class PlainConsole(Console):
    """A console that prints every text literally: lines, cells, titles and names of columns."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        width = None if stream.isatty() else PIPE_WIDTH
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, width=width)

    def render_str(self, text: str, **options: Any) -> Text:
        options |= {"markup": False, "emoji": False, "highlight": False}
        return super().render_str(visible(text), **options)


console = PlainConsole()
errors = PlainConsole(stderr=True)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


def styled(*parts: str | tuple[str, str]) -> Text:
    """A text of several parts, each plain or with a style: `styled(("bold", name), " failed")`."""
    pairs = [("", part) if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((visible(text), style) for style, text in pairs))


def told(words: str) -> None:
    """Print a line of progress, or a warning, on standard error."""
    errors.print(words, soft_wrap=True)


def told_if_cut(listed: int, total: int) -> None:
    """Say that a list shows only its newest lines. The sentence goes to standard error, so that the JSON on standard
    output stays valid.
    """
    if listed < total:
        told(f"The {listed} newest of {total} are listed; --limit {total} lists all.")


def write_out(text: str, end: str = "\n") -> None:
    """Print a document on standard output. Its control characters are written out as escapes; everything else stays as
    it is.
    """
    click.echo(visible(text) + end, nl=False)


def emit(as_json: bool, data: Any, render: Callable[[], object]) -> None:
    """Print `data` as JSON, or call `render` to print it for a person."""
    if as_json:
        click.echo(to_json(data))
    else:
        render()


def to_json(data: Any) -> str:
    """A JSON document. `plain` converts values that JSON cannot express."""
    return json_visible(json.dumps(plain(data), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """The value, converted at every depth to types that JSON can express.

    A time becomes an ISO 8601 text. A decimal becomes a text, so that no cent is lost. Bytes become hexadecimal digits.
    A float that is not a number becomes the text `NaN`, `Infinity` or `-Infinity`.
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, float):
        return value if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | Path | timedelta):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if hasattr(value, "model_dump"):
        return plain(value.model_dump(mode="json"))
    if hasattr(value, "item"):
        return plain(value.item())
    return str(value)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None, *, exact: bool = False
) -> Table:
    """A table for people. Numbers are aligned right, and a missing value is shown as a dash. With `exact`, values are
    shown as they are stored, with all their digits and seconds; otherwise they are rounded for reading.
    """
    materialized = [list(row) for row in rows]
    result = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = any(_is_number(row[index]) for row in materialized) and all(
            row[index] is None or _is_number(row[index]) for row in materialized
        )
        # A figure that is broken over two lines is easily misread.
        result.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    for row in materialized:
        result.add_row(*(cell(value, exact=exact) for value in row))
    return result


def answer(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> RenderableType:
    """The rows of any query. They become a table if that fits the terminal; otherwise each row becomes a block with one
    line for each column.
    """
    found = table(columns, rows, exact=True)
    wide = console.measure(found, options=console.options.update(max_width=100_000)).maximum
    if wide <= console.width or len(rows) > LARGEST_TRANSPOSED:
        return found
    parts: list[RenderableType] = []
    for number, row in enumerate(rows, start=1):
        block = Table(title=f"row {number}", title_justify="left", box=None, pad_edge=False, show_header=False)
        block.add_column(style="bold", no_wrap=True)
        block.add_column(overflow="fold")
        for name, value in zip(columns, row, strict=True):
            block.add_row(name, cell(value, exact=True))
        parts.append(block)
    return Group(*parts)


def cell(value: Any, *, exact: bool = False) -> Text:
    """The text of one value in a table."""
    if isinstance(value, Text):
        return value
    return Text(visible(_words(value, exact)))


def csv_line(values: Sequence[Any], *, raw: bool = False) -> str:
    """A line of CSV, with its line end.

    A spreadsheet runs a text that begins like a formula. So such a text gets an apostrophe in front, and control
    characters are written out as escapes. With `raw`, texts stay as they are.
    """
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_csv_value(value, raw) for value in values])
    text = buffer.getvalue()
    # Characters that UTF-8 cannot represent are written as escapes.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _csv_value(value: Any, raw: bool) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    if value is None or isinstance(value, bool | int | float | Decimal):
        return value
    text = value if isinstance(value, str) else _words(value, exact=True)
    if raw:
        return text
    text = visible(text)
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not _reads_as_number(text) else text


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()  # Python's conversion ignores a line break around a number, but a spreadsheet does not.


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _words(value: Any, exact: bool) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if exact:
        if isinstance(value, datetime):
            return value.isoformat(sep=" ")
        if isinstance(value, float):
            return repr(value)
        if isinstance(value, dict | list | tuple):
            return json.dumps(plain(value), ensure_ascii=False)
        return value.hex() if isinstance(value, bytes) else str(value)
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    if isinstance(value, float):
        # Two decimals, or three significant digits if the number is smaller than 0.1.
        small = math.isfinite(value) and 0 < abs(value) < 0.1
        return f"{value:.3g}" if small else f"{value:,.2f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return str(value)


@contextmanager
def status(words: str) -> Iterator[Callable[[str], None]]:
    """A spinner with changing words on standard error; silent if standard error is not a terminal."""
    with errors.status(Text(visible_line(words))) as spinner:
        yield lambda now: spinner.update(Text(visible_line(now)))


def progress() -> Progress:
    """A progress bar on standard error; silent if standard error is not a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not sys.stderr.isatty(),
    )
