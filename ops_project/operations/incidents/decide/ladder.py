"""Runs an escalation ladder: which steps are due, and who is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ops_project.counted import counted
from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.severity import at_least
from ops_project.operations.incidents.decide.incident import TRIGGERED, Call, FrozenStep, Incident, Policy
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.decide.turn import Turn
from ops_project.operations.oncall.targets import Resolved, again, skip_reason


def freeze(
    file: EscalationFile, *, pipeline: str, domain: str, failure_class: str, severity: str, priority: str
) -> Policy:
    """The policy for one incident: a copy of what is configured now."""
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


def climb(turn: Turn, incident: Incident) -> Incident:
    """Take every step that is due. If there is a reason to skip a step (`skip_reason`), it is skipped at once, and the
    later steps are taken earlier.
    """
    while incident.status == TRIGGERED and incident.step < len(incident.policy.steps) and not incident.stands_down:
        index = incident.step
        step = incident.policy.steps[index]
        called = _called(turn, incident)
        found = turn.people(step.to, incident, called)
        later = (turn.people(step.to, incident, called) for step in incident.policy.steps[index + 1 :])
        if why := skip_reason(found, called, later):
            turn.note(incident.number, IncidentReason.STEP_SKIPPED, f"{_name(incident, index)}: skipped, {why}")
            incident = _without_wait(incident, index)
            _note_end(turn, incident)
            continue
        if incident.elapsed(turn.now) < timedelta(seconds=step.after):
            break
        incident = _take(turn, incident, index, found)
    return incident


def _called(turn: Turn, incident: Incident) -> tuple[str, ...]:
    """Everybody whom the ladder has called, and the people of its first step, who may have been told by the page."""
    if not incident.step:
        return ()
    first = turn.people(incident.policy.steps[0].to, incident, at=incident.triggered_at)
    return tuple(dict.fromkeys((*first.who, *incident.paged)))


def _without_wait(incident: Incident, index: int) -> Incident:
    """The incident after a step without people was skipped. Every later step moves forward by the time that the skipped
    step would have waited.
    """
    steps = list(incident.policy.steps)
    before = steps[index - 1].after if index else 0.0
    shift = steps[index].after - before
    for later in range(index, len(steps)):
        steps[later] = replace(steps[later], after=max(before, steps[later].after - shift))
    return replace(incident, step=index + 1, policy=replace(incident.policy, steps=tuple(steps)))


def _take(turn: Turn, incident: Incident, index: int, found: Resolved) -> Incident:
    step, now = incident.policy.steps[index], turn.now
    # The alert's own page has already gone to the people on call. So the first step does not call them a second time.
    called = tuple(name for name in found.who if not (index == 0 and name in turn.setting.paged))
    words = f"{_name(incident, index)}: {', '.join(found.who)}"
    if index == 0 and called != found.who:
        words += " (told by the page itself)" if not called else " (people on call were told by the page itself)"
    for remark in (again(found, _called(turn, incident)), *found.missing):
        words += f"; {remark}" if remark else ""
    turn.note(incident.number, IncidentReason.STEP_TAKEN, words)
    if called:
        minutes = int((now - incident.triggered_at).total_seconds() // 60)
        turn.call(
            Call(
                incident=incident.number,
                kind="escalation",
                who=called,
                subject=f"[{incident.priority}] incident {incident.number}: {incident.title}",
                text=f"{_name(incident, index)}. {step.say}".strip()
                + (f" Open for {counted(minutes, 'minute')}." if minutes else ""),
                page=incident.severity == "critical",
                occurrence=f"{len(incident.times)}:{index}",
            )
        )
    known = tuple(dict.fromkeys((*incident.paged, *called)))
    taken = replace(incident, step=index + 1, paged=known)
    _note_end(turn, taken)
    return taken


def _note_end(turn: Turn, incident: Incident) -> None:
    if incident.step == len(incident.policy.steps):
        turn.note(incident.number, IncidentReason.LADDER_ENDED, f"ladder {incident.policy.ladder}")


def _name(incident: Incident, index: int) -> str:
    step = incident.policy.steps[index]
    return f"ladder {incident.policy.ladder}, step {index + 1}" + (f" ({step.level})" if step.level else "")
