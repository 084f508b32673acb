"""`ops sql`: queries the newest snapshot. The engine refuses to write, and to read anything but the snapshot."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.numbers import COUNT_OR_NONE, MEGABYTES, SECONDS
from ops_project.cli.output import answer, console, csv_line, json_option, to_json, told
from ops_project.counted import counted
from ops_project.settings import Settings, current_user

if TYPE_CHECKING:
    from ops_project.pipeline.warehouse.questions import Answer
    from ops_project.pipeline.warehouse.snapshots import Snapshot

DEFAULT_LIMIT = 100
SCHEMAS = "Each table is in a schema: ask for `show tables from gold`, and likewise from silver, bronze or ops."
MEGABYTE = 1_000_000
HIDDEN = 'The raw text of refused rows is masked; --unmasked --why "…" shows it to the people of the role raw-data.'


@dataclass
class _Bounded:
    """The rows of a result, up to a limit of rows and a limit of bytes."""

    found: Answer
    rows_wanted: int
    bytes_wanted: int
    rows: int = 0
    bytes: int = 0
    more: bool = False
    cut: bool = False

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for block in self.found.blocks:
            for row in block:
                if self.rows_wanted and self.rows >= self.rows_wanted:
                    self.more = True
                    return
                if self.bytes >= self.bytes_wanted:
                    self.more = self.cut = True
                    return
                self.rows += 1
                yield row

    def wrote(self, text: str) -> str:
        """Count the bytes of `text` and return it. The caller prints it next."""
        self.bytes += len(text.encode("utf-8", "replace"))
        return text


@click.command()
@click.argument("query")
@click.option(
    "--limit",
    type=COUNT_OR_NONE,
    default=DEFAULT_LIMIT,
    show_default=True,
    help="The number of rows to show; 0 shows all.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV; texts that a spreadsheet would run get an apostrophe.")
@click.option("--raw", is_flag=True, help="With --csv: texts exactly as they are stored, for programs.")
@click.option(
    "--seconds", type=SECONDS, default=60.0, show_default=True, help="The longest time that the query may take."
)
@click.option(
    "--memory-mb",
    type=click.IntRange(min=50, max=10**7),
    default=1_000,
    show_default=True,
    help="The largest memory that the query may take.",
)
@click.option("--output-mb", type=MEGABYTES, default=100, show_default=True, help="The largest output.")
@click.option("--unmasked", is_flag=True, help="Show the raw text of refused rows; needs --why.")
@click.option("--why", default="", help="With --unmasked: the reason, for the audit log.")
@click.option("--by", default=current_user, show_default="the user", help="With --unmasked: the reader.")
@json_option
@click.pass_obj
def sql(
    settings: Settings,
    *,
    query: str,
    limit: int,
    as_csv: bool,
    raw: bool,
    seconds: float,
    memory_mb: int,
    output_mb: int,
    unmasked: bool,
    why: str,
    by: str,
    as_json: bool,
) -> None:
    """Run QUERY on the newest snapshot, and print the time of the snapshot.

    The engine refuses to write. The query has the lowest priority, so that it does not disturb a run. The changes of a
    run that has not ended are not visible. In JSON, a second column of the same name gets a number, and a float that is
    not a number is a text (NaN, Infinity).

    The raw text of refused rows (`ops.quarantine`) is shown as `***` if the feed's contract names personal columns.
    --unmasked shows the text to people who have the role raw-data in owners.yaml; the audit log records who asked what
    and why.
    """
    import duckdb

    from ops_project.cli.raw_text import permit, plain_feeds
    from ops_project.pipeline.warehouse import snapshots
    from ops_project.pipeline.warehouse.questions import Limits, QuestionError, ask

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    if raw and not as_csv:
        raise click.UsageError("--raw needs --csv")
    if why and not unmasked:
        raise click.UsageError("--why needs --unmasked")
    try:
        snapshot = snapshots.newest(settings)
        if unmasked:
            permit(settings, by, why, query)
        shown = None if unmasked else plain_feeds(settings)
        with ask(snapshot, query, Limits(seconds, memory_mb), shown) as found:
            rows = _Bounded(found, limit, output_mb * MEGABYTE)
            said = f"As of {snapshot.as_of:%Y-%m-%d %H:%M} UTC, snapshot {snapshot.id}"
            if found.masked and (as_csv or as_json):
                told(HIDDEN)
            if as_csv:
                _csv(found.columns, rows, raw)
                told(f"{said}{'; more rows exist (--limit)' if rows.more and not rows.cut else ''}")
            elif as_json:
                _json(snapshot, found.columns, rows)
            else:
                _table(query, found.columns, rows, said)
                if found.masked:
                    console.print(HIDDEN, soft_wrap=True)
    except (snapshots.NoSnapshot, QuestionError) as error:
        raise click.ClickException(str(error)) from None
    except duckdb.Error as error:
        raise click.ClickException(str(error)) from None
    if rows.cut:
        raise click.ClickException(f"stopped after {output_mb} MB of output; --output-mb prints more")


def _csv(columns: list[str], rows: _Bounded, raw: bool) -> None:
    sys.stdout.write(csv_line(columns, raw=raw))
    for row in rows:
        sys.stdout.write(rows.wrote(csv_line(row, raw=raw)))


def _json(snapshot: Snapshot, columns: list[str], rows: _Bounded) -> None:
    """Print the JSON document row by row. The text is the same as if it were printed at once."""
    head = to_json({"as_of": snapshot.as_of, "snapshot": snapshot.id, "columns": columns})
    sys.stdout.write(f'{head[:-2]},\n  "rows": [')
    for number, row in enumerate(rows):
        text = to_json(dict(zip(columns, row, strict=True))).replace("\n", "\n    ")
        sys.stdout.write(rows.wrote(f"{',' if number else ''}\n    {text}"))
    sys.stdout.write(f'{chr(10) + "  " if rows.rows else ""}],\n  "more": {"true" if rows.more else "false"}\n}}\n')


def _table(query: str, columns: list[str], rows: _Bounded, said: str) -> None:
    shown: list[tuple[Any, ...]] = []
    for row in rows:
        rows.wrote(str(row))
        shown.append(row)
    console.print(answer(columns, shown))
    more = ", and more (--limit)" if rows.more else ""
    console.print(f"\n{said}. {counted(rows.rows, 'row')}{more}.", soft_wrap=True)
    if not rows.rows and query.strip(" ;").casefold() == "show tables":
        console.print(SCHEMAS, markup=False, soft_wrap=True)
