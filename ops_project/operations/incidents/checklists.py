"""Evaluates a checklist. Each line is well, a gap, unknown, answered, or waits for a person's answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.model.checklist import Checklist, Line, Measure
from ops_project.model.severity import at_least
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.lineage_document import recall

LISTED = 3
"""If more subjects than this are concerned, only their number is shown."""
WELL, GAP, UNKNOWN, WAITS, ANSWERED = "well", "gap", "unknown", "waits", "answered"
KIND = "checklist.gap"
EVERY = 1_000_000
LeftOut = Callable[[Signal], bool]
Query = Callable[[str], float | None]
"""Runs a query on the newest snapshot and returns one number; None if the number cannot be determined."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One line with its present state."""

    line: str
    text: str
    state: str
    """The state of the line: well, gap, unknown, waits or answered."""
    value: str
    by: str
    do: str


def period_of(every: str, now: datetime, zone: ZoneInfo) -> str:
    """The name of the period that contains `now`: 2026-03-04, 2026-W10 or 2026-03."""
    local = now.astimezone(zone)
    if every == "day":
        return f"{local:%Y-%m-%d}"
    if every == "week":
        year, week, _ = local.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{local:%Y-%m}"


def before(every: str, now: datetime, zone: ZoneInfo) -> str:
    """The name of the period before the one that contains `now`."""
    local = now.astimezone(zone)
    if every == "month":
        return period_of(every, now - timedelta(days=local.day), zone)
    return period_of(every, now - timedelta(days=1 if every == "day" else 7), zone)


def judge(ledger: Ledger, catalog: Catalog, name: str, query: Query, now: datetime) -> tuple[str, list[Judged]]:
    """Evaluate the checklist `name`. Returns the name of the period, and its lines.

    The call also stores the measurements. It writes a signal for each line that has become a gap or has become well
    again.
    """
    checklist = catalog.checklists.checklists[name]
    zone = catalog.platform.zone
    period = period_of(checklist.every, now, zone)
    answers = {line: found for line, found in ledger.checklist(name, period).items() if found.state == ANSWERED}
    left = _unanswered(ledger, name, checklist, before(checklist.every, now, zone))
    judged = []
    left_out = _left_out(ledger, catalog)
    for key, line in checklist.lines.items():
        if line.measure is not None:
            state, value = _measured(ledger, line.measure, query, now, left_out)
            judged.append(Judged(line=key, text=line.text, state=state, value=value, by="", do=line.do))
        elif key in answers:
            judged.append(
                Judged(
                    line=key, text=line.text, state=ANSWERED, value=answers[key].value, by=answers[key].by, do=line.do
                )
            )
        else:
            said = f"asks {line.ask}" + (f"; was not answered for {left[key]}" if key in left else "")
            judged.append(Judged(line=key, text=line.text, state=WAITS, value=said, by="", do=line.do))
    ledger.keep_checklist(
        name, period, [(j.line, j.state, j.value) for j in judged if j.state in (WELL, GAP, UNKNOWN)], now
    )
    _signal(ledger, name, checklist, judged=judged, left=left, now=now)
    _end_removed(ledger, catalog, now)
    return period, judged


def _unanswered(ledger: Ledger, name: str, checklist: Checklist, period: str) -> dict[str, str]:
    """The questions that nobody answered in a period that has ended, each with the name of the period.

    If the checklist was not evaluated in that period, nothing is returned, because the checklist may not have existed
    then.
    """
    kept = ledger.checklist(name, period)
    if not kept:
        return {}
    asked = [key for key, line in checklist.lines.items() if line.ask is not None]
    return {key: period for key in asked if key not in kept or kept[key].state != ANSWERED}


def _left_out(ledger: Ledger, catalog: Catalog) -> LeftOut:
    """A test for signals that do not count: those about a domain that is switched off. No newer signal will ever
    replace such a signal.
    """
    off, lineage = catalog.switched_off, recall(ledger) if catalog.switched_off else Lineage()
    return lambda signal: (signal.domain or (lineage.get(signal.asset).domain if signal.asset else "")) in off


