"""Makes a draft of a contract that loads the whole file. Nothing is landed. The draft is made in these steps:

- Types are proposed from the first rows of the file, and tried with landing's own casts.
- Landing examines the whole file under this draft. If values fail, the next proposal must fit them too.
- At the end, the draft gets its key.
"""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from pydantic import ValidationError

from ops_project.counted import counted
from ops_project.masking import mask
from ops_project.model.document import ConfigError, Document
from ops_project.model.feed.column import Column
from ops_project.model.feed.feed import Feed
from ops_project.model.feed.feed_file import FeedFile
from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing import dry_run
from ops_project.pipeline.landing.decide.dialect import Reading
from ops_project.pipeline.landing.decide.draft import Draft, draft, with_key
from ops_project.pipeline.landing.dry_run import Report
from ops_project.pipeline.landing.read import casts
from ops_project.pipeline.landing.read.sample import read_sample
from ops_project.pipeline.landing.read.stage import STAGED, Stage

ROUNDS = 8
SHOWN = 5
MOST_PARTS = 3
# The most columns of which combinations are tried for a composite key. Twelve columns have 220 combinations of three.
MOST_CANDIDATES = 12
FEW = 20
"""In a file with fewer rows than this, a column may be unique by chance. Such a column becomes the key only if its name
or its first place makes this likely.
"""
_KEY_WORD = re.compile(
    r"(^|_)(id|ids|key|nr|no|num|number|code|uuid|guid|ref|reference|sku|iban|isbn|ean|hash|login)(_|$)"
)
_PART_WORD = re.compile(
    r"(^|_)(line|row|seq|sequence|position|pos|item|date|day|month|year|time|at|version|type|index|n|period|hour|week"
    r"|quarter|currency|country|region|store|shop|product|customer|account|station|sensor|meter|symbol|ticker|variable"
    r"|metric|name|till|terminal|branch|site|warehouse|machine|device|employee|user|member|channel|city|zone|category"
    r"|class|level|group|round)(_|$)|time$|date$"
)
_LINE_WORD = re.compile(r"(^|_)(line|lineno|row|seq|sequence|position|pos)(_|$)")
_MEASURE_WORD = re.compile(
    r"(^|_)(amount|amt|price|total|sum|value|qty|quantity|cost|weight|note|notes|comment|text|description|message|email|e_mail"
    r"|balance|rate|score|percent|title)(_|$)"
)


@dataclass
class Drafted:
    """A draft, and the result of trying it on the file."""

    proposal: Draft
    report: Report | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    """The first rows as they would load. Personal data is masked."""
    failure: str | None = None
    """Why the draft could not be tried."""


