"""The lines that `ops run` prints about checks that failed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from asset_checks.primitives.arrival import NAME as ARRIVAL

if TYPE_CHECKING:
    from ops_project.dagster_bridge.runs import CheckOutcome


def failed_checks(checks: Iterable[CheckOutcome], told: Collection[str]) -> list[str]:
    """One line for each failed check. Tables about which a check says the same share a line.

    `told`: the assets (`bronze/orders`) whose findings of this run are printed above, together with what to do. The
    arrival check judges the same findings. So its advice is left out, and its line only says how many findings are
    open.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for check in checks:
        name = ".".join(check.asset)
        words = f": {check.description}" if check.description else ""
        if check.name == ARRIVAL and "/".join(check.asset) in told:
            words = f": {check.description.partition('. ')[0]}; the finding above says what to do"
        same = words.removeprefix(f": {name} ")
        # A text can be shared only if it begins with the table's name. Without that name, the rest fits the other
        # tables too.
        groups.setdefault((check.name, same if same != words else f"{name}{words}"), []).append(name)
    return [_line(name, words, tables) for (name, words), tables in groups.items()]


def _line(check: str, words: str, tables: list[str]) -> str:
    if len(tables) > 1:
        return f"check {check} failed for {len(tables)} tables: each {words} They are {', '.join(tables)}"
    [table] = tables
    said = words.removeprefix(table)
    return f"{table}: check {check} failed{said if said != words else f': {table} {words}'}"
