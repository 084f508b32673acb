"""What our warehouse, journal, runs and logs say about an incident: the sources that diagnosis is given.

Queries run on the newest snapshot, which the engine refuses to write, with a limit of time and of memory. Everything is
masked before it is handed on. Imports no Dagster, so that `ops diagnose` starts quickly.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from ops_project.masking import mask
from ops_project.operations.diagnosis.decide.causes import Change
from ops_project.operations.diagnosis.evidence import EvidenceSource, Item, Scene
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.snapshots import Snapshot
from ops_project.sql_text import literal
from ops_project.visible import visible_line

# Of one query.
QUERY_SECONDS, MEMORY = 2.0, "300MB"
SAMPLES, BATCHES, RUNS, LINES = 3, 3, 5, 6
LISTED_ASSETS = 8
LONGEST = 240
# Less than this is what days differ by.
VOLUME = 0.25
LOG = "logs/dagster.log"
LOG_BYTES = 400_000


def items_of_tables(scene: Scene) -> Iterator[Item]:
    """Rows now and at the last snapshot that was good."""
    now, before = _compared(scene)
    if now is None:
        return
    parts = []
    for asset in scene.assets[:LISTED_ASSETS]:
        table = asset.replace("/", ".")
        rows, was = _rows(now, table), _rows(before, table)
        if rows is not None:
            parts.append(f"{table} {rows:,} rows" + (f" (before {was:,})" if was is not None and was != rows else ""))
    if parts:
        yield Item(
            "Row counts",
            "; ".join(parts),
            f"snapshot {now.id}" + (f", before: {before.id}" if before is not None else ""),
            f'ops sql "select count(*) from {scene.assets[0].replace("/", ".")}"',
        )


def items_of_batches(scene: Scene) -> Iterator[Item]:
    """The newest files of the feeds concerned, what is open about them, and masked samples of refused rows."""
    snapshot = _newest(scene)
    feeds = [asset.partition("/")[2] for asset in scene.assets if asset.startswith("bronze/")]
    feeds = [feed for feed in feeds if feed in scene.catalog.feeds][:LISTED_ASSETS]
    if snapshot is None or not feeds:
        return
    names = ", ".join(literal(feed) for feed in feeds)
    wanted = f"batch_id = {literal(scene.batch_id)}" if scene.batch_id else "true"
    for row in _asked(
        snapshot,
        "select feed, file_name, business_date, rows_in, rows_loaded, rows_quarantined, rows_collapsed, status, finding"
        f" from ops.batches where feed in ({names}) and {wanted} and (finding is not null or rows_quarantined > 0 or "
        f"{'true' if scene.batch_id else 'false'}) order by load_seq desc limit {BATCHES}",
    ):
        feed, file, day, rows, loaded, refused, collapsed, status, finding = row
        text = f"{file} of {day}, {status}: {rows:,} rows in, {loaded:,} loaded, {refused:,} quarantined"
        text += f", {collapsed:,} duplicates" if collapsed else ""
        yield Item(f"Batch of {feed}", _line(f"{text}{f'; finding {finding}' if finding else ''}"), "ops.batches")
    for feed, file, line, column, reason, raw in _asked(
        snapshot,
        "select feed, file_name, line, column_name, reason, raw_text from ops.quarantine"
        f" where feed in ({names}) and {wanted} order by batch_id desc, line limit {SAMPLES}",
    ):
        personal = bool(scene.catalog.feeds[feed].personal_columns())
        shown = "***" if personal else mask(str(raw or ""))
        where = f"{file}, line {line}{f', column {column}' if column else ''}"
        yield Item(f"Refused row of {feed}", _line(f"{where}: {reason}: {shown}"), "ops.quarantine")


def items_of_runs(scene: Scene) -> Iterator[Item]:
    """The failed step, recent runs with their ends, and the state of what lies upstream."""
    for signal in scene.ledger.latest("asset.failure").values():
        if signal.state == "firing" and signal.asset in scene.assets:
            yield Item("Failed step", _line(f"{signal.asset}: {signal.message}"), f"run {signal.run_id}")
    runs = sorted(scene.ledger.latest("run.outcome").values(), key=lambda item: item.event_at, reverse=True)
    took = {signal.pipeline: signal.value for signal in scene.ledger.latest("run.duration_seconds").values()}
    for signal in runs[:RUNS]:
        ended = "failed" if signal.state == "firing" else "succeeded"
        seconds = took.get(signal.pipeline)
        text = f"{signal.pipeline} {ended} at {signal.event_at:%Y-%m-%d %H:%M} UTC"
        yield Item("Recent run", text + (f", {seconds:,.0f} s" if seconds else ""), f"run {signal.run_id}")
    builds = scene.ledger.last_ok("asset.failure")
    stale = [f"{asset} {builds[asset]:%m-%d %H:%M}" for asset in scene.assets[1:LISTED_ASSETS] if asset in builds]
    if stale:
        yield Item("Last built", ", ".join(stale), "the ledger's signals")


def items_of_logs(scene: Scene) -> Iterator[Item]:
    """Where each log lies, and the last lines about the run or the table."""
    path = scene.settings.home / LOG
    words = [word for word in (scene.run_id, *(asset.replace("/", ".") for asset in scene.assets[:2])) if word]
    if path.is_file():
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
        found = [
            line for line in lines if any(word in line for word in words) and (" WARNING " in line or " ERROR " in line)
        ]
        if found:
            yield Item("Log", " | ".join(_line(line) for line in found[-LINES:]), str(LOG), f"grep {words[0]} {path}")
    run = f"/runs/{scene.run_id}" if scene.run_id else "/runs"
    yield Item(
        "Where the logs are",
        f"Steps and return codes: `ops ui`, {run}. Warnings and errors of every step: {LOG}. SQL errors of dbt: in the "
        "step's log. Files: `ops.batches`, `ops.findings`, `ops.quarantine`.",
        "",
        f"tail -n 50 {path}",
    )


def items_of_code(scene: Scene) -> Iterator[Item]:
    """Which code and configuration it was, and what of them is other than at the last good run."""
    now, before = _compared(scene)
    if now is None:
        return
    text = f"commit {str(now.manifest.get('commit', 'unknown'))[:12]}"
    if before is not None and before.manifest.get("commit") != now.manifest.get("commit"):
        text += f", at the last good run {str(before.manifest.get('commit'))[:12]}"
    changed = [change.what for change in changes_of_tables(scene) if change.kind in ("code", "schema")]
    yield Item(
        "Code",
        _line(
            text
            + (f"; changed since the last good run: {'; '.join(changed)}" if changed else "; nothing changed upstream")
        ),
        f"snapshot {now.id}",
        "ops lineage --versions",
    )


def changes_of_tables(scene: Scene) -> list[Change]:
    """What is other in the newest snapshot than in the last good one, of the tables upstream."""
    now, before = _compared(scene)
    if now is None or before is None:
        return []
    found = []
    tables, were = now.tables, before.tables
    commit, run = str(now.manifest.get("commit", "")), str(now.manifest.get("run_id", ""))
    code, was_code = now.manifest.get("code") or {}, before.manifest.get("code") or {}
    evidence = f"snapshots {before.id} and {now.id}"

    def change(asset: str, kind: str, what: str) -> None:
        found.append(Change(asset, kind, now.as_of, what, run, commit, evidence))

    for asset in scene.assets:
        table = asset.replace("/", ".")
        if code.get(table) != was_code.get(table) and table in was_code:
            change(
                asset, "code", f"the SQL of {table} is another since commit {str(before.manifest.get('commit'))[:12]}"
            )
        here, there = tables.get(table), were.get(table)
        if here is None or there is None:
            continue
        if here.columns != there.columns:
            gone = sorted(set(there.columns) - set(here.columns))
            added = sorted(set(here.columns) - set(there.columns))
            said = ", ".join(
                [*(f"+{name} {kind}" for name, kind in added), *(f"-{name} {kind}" for name, kind in gone)]
            )
            change(asset, "schema", f"columns of {table}: {said}")
        elif there.rows and abs(here.rows - there.rows) > VOLUME * there.rows:
            change(asset, "volume", f"{table} has {here.rows:,} rows, before {there.rows:,}")
    return found


def commits_of_runs(scene: Scene) -> dict[str, str]:
    """Run → commit, of the runs whose snapshots are kept."""
    found = snapshots.existing(scene.settings)
    return {str(item.manifest.get("run_id", "")): str(item.manifest.get("commit", "")) for item in found}


def _compared(scene: Scene) -> tuple[Snapshot | None, Snapshot | None]:
    """The newest snapshot, and the newest good one from before the trouble."""
    found = snapshots.existing(scene.settings)
    if not found:
        return None, None
    earlier = [item for item in found[:-1] if item.manifest.get("good", True) and _before(item.as_of, scene.since)]
    return found[-1], earlier[-1] if earlier else None


def _before(moment: datetime, since: datetime | None) -> bool:
    return since is None or moment <= since


def _newest(scene: Scene) -> Snapshot | None:
    found = snapshots.existing(scene.settings)
    return found[-1] if found else None


def _rows(snapshot: Snapshot | None, table: str) -> int | None:
    found = snapshot.tables.get(table) if snapshot is not None else None
    return None if found is None else found.rows


def _asked(snapshot: Snapshot, query: str) -> list[tuple[Any, ...]]:
    connection = snapshots.open(snapshot, MEMORY, threads=1)
    timer = threading.Timer(QUERY_SECONDS, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        return connection.execute(query).fetchall()
    finally:
        timer.cancel()
        connection.close()


def _line(text: str) -> str:
    plain = visible_line(mask(" ".join(text.split())))
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


SOURCES: Sequence[EvidenceSource] = (
    EvidenceSource("runs", items=lambda scene: list(items_of_runs(scene))),
    EvidenceSource(
        "tables", items=lambda scene: list(items_of_tables(scene)), changes=changes_of_tables, commits=commits_of_runs
    ),
    EvidenceSource("batches", items=lambda scene: list(items_of_batches(scene))),
    EvidenceSource("code", items=lambda scene: list(items_of_code(scene))),
    EvidenceSource("logs", items=lambda scene: list(items_of_logs(scene))),
)
