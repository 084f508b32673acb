"""Puts a domain or a table on hold, and releases it. While it is on hold, nothing downstream of it is built. The shell
and the console call the same functions.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from difflib import get_close_matches

from ops_project.lineage import Lineage
from ops_project.operations.incidents.decide.incident import Refused
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.holds import Hold


def check_subject(subject: str, lineage: Lineage, domains: Collection[str]) -> None:
    """Raises Refused if `subject` is neither a domain nor a known asset."""
    if subject in lineage.assets or subject in domains:
        return
    near = get_close_matches(subject, [*lineage.assets, *domains], n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    raise Refused(
        f"{subject!r} is neither a domain nor an asset that is known here{meant}; domains: {', '.join(domains)}; "
        "write an asset as schema/table; assets are known after the first run"
    )


def hold(
    ledger: Ledger,
    subject: str,
    why: str,
    by: str,
    now: datetime,
    *,
    source: str,
    until: datetime | None = None,
    incident: int | None = None,
) -> Hold:
    """Store the hold, and write a line into the audit log and into the timeline of its incident. Raises Refused."""
    if not why.strip():
        raise Refused("a hold needs a reason, so that others can read why a table is not built")
    if until is not None and until <= now:
        raise Refused(f"the limit {until:%Y-%m-%d %H:%M} UTC has passed")
    number = ledger.hold(subject, why=why, by=by, now=now, until=until, incident=incident)
    ledger.audit(now, who=by, source=source, action="hold", subject=subject, outcome="done", detail=why)
    if incident is not None:
        ledger.note_incident(incident, IncidentReason.HELD, by, f"{subject}: {why}", now)
    return next(item for item in ledger.holds() if item.number == number)


def release(ledger: Ledger, subject: str, by: str, now: datetime, *, source: str) -> list[Hold]:
    """End every hold of `subject`, and return them. Raises Refused if there is none."""
    ended = ledger.release_hold(subject, by, now)
    if not ended:
        raise Refused(f"{subject!r} is not on hold; `ops hold list` shows what is")
    ledger.audit(now, who=by, source=source, action="release", subject=subject, outcome="done", detail="")
    for item in ended:
        if item.incident is not None:
            ledger.note_incident(item.incident, IncidentReason.RELEASED, by, subject, now)
    return ended