def _measured(ledger: Ledger, measure: Measure, query: Query, now: datetime, left_out: LeftOut) -> tuple[str, str]:
    value = _value(ledger, measure, query, now, left_out)
    if value is None:
        return UNKNOWN, "could not be measured"
    wanted = f"at most {measure.at_most:g}" if measure.at_most is not None else f"at least {measure.at_least:g}"
    shown = f"{value:g} ({wanted})"
    if not measure.well(value):
        return GAP, shown
    unread = _unread(ledger, measure, left_out)
    if unread:
        more = f" and {len(unread) - LISTED} more" if len(unread) > LISTED else ""
        return UNKNOWN, f"{shown}, but unknown for {', '.join(unread[:LISTED])}{more}"
    return WELL, shown


def _unread(ledger: Ledger, measure: Measure, left_out: LeftOut) -> list[str]:
    """The subjects whose newest reading of the metric has no value. Each of them could be a gap."""
    if measure.metric is None:
        return []
    read = [signal for signal in ledger.latest(measure.metric).values() if not left_out(signal)]
    return sorted(signal.asset or signal.check or "the platform" for signal in read if signal.value is None)


def _value(ledger: Ledger, measure: Measure, query: Query, now: datetime, left_out: LeftOut) -> float | None:
    if measure.alerts is not None:
        return float(sum(at_least(alert.severity, measure.alerts) for alert in ledger.alerts("open", EVERY)))
    if measure.rules:
        return float(sum(alert.rule in measure.rules for alert in ledger.alerts("open", EVERY)))
    if measure.incidents == "open":
        return float(len(ledger.incidents("open", EVERY)))
    if measure.incidents == "overdue":
        owed = [i for i in ledger.incidents("resolved", EVERY) if i.postmortem_due and i.postmortem_at is None]
        return float(sum(i.postmortem_due is not None and i.postmortem_due <= now for i in owed))
    if measure.metric is not None:
        read = ledger.latest(measure.metric).values()
        known = [s.value for s in read if s.value is not None and not left_out(s)]
        if not known:
            return None
        return max(known) if measure.at_most is not None else min(known)
    return query(measure.sql or "")


def _signal(
    ledger: Ledger,
    name: str,
    checklist: Checklist,
    *,
    judged: Sequence[Judged],
    left: Mapping[str, str],
    now: datetime,
) -> None:
    """Write a signal for each line whose state has changed. A gap makes the signal fire, and so does a question that
    nobody answered in the period before. A line that is unknown neither opens nor ends an alert.
    """
    known = {signal.check: signal.state for signal in ledger.latest(KIND).values()}
    signals = []
    for item in judged:
        check = f"{name}.{item.line}"
        gap = item.state == GAP or item.line in left
        if item.state == UNKNOWN or known.get(check, OK) == (FIRING if gap else OK):
            continue
        signals.append(
            Signal(
                kind=KIND,
                state=FIRING if gap else OK,
                value=float(gap),
                event_at=now,
                observed_at=now,
                occurrence=now.isoformat(),
                check=check,
                message=f"{checklist.title}: {item.text}: {item.value}",
            )
        )
    ledger.append(signals, now=now)


def _end_removed(ledger: Ledger, catalog: Catalog, now: datetime) -> None:
    """Write an ok signal for each line that was a gap and no longer belongs to any checklist."""
    lines = {f"{name}.{line}" for name, found in catalog.checklists.checklists.items() for line in found.lines}
    left = [s for s in ledger.latest(KIND).values() if s.state == FIRING and s.check not in lines]
    words = "the line is no longer part of a checklist"
    at = now.isoformat()
    ledger.append(
        [replace(s, state=OK, value=0.0, event_at=now, observed_at=now, occurrence=at, message=words) for s in left],
        now=now,
    )


def question(catalog: Catalog, name: str, line: str) -> Line:
    """The line of a checklist that asks a person. Raises KeyError if there is none of this name; the message lists the
    valid ones.
    """
    asked = {key: item for key, item in catalog.checklists.checklists[name].lines.items() if item.ask is not None}
    if line not in asked:
        raise KeyError(f"checklist {name} asks nothing called {line!r}; it asks: {', '.join(asked) or 'nothing'}")
    return asked[line]
