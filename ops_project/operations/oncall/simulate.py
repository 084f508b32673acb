"""Computes who would be told, and when, if something failed and nobody acknowledged it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.owner import Owners
from ops_project.model.severity import at_least
from ops_project.operations.oncall.lint import unreachable
from ops_project.operations.oncall.targets import About, Resolved, Surroundings, again, resolve, skip_reason


@dataclass(frozen=True, slots=True)
class Told:
    """One step of the ladder: when it would be taken, and whom it would call."""

    at: datetime
    level: str
    who: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Simulation:
    """The ladder that would apply. If there is none, `name` is empty, and `why_not` says why."""

    name: str
    title: str
    steps: list[Told]
    why_not: str = ""


def simulate(
    file: EscalationFile, around: Surroundings, *, about: About, domain: str, severity: str, now: datetime
) -> Simulation:
    """Every step of the ladder with its time, and the people whom it would call at that time."""
    name = file.choose(about.pipeline, domain, about.failure_class)
    if name is None:
        return Simulation("", "", [], "no entry of `use` in escalation.yaml fits")
    ladder = file.ladders[name]
    if not at_least(severity, ladder.least):
        return Simulation(
            "", "", [], f"ladder {name} begins at {ladder.least}; an alert that is {severity} goes to its owners only"
        )
    steps: list[Told] = []
    called: tuple[str, ...] = ()
    earlier, before = timedelta(), timedelta()
    for index, step in enumerate(ladder.steps):
        # The wait of a step that is skipped is not spent, so the later steps come earlier.
        after = max(before, step.after - earlier)
        at = now + after
        found = resolve(step.to, about, around, at, called)
        later = (resolve(other.to, about, around, at, called) for other in ladder.steps[index + 1 :])
        if why := skip_reason(found, called, later):
            steps.append(Told(at, step.level, (), f"skipped at once: {why}"))
            earlier += after - before
            continue
        remarks = [f"({words}.)" for words in (again(found, called), *_unreachable(found, around.owners)) if words]
        steps.append(Told(at, step.level, found.who, " ".join(filter(None, (step.say, *remarks)))))
        called, before = tuple(dict.fromkeys((*called, *found.who))), after
    return Simulation(name, ladder.title, steps)


def _unreachable(found: Resolved, owners: Owners) -> list[str]:
    return [f"{name}: {words}" for name in found.who if (words := unreachable(owners, name))]
