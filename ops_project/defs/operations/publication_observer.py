"""Observer of publications: whether consumers got the tables that were built. It reports failed snapshots, failed
publications, and gold tables that are held back. A table is delivered when consumers can read it, not when it was
built.

A run gives no signal about tables that it did not build. Their files are unchanged, and the failed build has its own
alert.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ops_project.failures import classify_message
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.moments import to_minute
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.pipeline.warehouse import closings, publishing
from ops_project.pipeline.warehouse.closings import Closing
from ops_project.process import locks

FAILURE, HELD, HELD_SECONDS = "publication.failure", "publication.held", "publication.held_seconds"
CURSOR = "publication"
AGE_EVERY = timedelta(minutes=5)
NOT_ORDERED = "it was not built in this run"


def look(view: View) -> Observation:
    """One signal for each run that has closed, and one for each table of a new publication. Every few minutes there is
    another signal for each table that is held back. It says for how long.
    """
    seen: dict[str, str] = json.loads(view.cursors.get(CURSOR) or "{}")
    after = dict(seen)
    signals: list[Signal] = []
    for closing in closings.noted(view.settings):
        state = _state(view, closing)
        if state is None or seen.get(f"job {closing.job}") == f"{closing.run_id} {state}":
            continue
        after[f"job {closing.job}"] = f"{closing.run_id} {state}"
        signals.append(_closed(view, closing, state == FIRING))
    for domain in _domains(view):
        publication = publishing.current(view.settings, domain)
        if publication is None or seen.get(f"domain {domain}") == publication.id:
            continue
        after[f"domain {domain}"] = publication.id
        signals += _tables(view, domain, publication)
    ages = _ages(view, signals)
    if ages:
        after["age"] = view.now.isoformat()
    return Observation([*signals, *ages], {CURSOR: json.dumps(after, sort_keys=True)} if after != seen else {})


def _domains(view: View) -> list[str]:
    root = view.settings.published
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def _state(view: View, closing: Closing) -> str | None:
    """The state of the signal: firing or ok. None while the run is still closing."""
    if closing.state == closings.CLOSED:
        return OK
    if closing.state == closings.CLOSING:
        holder = locks.holder(view.settings.lock)
        if holder is not None and holder.run == closing.run_id:
            return None
    return FIRING


def _closed(view: View, closing: Closing, failed: bool) -> Signal:
    words = closing.error or "the run ended before its snapshot and publication were done" if failed else ""
    assets = [key for key, facts in view.lineage.assets.items() if facts.domain == closing.domain]
    owners = [owner for key in assets if key.startswith("gold/") for owner in view.lineage.get(key).owners]
    return view.state(
        FAILURE,
        bool(failed),
        at=datetime.fromisoformat(closing.at),
        occurrence=closing.run_id,
        pipeline=closing.job,
        domain=closing.domain,
        run_id=closing.run_id,
        owners=tuple(dict.fromkeys(owners)),
        message=words,
        failure_class=classify_message(words).failure_class if words else "",
        labels={"scheduled": "true" if closing.scheduled else "false"},
    )


def _tables(view: View, domain: str, publication: publishing.Publication) -> Iterator[Signal]:
    manifest = publication.manifest
    written = datetime.fromtimestamp((publication.folder / publishing.MANIFEST).stat().st_mtime, UTC)
    # In a replay, a run has the time of the replay's clock.
    at = datetime.fromisoformat(manifest["as_of"]) if view.settings.as_of is not None else written
    for table, entry in sorted(manifest["tables"].items()):
        held = entry["state"] != "published"
        if held and entry["reason"] == NOT_ORDERED:
            continue
        asset = f"gold/{table}"
        facts = view.lineage.get(asset)
        yield view.state(
            HELD,
            bool(held),
            at=at,
            occurrence=publication.id,
            asset=asset,
            domain=facts.domain or domain,
            owners=facts.owners,
            run_id=manifest["run_id"],
            message=_words(entry) if held else "",
            failure_class=_class(entry["reason"]) if held else "",
        )


def _words(entry: Mapping[str, Any]) -> str:
    kept = f"the file of {to_minute(entry['as_of'])}" if entry.get("file") else "no file yet"
    readers = ", ".join(str(reader["name"]) for reader in entry["consumers"])
    return f"{entry['reason']}; consumers have {kept}" + (f": {readers}" if readers else "")


def _class(reason: str) -> str:
    if reason.startswith("reconciliation"):
        return "reconciliation_break"
    return "data_invalid" if "checks failed" in reason else "mart_build_failure"


def _ages(view: View, news: list[Signal]) -> list[Signal]:
    """For each held table, the time for which it has been held. Zero for a table that is no longer held."""
    levels = {signal.asset: signal for signal in view.ledger.latest(HELD).values()}
    levels |= {signal.asset: signal for signal in news if signal.kind == HELD}
    before = {signal.asset: signal for signal in view.ledger.latest(HELD_SECONDS).values()}
    found = []
    for asset, level in levels.items():
        held, last = level.state == FIRING, before.get(asset)
        # A reading with a time after now comes from a run with a later as-of time, and says nothing about now.
        if held and last is not None and last.value and timedelta() <= view.now - last.event_at < AGE_EVERY:
            continue
        if not held and (last is None or not last.value):
            continue
        found.append(_age(view, asset, (view.now - _since(view, level)).total_seconds() if held else 0.0))
    return found


def _since(view: View, level: Signal) -> datetime:
    publication = publishing.current(view.settings, level.domain)
    entry = publication.manifest["tables"].get(level.asset.partition("/")[2]) if publication is not None else None
    return datetime.fromisoformat(entry["since"]) if entry and "since" in entry else level.event_at


def _age(view: View, asset: str, seconds: float) -> Signal:
    facts = view.lineage.get(asset)
    return view.reading(HELD_SECONDS, max(seconds, 0.0), asset=asset, domain=facts.domain, owners=facts.owners)
