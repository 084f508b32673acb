"""Computes who would be told, and when, if something failed and nobody acknowledged it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.severity import at_least
from ops_project.operations.oncall.targets import About, Surroundings, resolve


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
    for step in ladder.steps:
        at = now + step.after
        found = resolve(step.to, about, around, at)
        note = step.say if found.who else f"skipped at once: {'; '.join(found.missing) or 'the step names nobody'}"
        steps.append(Told(at, step.level, found.who, note))
    return Simulation(name, ladder.title, steps)
