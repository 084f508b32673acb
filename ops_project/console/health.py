"""Decides whether the watchers and each domain are well, wrong or unknown, and since when. The module is pure: all
facts are arguments. If no process has checked anything, or nothing has ever run, the state is unknown. An unknown state
is never treated as a good one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ops_project.counted import counted
from ops_project.model.alerting.alert import Alert
from ops_project.model.severity import RANK

WELL, WRONG, UNKNOWN = "well", "wrong", "unknown"
LOOKS_EVERY = {"daemon": timedelta(minutes=5), "watch": timedelta(minutes=5), "shell": timedelta(hours=26)}
"""How long one check stays valid, by the role of the process that made it. A daemon checks every few seconds. Without a
daemon, each nightly `ops run` checks once.
"""
SAYS_LATE = ("missed", "at risk")


@dataclass(frozen=True, slots=True)
class State:
    """A state. `state`: well, wrong or unknown. `words`: the reason. `since`: when the state began; None if that is not
    known.
    """

    state: str
    words: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """The last check by the alert cycle, and what the cycle reported about itself."""

    role: str
    """The role of the process that checked: daemon, watch or shell; empty if no process ever has."""
    at: datetime | None
    down_since: datetime | None
    """When the orchestrator was reported as down; None if it is not down."""
    failing: Mapping[str, str]
    """Each observer that fails → its message."""
    undelivered: Mapping[str, str]
    """Each channel that cannot be reached → its error."""
    dead: int
    """How many messages were given up during the last day."""
    waiting: int
    """How many messages wait to be sent."""
    ended: bool = False
    """Whether a person stopped the process after its last check."""


def watchers(looked: Looked, now: datetime) -> State:
    """The state of the watchers."""
    if looked.at is None:
        return State(UNKNOWN, "Nothing has been checked yet: `ops run`, `ops ui` and `ops watch` check.")
    age = now - looked.at
    late = age > LOOKS_EVERY.get(looked.role, LOOKS_EVERY["shell"])
    if looked.down_since is not None:
        return State(WRONG, "The orchestrator is down.", looked.down_since)
    if looked.ended:
        way_on = "`ops ui` runs the watchers, `ops cycle` checks once."
        return State(UNKNOWN, f"The {looked.role} was stopped, and nothing checks now: {way_on}", looked.at)
    if late and looked.role == "shell":
        return State(UNKNOWN, "No process checks now: `ops ui` runs the watchers, `ops cycle` checks once.", looked.at)
    if late:
        return State(WRONG, f"The {looked.role} has stopped looking.", looked.at)
    if looked.failing:
        return State(WRONG, f"{counted(len(looked.failing), 'observer fails', 'observers fail')}.", looked.at)
    if looked.undelivered or looked.dead:
        return State(WRONG, "Messages do not arrive.", looked.at)
    how = "by hand or after a run" if looked.role == "shell" else f"by the {looked.role}"
    return State(WELL, f"All observers work, and messages arrive; last checked {how}.", looked.at)


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """The facts about one domain."""

    alerts: Sequence[Alert]
    """Alerts that fire. Alerts that are silent are among them."""
    promises: Sequence[Mapping[str, Any]]
    """The domain's service levels, as `ops sla --json` prints them."""
    first_run: datetime | None
    """The time of the domain's first signal; None if the domain never ran."""
    last_resolved: datetime | None
    """When the domain's last alert ended."""
    unreadable: str = ""
    """A sentence about a store that exists and cannot be read; empty if every store can be read."""


def domain(facts: DomainFacts, looks: State) -> State:
    """The state of a domain. A known failure makes the state wrong even if no process looks for failures any more."""
    serious = [alert for alert in facts.alerts if RANK[alert.severity] >= RANK["high"]]
    late = [promise for promise in facts.promises if promise["state"] in SAYS_LATE]
    if serious:
        worst = max(serious, key=lambda alert: (RANK[alert.severity], -alert.number))
        more = f" and {len(facts.alerts) - 1} more" if len(facts.alerts) > 1 else ""
        return State(WRONG, f"{worst.summary}{more}", min(alert.starts_at for alert in serious))
    if late:
        missed = [promise["due"] for promise in late if promise["state"] == "missed"]
        return State(WRONG, f"{late[0]['title']}: {late[0]['state']}", min(missed, default=None))
    if facts.first_run is None:
        return State(UNKNOWN, "It has never run here.")
    if looks.state == UNKNOWN or (looks.state == WRONG and looks.since is not None and _stopped(looks)):
        return State(UNKNOWN, looks.words, looks.since)
    if facts.unreadable:
        return State(UNKNOWN, facts.unreadable)
    if facts.alerts:
        count = counted(len(facts.alerts), "alert of low or medium severity", "alerts of low or medium severity")
        return State(WELL, f"It delivers; {count}.", facts.last_resolved or facts.first_run)
    return State(WELL, "Nothing is wrong.", facts.last_resolved or facts.first_run)


def overall(states: Sequence[State]) -> str:
    """Wrong if one of `states` is wrong; otherwise unknown if one is unknown, or if there is none."""
    found = {state.state for state in states}
    return WRONG if WRONG in found else UNKNOWN if UNKNOWN in found or not found else WELL


def _stopped(looks: State) -> bool:
    return "stopped" in looks.words or "down" in looks.words
