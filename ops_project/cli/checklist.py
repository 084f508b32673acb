"""`ops checklist`: the checks that people do every day, week and month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.output import console, emit, json_option, table
from ops_project.cli.person import by_option
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.catalog import Catalog


@click.group()
def checklist() -> None:
    """List checklists, evaluate one, or answer one of its questions."""


def _known(settings: Settings, name: str | None) -> Any:
    from ops_project.catalog import load as load_catalog

    catalog = load_catalog(settings)
    if name is not None and name not in catalog.checklists.checklists:
        valid = ", ".join(catalog.checklists.checklists) or "none"
        raise click.UsageError(f"there is no checklist {name!r}; valid: {valid}")
    return catalog


@checklist.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List every checklist with its lines, and show which lines ask a person."""
    found = _known(settings, None).checklists.checklists
    rows = [
        {"checklist": name, "every": item.every, "line": key, "text": line.text, "asks": line.ask}
        for name, item in found.items()
        for key, line in item.lines.items()
    ]
    columns = ("checklist", "every", "line", "text", "asks")
    emit(as_json, rows, lambda: console.print(table(columns, [list(row.values()) for row in rows])))


@checklist.command()
@click.argument("name")
@json_option
@click.pass_obj
def run(settings: Settings, name: str, as_json: bool) -> None:
    """Evaluate NAME now. The exit code is 1 if a line is not ok. The next cycle raises an alert for each such line."""
    from ops_project.operations.incidents.checklists import GAP, judge
    from ops_project.operations.ledger import open_ledger

    catalog = _known(settings, name)
    ledger, now = open_ledger(settings), settings.now()
    period, judged = judge(ledger, catalog, name, lambda sql: _number(settings, catalog, sql), now)

    def render() -> None:
        console.print(f"{catalog.checklists.checklists[name].title}, {period}", markup=False)
        rows = [[j.line, j.text, j.state, j.value + (f" ({j.by})" if j.by else ""), j.do] for j in judged]
        console.print(table(("line", "what", "state", "value", "what to do"), rows))

    emit(as_json, {"checklist": name, "period": period, "lines": judged}, render)
    if any(item.state == GAP for item in judged):
        raise SystemExit(1)


def _number(settings: Settings, catalog: Catalog, sql: str) -> float | None:
    """The first number of a query on the newest snapshot; None if the query gives no number. In the query, the variable
    `feeds` holds the names of all feeds that are switched on.
    """
    import duckdb

    from ops_project.pipeline.warehouse import snapshots

    try:
        with snapshots.open(snapshots.newest(settings)) as warehouse:
            names = ", ".join(f"'{name}'" for name, feed in catalog.feeds.items() if feed.enabled)
            warehouse.execute(f"SET VARIABLE feeds = [{names}]::VARCHAR[]")
            row = warehouse.execute(sql).fetchone()
    except (snapshots.NoSnapshot, duckdb.Error):
        return None
    return None if row is None or row[0] is None else float(row[0])


@checklist.command()
@click.argument("name")
@click.argument("line")
@click.argument("words")
@by_option("The person who answers.")
@json_option
@click.pass_obj
def answer(settings: Settings, *, name: str, line: str, words: str, by: str, as_json: bool) -> None:
    """Answer LINE of NAME for the current period."""
    from ops_project.operations.incidents.checklists import ANSWERED, period_of, question
    from ops_project.operations.ledger import open_ledger

    catalog = _known(settings, name)
    try:
        question(catalog, name, line)
    except KeyError as error:
        raise click.UsageError(str(error.args[0])) from None
    if not words.strip():
        raise click.UsageError("the answer is empty")
    now = settings.now()
    period = period_of(catalog.checklists.checklists[name].every, now, catalog.platform.zone)
    open_ledger(settings).keep_checklist(name, period, [(line, ANSWERED, words)], now, by)
    data = {"checklist": name, "period": period, "line": line, "answer": words, "by": by}
    emit(as_json, data, lambda: console.print(f"Kept for {period}.", markup=False))