class _Caster:
    """Asks landing's casts whether texts would load into a column."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, layout: Mapping[str, Any]) -> None:
        self.connection = connection
        known = {name: value for name, value in layout.items() if name in ("decimal", "thousands")}
        self.format = Format(**known)

    def __call__(self, values: Sequence[str], keys: Mapping[str, Any]) -> bool:
        try:
            column = Column.model_validate({name: value for name, value in keys.items() if name != "from"})
            if column.base_type == "string":
                return True
            self.connection.execute("CREATE OR REPLACE TEMP TABLE given AS SELECT unnest(?::VARCHAR[]) AS t", [values])
            typed = casts.typed("t", column, self.format)
            [(bad,)] = self.connection.execute(f"SELECT count(*) FROM given WHERE ({typed}) IS NULL").fetchall()
        except (duckdb.Error, ValidationError, ValueError):
            return False
        return not bad


def make_draft(path: Path, domain: str, feed: str, now: datetime, *, work_in: Path | None = None) -> Drafted:
    """The draft for `path`.

    `work_in`: where a temporary folder is made; the default is the system's place.

    Raises ValueError if the kind of file is not supported, and OSError if the file cannot be read.
    """
    reading = read_sample(path)
    with tempfile.TemporaryDirectory(prefix="draft-", dir=work_in) as folder, duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = '{folder}'; SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        for _ in range(ROUNDS):
            found = _tried(path, domain, feed, reading=reading, connection=connection, folder=Path(folder), now=now)
            if found.reading is None:
                return found.drafted
            reading = found.reading
        return found.drafted


@dataclass
class _Round:
    drafted: Drafted
    reading: Reading | None
    """The basis of the next proposal; None if the draft needs no further change."""


def _tried(
    path: Path,
    domain: str,
    feed: str,
    *,
    reading: Reading,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    now: datetime,
) -> _Round:
    separators = draft(domain, feed, path.name, reading, lambda _values, _keys: False).layout
    proposal = draft(domain, feed, path.name, reading, _Caster(connection, separators))
    try:
        contract = feed_of(proposal.yaml(), feed)
        trial = dry_run.trial(
            path, contract.model_copy(update={"drift": _patient(contract)}), now, connection=connection, folder=folder
        )
    except (ConfigError, OSError, duckdb.Error) as error:
        return _Round(Drafted(proposal, None, failure=mask(str(error).splitlines()[0])), None)
    found = trial.examination
    if found.rejected is not None and "undecodable: not utf-8" in found.rejected.message:
        return _Round(Drafted(proposal, trial.report), read_sample(path, "cp1252"))
    if found.rejected is not None and "undecodable: not cp1252" in found.rejected.message:
        return _Round(Drafted(proposal, trial.report), read_sample(path, "latin-1"))
    refused = [row for row in trial.refused if len(row) == len(reading.fields)]
    known = {tuple(row) for row in reading.rows[-len(refused) :]} if refused else set()
    fresh = [row for row in refused if tuple(row) not in known]
    if fresh:
        return _Round(Drafted(proposal, trial.report), replace(reading, rows=[*reading.rows, *fresh]))
    if found.stage is None:
        return _Round(Drafted(proposal, trial.report), None)
    stage = found.stage
    key, why = _key(connection, proposal, stage)
    if key:
        proposal = with_key(proposal, key, why)
    return _Round(Drafted(proposal, trial.report, _first_rows(connection, contract, stage)), None)


def _patient(feed: Feed) -> Any:
    """Rules under which no file is refused for its types. If values do not fit the draft, a wider type is proposed
    instead.
    """
    return feed.drift.model_copy(update={"share": 1.0})


def feed_of(text: str, name: str) -> Feed:
    """The feed that a drafted YAML describes. Raises ConfigError."""
    return Document.parse(text, Path("draft")).validate(FeedFile).resolved()[name]


def _first_rows(connection: duckdb.DuckDBPyConnection, feed: Feed, stage: Stage) -> list[dict[str, Any]]:
    personal, names = feed.personal_columns(), list(feed.columns)
    listed = ", ".join(f"{stage.value(name)}::VARCHAR" for name in names)
    rows = connection.execute(f"SELECT {listed} FROM {STAGED} WHERE _state = 0 LIMIT {SHOWN}").fetchall()
    return [
        {
            name: "***" if name in personal and value is not None else value
            for name, value in zip(names, row, strict=True)
        }
        for row in rows
    ]


def _key(connection: duckdb.DuckDBPyConnection, proposal: Draft, stage: Stage) -> tuple[tuple[str, ...], str]:
    """The smallest key that is unique in the whole file, and why it was chosen. Empty if there is none."""
    names = [column.name for column in proposal.columns if column.filled and _may_be_key(column.keys["type"])]
    if not names:
        return (), ""
    counts = ", ".join(f"count({stage.value(name)}), count(DISTINCT {stage.value(name)})" for name in names)
    found = connection.execute(f"SELECT count(*), {counts} FROM {STAGED} WHERE _state = 0").fetchone()
    assert found is not None
    rows = found[0]
    filled = dict(zip(names, found[1::2], strict=True))
    distinct = dict(zip(names, found[2::2], strict=True))
    names = [name for name in names if filled[name] == rows]
    few = rows < FEW
    unique = [name for name in names if distinct[name] == rows and rows]
    singles = sorted(
        unique, key=lambda name: (-_weight(name, proposal), [c.name for c in proposal.columns].index(name))
    )
    for name in singles:
        first = name == proposal.columns[0].name
        if _KEY_WORD.search(name) or (not _MEASURE_WORD.search(name) and (first or not few)):
            others = [other for other in singles if other != name and _KEY_WORD.search(other)]
            also = f"; {', '.join(others)} would be unique too" if others else ""
            return (name,), f"key: {name}, because it is unique in all {counted(rows, 'row')} and always filled{also}"
    parts = [name for name in names if distinct[name] > 1 and not _MEASURE_WORD.search(name)]
    if few:
        parts = [name for name in parts if _weight(name, proposal) > 0]
    parts = sorted(parts, key=lambda name: (-_weight(name, proposal), -distinct[name]))[:MOST_CANDIDATES]
    for size in range(2, MOST_PARTS + 1):
        groups = [
            group
            for group in itertools.combinations(parts, size)
            if _product(distinct[name] for name in group) >= rows > 1
        ]
        for group in sorted(groups, key=lambda group: _together(group, proposal)):
            listed = ", ".join(map(stage.value, group))
            [(several,)] = connection.execute(
                f"SELECT count(*) FROM (SELECT DISTINCT {listed} FROM {STAGED} WHERE _state = 0)"
            ).fetchall()
            if several == rows:
                order = [column.name for column in proposal.columns if column.name in group]
                return tuple(order), f"key: {' and '.join(order)} together, because no column alone is unique"
    return (), ""


def _may_be_key(data_type: str) -> bool:
    return data_type.partition("(")[0] in ("string", "integer", "bigint", "date", "timestamp", "time") or data_type == (
        "decimal(38,0)"
    )


def _weight(name: str, proposal: Draft) -> int:
    """How likely a column is a key or a part of a key. A higher number is more likely."""
    column = next(item for item in proposal.columns if item.name == name)
    if name in ("id", "uuid", f"{proposal.feed}_id", f"{proposal.feed.removesuffix('s')}_id"):
        return 5
    if _KEY_WORD.search(name):
        return 4
    if column.keys["type"] in ("date", "timestamp"):
        return 3
    return 2 if _PART_WORD.search(name) else 0


def _together(group: Sequence[str], proposal: Draft) -> tuple[int, int, list[int]]:
    """Sort key of composite keys. The most likely one comes first: one with a line number, then one whose names look
    like keys, then one whose columns stand further left.
    """
    places = [column.name for column in proposal.columns]
    weights = sum(_weight(name, proposal) for name in group)
    return -any(map(_LINE_WORD.search, group)), -weights, [places.index(name) for name in group]


def _product(numbers: Any) -> int:
    result = 1
    for number in numbers:
        result *= number
    return result
