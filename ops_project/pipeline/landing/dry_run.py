"""What would happen to a file: examined in a temporary folder and a warehouse in memory, and landed nowhere."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ops_project.masking import mask
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.decide.findings import first
from ops_project.pipeline.landing.examine.examine import examine
from ops_project.pipeline.landing.inbox import InboundFile, control_of, identity
from ops_project.pipeline.landing.read.scan import scan
from ops_project.pipeline.landing.read.stage import REFUSED

SHOWN = 20


@dataclass(frozen=True)
class Report:
    """The outcome of a dry run."""

    feed: str
    file_name: str
    business_date: date
    contract_version: int
    would: str
    """load or reject."""
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
    """The first of these rows; personal data is masked."""
    notes: list[str] = field(default_factory=list)


def check(path: Path, feed: Feed, now: datetime) -> Report:
    """Try `path` against the contract of `feed`. Raises OSError where it cannot be read."""
    named = feed.match(path.name)
    stat = path.stat()
    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
    day = named.date if named is not None and named.date is not None else None
    control, waits = control_of(feed, path)
    file = InboundFile(path, day, named.part if named else "", stat.st_size, modified, identity(path), control, waits)
    file_date = day or min(modified, now).astimezone(feed.arrival.zone).date()
    notes = []
    if named is None:
        notes.append(
            f"the name is not one that feed {feed.name} takes ({', '.join(feed.inbound)}): it would not be landed"
        )
    if waits and feed.control is not None:
        notes.append(f"its control file ({feed.control.file}) is not there: it would wait")
    with tempfile.TemporaryDirectory(prefix="landing-") as folder, duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = '{folder}'; SET enable_progress_bar = false")
        scanned = scan(path, feed.at(file_date).format, Path(folder) / "text")
        try:
            found = examine(connection, feed, file, file_date, scanned)
        except duckdb.Error as error:
            text = mask(str(error).splitlines()[0])
            return Report(
                feed.name,
                path.name,
                file_date,
                feed.at(file_date).version,
                "fail",
                "config_error",
                0,
                0,
                0,
                0,
                0,
                problems=[{"kind": "config_error", "message": f"the contract cannot be applied: {text}"}],
                notes=notes,
            )
        rows = []
        if found.stage is not None and found.rows_refused:
            personal = bool(feed.personal_columns())
            for line, reason, text in connection.execute(
                f"SELECT line, reason, raw_text FROM {REFUSED} ORDER BY line LIMIT {SHOWN}"
            ).fetchall():
                rows.append({"line": line, "reason": reason, "raw_text": "***" if personal else mask(text)})
    rejected = found.rejected
    return Report(
        feed=feed.name,
        file_name=path.name,
        business_date=file_date,
        contract_version=found.contract.version,
        would="reject" if rejected else "load",
        finding=first((problem.kind for problem in found.problems), rejected=rejected is not None),
        rows_in=found.rows_in,
        rows_loaded=found.rows_good,
        rows_quarantined=found.rows_refused,
        rows_filtered=found.rows_filtered,
        rows_collapsed=found.rows_collapsed,
        problems=[{"kind": problem.kind, "message": problem.message} for problem in found.problems],
        reasons=found.reasons,
        rows=rows,
        notes=notes,
    )
