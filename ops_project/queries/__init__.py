"""The operational queries of the domains. Each query is a SQL file, and its number gives its place. This module reads
the files and their headers, and executes nothing.

A query may name optional tables, for example those of a model that was never trained. If an optional table is missing,
the query reads an empty relation with the declared columns, and the answer says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
_FILE = re.compile(r"^(\d+)_([a-z0-9_]+)\.sql$")
_HEADER = re.compile(r"^-- (title|tells|optional): (.+)$")
_OPTIONAL = re.compile(r"^(\w+\.\w+) \((.+)\)$")
_PARAMETER = re.compile(r"\$(\w+)")
PARAMETERS = frozenset({"as_of", "as_of_date"})


class QueryError(ValueError):
    """A query does not exist, or its file is malformed. The message names the query and lists the valid ones."""


@dataclass(frozen=True)
class Query:
    """One operational query. `optional`: table that may be missing → the columns of the empty relation that is read in
    its place.
    """

    domain: str
    number: int
    name: str
    title: str
    tells: str
    sql: str
    optional: dict[str, str]

    @property
    def parameters(self) -> frozenset[str]:
        """The clock's parameters that the query reads: `as_of` (timestamp, UTC), `as_of_date` (date)."""
        return frozenset(_PARAMETER.findall(self.sql))

    def absent(self, tables: Collection[str]) -> list[str]:
        """The optional tables that are not among `tables` (`schema.table`)."""
        return [table for table in self.optional if table not in tables]

    def for_tables(self, tables: Collection[str]) -> str:
        """The SQL to execute if only `tables` exist."""
        sql = self.sql
        for table in self.absent(tables):
            columns = (column.strip().rsplit(" ", 1) for column in self.optional[table].split(","))
            empty = ", ".join(f"cast(null as {kind}) as {column}" for column, kind in columns)
            sql = re.sub(rf"\b{re.escape(table)}\b", f"(select {empty} where false)", sql)
        return sql


def domains() -> list[str]:
    """Domains that have queries."""
    return sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir() and any(folder.glob("*.sql")))


def queries(domain: str) -> list[Query]:
    """The queries of a domain in their order. Raises QueryError."""
    folder = FOLDER / domain
    if domain not in domains():
        raise QueryError(f"domain {domain!r} has no queries; valid: {', '.join(domains())}")
    return sorted((_read(path, domain) for path in folder.glob("*.sql")), key=lambda query: query.number)


def find(domain: str, wanted: str) -> Query:
    """A query by number or name. Raises QueryError."""
    found = queries(domain)
    for query in found:
        if wanted in (str(query.number), query.name):
            return query
    valid = ", ".join(f"{query.number} or {query.name}" for query in found)
    raise QueryError(f"{domain} has no query {wanted!r}; valid: {valid}")


def _read(path: Path, domain: str) -> Query:
    named = _FILE.match(path.name)
    if named is None:
        raise QueryError(f"{path}: a query's file is named <number>_<name>.sql")
    values: dict[str, str] = {}
    optional: dict[str, str] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    body = len(lines)
    for index, line in enumerate(lines):
        header = _HEADER.match(line)
        if header is None:
            body = index
            break
        key, value = header.groups()
        if key == "optional":
            declared = _OPTIONAL.match(value)
            if declared is None:
                raise QueryError(f"{path}:{index + 1}: write `-- optional: schema.table (column type, …)`")
            optional[declared[1]] = declared[2]
        else:
            values[key] = value
    if missing := {"title", "tells"} - values.keys():
        raise QueryError(f"{path}: the header lacks {', '.join(sorted(missing))}")
    query = Query(
        domain=domain,
        number=int(named[1]),
        name=named[2],
        title=values["title"],
        tells=values["tells"],
        sql="\n".join(lines[body:]).strip().rstrip(";"),
        optional=optional,
    )
    if unknown := query.parameters - PARAMETERS:
        raise QueryError(
            f"{path}: unknown parameter {', '.join(sorted(unknown))}; valid: {', '.join(sorted(PARAMETERS))}"
        )
    return query
