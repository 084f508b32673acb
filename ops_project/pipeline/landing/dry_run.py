"""Shows what landing would do with a file.

The file is examined in a temporary folder and with an in-memory engine. Nothing is landed.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ops_project.masking import mask
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.bench import closed_engine, without_file_cache
from ops_project.pipeline.landing.decide.findings import first
from ops_project.pipeline.landing.examine.examination import Examination
from ops_project.pipeline.landing.examine.examine import examine
from ops_project.pipeline.landing.inbox import InboundFile, control_of, control_path, identity, private_name
from ops_project.pipeline.landing.read.fragments import FragmentError, check_fragments
from ops_project.pipeline.landing.read.scan import scan
from ops_project.pipeline.landing.read.stage import REFUSED
from ops_project.pipeline.landing.write.archive import shortened

ARCHIVED = re.compile(r"^[0-9a-f]{12}_(?P<name>.+)$", re.DOTALL)
SHOWN = 20
REFUSED_FIELDS = 2000


@dataclass(frozen=True)
class Report:
    """The outcome of a dry run."""

    feed: str
    file_name: str
    business_date: date
    contract_version: int
    would: str
    """What landing would do with the file:

    - `load`: load it.
    - `reject`: refuse it.
    - `wait`: wait for a control file that the contract requires.
    - `fail`: the contract cannot be applied.
    """
    finding: str | None
    rows_in: int
    rows_loaded: int
    rows_quarantined: int
    rows_filtered: int
    rows_collapsed: int
    problems: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    """Why rows would be quarantined, most frequent first."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """The first rows that would be quarantined. Personal data is masked."""
    notes: list[str] = field(default_factory=list)


@dataclass
class Trial:
    """The result for a file that was examined. The connection's temporary tables still hold the rows of the file."""

    report: Report
    examination: Examination
    refused: list[list[str]]
    """The fields of some rows that would be quarantined, as they are written in the file."""


def check(path: Path, feed: Feed, now: datetime, *, work_in: Path | None = None) -> Report:
    """Try `path` against the contract of `feed`. The file may lie anywhere. A file in the archive may have the name
    that the archive gave it.

    `work_in`: where a temporary folder is made; the default is the system's place.

    Raises OSError if the file cannot be read.
    """
    path = path.resolve()
    with tempfile.TemporaryDirectory(prefix="landing-", dir=work_in) as name:
        folder = Path(name).resolve()
        path, day = _as_delivered(path, feed, folder)
        return _check(path, feed, now, folder, day)


def _check(path: Path, feed: Feed, now: datetime, folder: Path, given: date | None) -> Report:
    with closed_engine(folder, file=path) as connection:
        try:
            check_fragments(feed)
            return trial(path, feed, now, connection=connection, folder=folder, given=given).report
        except (duckdb.Error, FragmentError) as error:
            day, notes = given or _day(path, feed, now), _notes(path, feed)
            text = mask(str(error).splitlines()[0])
            problem = {"kind": "config_error", "message": f"the contract cannot be applied: {text}"}
            version = feed.at(day).version
            return Report(
                feed=feed.name,
                file_name=path.name,
                business_date=day,
                contract_version=version,
                would="fail",
                finding="config_error",
                rows_in=0,
                rows_loaded=0,
                rows_quarantined=0,
                rows_filtered=0,
                rows_collapsed=0,
                problems=[problem],
                notes=notes,
            )


def _as_delivered(path: Path, feed: Feed, folder: Path) -> tuple[Path, date | None]:
    """The file under the name with which it was delivered, and the date of its folder in the archive. The archive puts
    a hash before the name of a file. Before the name of a control file, it puts the whole archived name of the data
    file.
    """
    found = ARCHIVED.match(path.name)
    if found is None or feed.match(path.name) is not None or feed.match(found["name"]) is None:
        return path, None
    (place := folder / "delivered").mkdir()
    delivered = private_name(path, place).rename(place / found["name"])
    control = control_path(feed, delivered)
    if control is not None:
        kept = path.with_name(shortened(f"{path.name}.{control.name}"))
        if kept.is_file():
            private_name(kept, place).rename(control)
    try:
        return delivered, date.fromisoformat(path.parent.name)
    except ValueError:
        return delivered, None


def trial(
    path: Path,
    feed: Feed,
    now: datetime,
    *,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    given: date | None = None,
) -> Trial:
    """Examine `path` on `connection`. Raises duckdb.Error.

    `folder`: receives the text of a file that is not UTF-8.
    `given`: the business date of the file, if the caller knows it for certain. Otherwise the name and the time of the
    file decide.
    """
    without_file_cache(connection)
    stat = path.stat()
    named = feed.match(path.name)
    control, waits = control_of(feed, path)
    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
    day, file_date = named.date if named is not None else None, given or _day(path, feed, now)
    file = InboundFile(
        path=path,
        business_date=day,
        part=named.part if named else "",
        size=stat.st_size,
        modified_at=modified,
        identity=identity(path),
        control=control,
        waits=waits,
    )
    scanned = scan(path, feed.at(file_date).format, folder / "text")
    found = examine(connection, feed, file, file_date=file_date, scanned=scanned, now=now)
    rows, refused = [], []
    if found.stage is not None and found.rows_refused:
        personal = bool(feed.personal_columns())
        for line, reason, text in connection.execute(
            f"SELECT line, reason, raw_text FROM {REFUSED} ORDER BY line LIMIT {SHOWN}"
        ).fetchall():
            rows.append({"line": line, "reason": reason, "raw_text": "***" if personal else mask(text)})
        ordinals = connection.execute(f"SELECT _ord FROM {REFUSED} ORDER BY _ord LIMIT {REFUSED_FIELDS}").fetchall()
        for _, record in found.stage.source.picked(connection, [row[0] for row in ordinals]):
            refused.append([value or "" for value in record.fields or ()])
    rejected = found.rejected
    report = Report(
        feed=feed.name,
        file_name=path.name,
        business_date=file_date,
        contract_version=found.contract.version,
        would="reject" if rejected else "wait" if waits else "load",
        finding=first((problem.kind for problem in found.problems), rejected=rejected is not None),
        rows_in=found.rows_in,
        rows_loaded=found.rows_good,
        rows_quarantined=found.rows_refused,
        rows_filtered=found.rows_filtered,
        rows_collapsed=found.rows_collapsed,
        problems=[{"kind": problem.kind, "message": problem.message} for problem in found.problems],
        reasons=found.reasons,
        rows=rows,
        notes=_notes(path, feed),
    )
    return Trial(report, found, refused)


def _day(path: Path, feed: Feed, now: datetime) -> date:
    """The business date that the file would have."""
    named = feed.match(path.name)
    if named is not None and named.date is not None:
        return named.date
    modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return min(modified, now).astimezone(feed.date_zone).date()


def _notes(path: Path, feed: Feed) -> list[str]:
    notes = []
    if feed.match(path.name) is None:
        patterns = ", ".join(feed.inbound)
        notes.append(f"the name is not one that feed {feed.name} takes ({patterns}): it would not be landed")
    if feed.control is not None and control_of(feed, path)[0] is None:
        then = "it would wait" if feed.control.required else "its number of rows is not checked"
        notes.append(f"its control file ({feed.control.file}) is not there: {then}")
    return notes
