"""How commands speak: tables for people, `--json` for programs, progress on standard error.

Standard output carries the answer alone, so that `ops … --json | jq` always works.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

# A pipe has no width, and rich would assume 80 columns and fold figures in the middle; a file or `less -S` wants rows.
PIPE_WIDTH = 200
console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
errors = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else PIPE_WIDTH)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


def emit(as_json: bool, data: Any, render: Callable[[], object]) -> None:
    """Print `data` as JSON, or call `render` to print it for a person."""
    if as_json:
        click.echo(json.dumps(data, default=plain, indent=2, ensure_ascii=False))
    else:
        render()


def plain(value: Any) -> Any:
    """JSON for what json does not know: times as ISO 8601, decimals as strings, so that no cent is lost."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "item"):
        return value.item()
    return str(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> Table:
    """A table for people; numbers stand right, missing values as a dash."""
    materialized = [list(row) for row in rows]
    result = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = any(isinstance(row[index], int | float | Decimal) for row in materialized) and all(
            row[index] is None or isinstance(row[index], int | float | Decimal) for row in materialized
        )
        # A figure that is folded in the middle is misread.
        result.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    for row in materialized:
        result.add_row(*(_cell(value) for value in row))
    return result


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return escape(str(value))


def progress() -> Progress:
    """A progress bar on standard error; silent where that is not a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not sys.stderr.isatty(),
    )
