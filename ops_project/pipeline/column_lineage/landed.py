"""For each column of a landed table: the field of the inbound files that it comes from. The answer is read from the
contracts.
"""

from __future__ import annotations

from collections.abc import Iterable

from ops_project.column_lineage import ROWS, Column, Origin
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.column_lineage.trace import trace
from ops_project.pipeline.landing.write.tables import META_COLUMNS, bronze_types

INBOUND = "inbound"


def of_feeds(feeds: Iterable[Feed]) -> dict[Column, Origin]:
    """Column → its origin, for every landed table. A field of the files counts as a column of `inbound/<feed>`. Each
    field has an entry of its own, which says that the data enters there.
    """
    found: dict[Column, Origin] = {}
    for feed in feeds:
        for column, origin in _of_feed(feed).items():
            found[column] = origin
            for parent in origin.parents:
                entry = Origin("absent", reason=f"the data enters here, with the files of {feed.name}")
                found.setdefault(parent, entry)
    return found


def _of_feed(feed: Feed) -> dict[Column, Origin]:
    table, files = f"bronze/{feed.name}", f"{INBOUND}/{feed.name}"
    personal = feed.personal_columns()
    found: dict[Column, Origin] = {}
    for contract in feed.contracts():
        for name, column in contract.columns.items():
            said = f"contract {feed.name}, version {contract.version}"
            if column.expression is None:
                origin = Origin("proven", (Column(files, column.source or name),), (), said)
            else:
                origin = _of_expression(column.expression, files, said)
            before = found.get(Column(table, name), Origin("absent"))
            # The versions of a contract may fill the column from different fields, so all of these fields are listed.
            found[Column(table, name)] = Origin(
                origin.state,
                tuple(dict.fromkeys((*before.values, *origin.values))),
                tuple(dict.fromkeys((*before.conditions, *origin.conditions))),
                origin.reason,
                name in personal,
            )
    if feed.business_date == "file":
        found[Column(table, "business_date")] = Origin(
            "proven", (Column(files, "_file_date"),), (), "the date in the name of the file"
        )
    else:
        found[Column(table, "business_date")] = Origin(
            "proven", found[Column(table, feed.business_date)].values, (), f"the date of {feed.business_date}"
        )
    for name in bronze_types(feed):
        if Column(table, name) not in found:
            what = "landing writes it" if name in META_COLUMNS else "no version of the contract fills it"
            found[Column(table, name)] = Origin("absent", reason=what)
    found[Column(table, ROWS)] = Origin("proven", (), (Column(files, ROWS),), f"contract {feed.name}")
    return found


def _of_expression(expression: str, files: str, said: str) -> Origin:
    schema, _, table = files.partition("/")
    try:
        traced = trace(f'SELECT {expression} AS made FROM "{schema}"."{table}"', {}).columns["made"]
    except (ValueError, KeyError) as error:
        return Origin("unknown", reason=f"the expression of the contract cannot be read: {error}")
    if traced.unknown:
        return Origin("unknown", reason=traced.unknown)
    values, conditions = tuple(sorted(traced.values)), tuple(sorted(traced.conditions - traced.values))
    return Origin("proven" if values or conditions else "absent", values, conditions, f"an expression of {said}")
