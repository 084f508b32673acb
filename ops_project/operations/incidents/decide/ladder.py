"""Runs an escalation ladder: which steps are due, and who is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from ops_project.model.oncall.escalation import ClassRoles, EscalationFile
from ops_project.model.severity import at_least
from ops_project.operations.incidents.decide.incident import (
    TRIGGERED,
    Call,
    Event,
    FrozenStep,
    Incident,
    Outcome,
    Policy,
)
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.oncall.targets import About, Surroundings, resolve


def freeze(
    file: EscalationFile, pipeline: str, domain: str, failure_class: str, severity: str, priority: str
) -> Policy:
    """The policy for one incident, copied out of the configuration."""
    name = file.choose(pipeline, domain, failure_class)
    ladder = file.ladders.get(name or "")
    runs = ladder is not None and at_least(severity, ladder.least)
    roles = file.class_roles.get(failure_class) or file.class_roles.get("unknown")
    wanted = priority in file.post_mortem.priorities
    return Policy(
        ladder=(name or "") if runs else "",
        title=ladder.title if ladder is not None and runs else "",
        steps=tuple(FrozenStep(s.level, s.after.total_seconds(), s.to, s.say) for s in ladder.steps)
        if ladder is not None and runs
        else (),
        class_roles=roles.roles if roles else (),
        reopen_seconds=file.reopen_within.total_seconds(),
        repeats=file.repeats.count,
        repeats_seconds=file.repeats.within.total_seconds(),
        repeats_to=file.repeats.to,
        postmortem_seconds=file.post_mortem.due.total_seconds() if wanted else None,
        overdue=tuple((o.after.total_seconds(), o.to) for o in file.post_mortem.overdue),
    )


def about(incident: Incident) -> About:
    """What its targets depend on."""
    return About(incident.pipeline, incident.owner, incident.failure_class)


def frozen_roles(incident: Incident, around: Surroundings) -> Surroundings:
    """The surroundings with the roles that the incident's class needed when it opened."""
    roles = incident.policy.class_roles
    known: Mapping[str, ClassRoles] = {incident.failure_class: ClassRoles(roles=roles)} if roles else {}
    return replace(around, class_roles=known)


def climb(
    outcome: Outcome, incident: Incident, around: Surroundings, paged: tuple[str, ...], now: datetime
) -> Incident:
    """Take every step that is due. An empty step is skipped at once, and the next one's time counts in its place.

    `paged`: whom the alert's own page went to; a first step that means them calls nobody twice.
    """
    # Each step that follows an empty one moves up by what the empty one would have waited.
    while incident.status == TRIGGERED and incident.step < len(incident.policy.steps) and not incident.stands_down:
        index = incident.step
        step = incident.policy.steps[index]
        found = resolve(step.to, about(incident), frozen_roles(incident, around), now)
        if not found.who:
            why = "; ".join(found.missing) or "the step names nobody"
            detail = f"{_name(incident, index)}: skipped, {why}"
            outcome.events.append(Event(incident.number, now, IncidentReason.STEP_SKIPPED, "", detail))
            incident = _without_wait(incident, index)
            continue
        if incident.elapsed(now) < timedelta(seconds=step.after):
            break
        incident = _take(outcome, incident, index, found.who, found.missing, paged, now)
    return incident


def _without_wait(incident: Incident, index: int) -> Incident:
    """The ladder after an empty step: what follows keeps its distance to the step before the empty one."""
    steps = list(incident.policy.steps)
    before = steps[index - 1].after if index else 0.0
    shift = steps[index].after - before
    for later in range(index, len(steps)):
        steps[later] = replace(steps[later], after=max(before, steps[later].after - shift))
    return replace(incident, step=index + 1, policy=replace(incident.policy, steps=tuple(steps)))


def _take(
    outcome: Outcome,
    incident: Incident,
    index: int,
    who: tuple[str, ...],
    missing: tuple[str, ...],
    paged: tuple[str, ...],
    now: datetime,
) -> Incident:
    step = incident.policy.steps[index]
    # The alert's page has gone to the people on call already.
    called = tuple(name for name in who if not (index == 0 and name in paged))
    words = f"{_name(incident, index)}: {', '.join(who)}"
    if index == 0 and called != who:
        words += " (told by the page itself)" if not called else " (those on call by the page itself)"
    if missing:
        words += f"; {'; '.join(missing)}"
    outcome.events.append(Event(incident.number, now, IncidentReason.STEP_TAKEN, "", words))
    if called:
        minutes = int((now - incident.triggered_at).total_seconds() // 60)
        outcome.calls.append(
            Call(
                incident=incident.number,
                kind="escalation",
                who=called,
                subject=f"[{incident.priority}] incident {incident.number}: {incident.title}",
                text=f"{_name(incident, index)}. {step.say}".strip()
                + (f" Open for {minutes} minutes." if minutes else ""),
                page=incident.severity == "critical",
                occurrence=f"{len(incident.times)}:{index}",
            )
        )
    if index + 1 == len(incident.policy.steps):
        outcome.events.append(
            Event(incident.number, now, IncidentReason.LADDER_ENDED, "", f"ladder {incident.policy.ladder}")
        )
    known = tuple(dict.fromkeys((*incident.paged, *called)))
    return replace(incident, step=index + 1, paged=known)


def _name(incident: Incident, index: int) -> str:
    step = incident.policy.steps[index]
    return f"ladder {incident.policy.ladder}, step {index + 1}" + (f" ({step.level})" if step.level else "")
