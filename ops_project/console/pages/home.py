"""The first page: whether everything is all right, who works on the problems, and what happened last night."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from ops_project.console import health, run_history
from ops_project.console.domain_data import of_domains, unreadable
from ops_project.console.freshness import Fresh
from ops_project.console.health import DomainFacts, Looked, State
from ops_project.console.run_history import lanes, recent_runs
from ops_project.console.site import Site
from ops_project.console.views import Ask, page
from ops_project.model.alerting.alert import Alert
from ops_project.model.alerting.signal import FIRING
from ops_project.operations.alerting import authority
from ops_project.operations.alerting.service_levels.overview import gather
from ops_project.operations.domains import domains_of, title_of
from ops_project.operations.incidents.rota import current
from ops_project.operations.ledger import Ledger

NIGHT = timedelta(hours=24)
SHOWN_INCIDENTS = 12
WORST_FIRST = ("missed", "at risk", "open", "unknown", "ready", "not due today")
LOOKED = "looked:"
"""The beginning of the names of cursors in which each observer records the time of its last check. A cycle that a shell
runs leaves no other trace.
"""


@dataclass(frozen=True)
class DomainLine:
    """One domain on the page. `data` is None for a watched project, whose data is not read."""

    id: str
    title: str
    state: State
    promises: list[dict[str, Any]]
    data: Fresh | None
    built: datetime | None
    """When the newest build of an asset ended; None if it is unknown, or if `data` says more."""
    alerts: int


@dataclass(frozen=True)
class OnCallNow:
    """Who is called now, and until when."""

    schedule: str
    primary: str
    backup: str
    ends: datetime
    why: str


def routes() -> list[Route]:
    return [page("/", show)]


def show(ask: Ask) -> Response:
    site, now = ask.site, ask.now
    ledger = site.ledger
    looks = looked(ledger, now)
    watching = health.watchers(looks, now)
    found = domain_lines(site, ledger, watching, now)
    incidents = ledger.incidents("open", limit=None)
    incidents.sort(key=lambda incident: (incident.priority, -incident.number))
    runs = recent_runs(site.settings, now - NIGHT)
    everything = [line.state for line in found]
    return ask.show(
        "home.html.j2",
        domains=found,
        overall=health.overall([*everything, watching]),
        incidents=incidents[:SHOWN_INCIDENTS],
        incident_count=len(incidents),
        unanswered=sum(incident.status == "triggered" for incident in incidents),
        on_call=on_call(site, ledger, now),
        watching=watching,
        looks=looks,
        lanes=lanes(runs, now - NIGHT, now) if runs is not None else None,
        runs_known=runs is not None,
        night=(now - NIGHT, now),
        hours=_hours(now - NIGHT, now),
    )


def _hours(start: datetime, end: datetime) -> list[tuple[float, datetime]]:
    """The marks of every third hour on the time line: (position in percent of the width, moment)."""
    first = start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    marks = [first + timedelta(hours=hour) for hour in range(int((end - first) / timedelta(hours=1)) + 1)]
    span = (end - start).total_seconds()
    return [((at - start).total_seconds() / span * 100, at) for at in marks if at.hour % 3 == 0]


def looked(ledger: Ledger, now: datetime) -> Looked:
    """The state of the alert cycle, as the cycle itself has recorded it."""
    cursors = ledger.cursors()
    beats = {
        role: datetime.fromisoformat(cursors[name])
        for role in (authority.DAEMON, authority.WATCH, authority.SHELL)
        if (name := authority.beat_of(role)) in cursors
    }
    who = authority.recorded(ledger)
    role = who.role if who is not None else ""
    looks = [datetime.fromisoformat(value) for name, value in cursors.items() if name.startswith(LOOKED)]
    # Only the last check of the deciding role counts, so a cycle that a person runs meanwhile in a shell does not
    # count. Once the deciding process has been stopped, the shell decides.
    at = beats.get(role)
    ended = authority.has_ended(cursors, role)
    if at is None or (ended and max(looks, default=at) > at):
        role, ended = authority.SHELL, False
        at = max([*beats.values(), *looks], default=None)
    down = next(iter(ledger.latest("orchestrator.down").values()), None)
    failing = [signal for signal in ledger.latest("observer.failure").values() if signal.state == FIRING]
    undelivered = [signal for signal in ledger.latest("delivery.failure").values() if signal.state == FIRING]
    return Looked(
        role=role,
        at=at,
        down_since=down.event_at if down is not None and down.state == FIRING else None,
        failing={signal.check or signal.pipeline or "observer": signal.message for signal in failing},
        undelivered={signal.check or signal.pipeline or "channel": signal.message for signal in undelivered},
        dead=len(ledger.dead_since(now - timedelta(days=1))),
        waiting=ledger.undelivered(),
        ended=ended,
    )


def domain_lines(site: Site, ledger: Ledger, watching: State, now: datetime) -> list[DomainLine]:
    """Every domain with its state."""
    catalog = site.catalog
    alerts: dict[str, list[Alert]] = defaultdict(list)
    # All alerts are read without a limit, because a domain whose alerts were left out would look well.
    for alert in ledger.alerts("open", limit=None):
        if not (alert.cause and alert.muted):
            alerts[alert.labels.get("domain", "")].append(alert)
    promises: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for promise in gather(catalog, ledger, site.lineage, now):
        promises[promise["domain"]].append(promise)
    for listed in promises.values():
        listed.sort(key=lambda promise: (WORST_FIRST.index(promise["state"]), promise["due"]))
    first_runs = ledger.first_seen("run.failure")
    ended = site.kept_while("last ends", ledger.newest_change(), ledger.last_ends)
    data = of_domains(site, now)
    lost = unreadable(site) or run_history.unreadable(site.settings)
    builds = _builds(site) if catalog.watches else {}
    lines = []
    for name in domains_of(catalog, site.lineage):
        if not catalog.feeds_of(name) and name not in builds:
            continue
        job = catalog.domains.main_job(name)
        began = [at for pipeline, at in first_runs.items() if pipeline == job or pipeline.startswith(f"{name}_")]
        began += builds.get(name, [])
        facts = DomainFacts(alerts[name], promises[name], min(began, default=None), ended.get(name), lost)
        state = health.domain(facts, watching)
        lines.append(
            DomainLine(
                id=name,
                title=title_of(catalog, name),
                state=state,
                promises=promises[name],
                data=None if catalog.watches else data[name],
                built=max(builds.get(name, []), default=None),
                alerts=len(alerts[name]),
            )
        )
    return lines


def _builds(site: Site) -> dict[str, list[datetime]]:
    """Domain of a watched project → the last builds of its assets. Assets that no step builds are left out."""
    found: dict[str, list[datetime]] = {}
    built = site.ledger.last_ok("asset.failure")
    for fact in site.lineage.assets.values():
        if not fact.external:
            found.setdefault(fact.domain, []).extend([built[fact.key]] if fact.key in built else [])
    return found


def on_call(site: Site, ledger: Ledger, now: datetime) -> OnCallNow | None:
    """Who is on call; None if no schedule is configured."""
    catalog = site.catalog
    name = catalog.oncall.main()
    if name is None:
        return None
    roster = current(catalog, ledger)[name]
    found = roster.at(now)
    ends = roster.starts(roster.shift_at(now) + 1).astimezone(UTC)
    why = "" if found.why.value == "rotation" else f"{found.why.value}: {found.note}"
    return OnCallNow(roster.schedule.title, found.primary, found.backup, ends, why)
