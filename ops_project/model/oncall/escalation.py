"""escalation.yaml: who is told next while nobody has answered, and which ladder applies to which incident."""

from __future__ import annotations

import re
from datetime import timedelta

from pydantic import Field, field_validator, model_validator

from ops_project.model.base import Model
from ops_project.model.duration import Duration
from ops_project.model.failure_class import FailureClass
from ops_project.model.severity import Severity

# Whom these targets name depends on the incident. Every other target is a person's id, team:<id> or role:<id>.
RELATIVE = ("on-call", "backup", "primary-owner", "secondary-owner", "manager", "class-roles")
ON_CALL_OF = re.compile(r"^(?P<what>on-call|backup):(?P<schedule>.+)$")


class Step(Model):
    """One step of a ladder."""

    level: str = ""
    """The name of this step: L1, secondary owner."""
    after: Duration
    """The time after the incident opened. Time during which the incident is acknowledged does not count."""
    to: tuple[str, ...] = ()
    """Who is told. `on-call`, `on-call:<schedule>` and `backup` are people on call. `manager` is the manager of the
    person on call. `primary-owner` and `secondary-owner` belong to the pipeline. `class-roles` are the roles of the
    failure class. Other values are a person's id, team:<id> or role:<id>."""
    say: str = ""
    """What these people are asked to do."""


class Ladder(Model):
    """Steps in the order of their times. The ladder ends with its last step."""

    title: str
    """The ladder's name for people."""
    least: Severity = "critical"
    """The ladder runs for incidents of this severity and above. Of other incidents only the owners are told."""
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> Ladder:
        for before, step in zip(self.steps, self.steps[1:], strict=False):
            if step.after < before.after:
                raise ValueError(f"step {step.level or step.after}: its time lies before that of the step above it")
        return self


class Use(Model):
    """Assigns a ladder to incidents. The first entry that fits an incident applies. A key that is left out fits every
    incident.
    """

    ladder: str
    """The id of the ladder."""
    pipelines: tuple[str, ...] = ()
    """The jobs for whose incidents the ladder applies."""
    domains: tuple[str, ...] = ()
    """The domains for whose incidents the ladder applies."""
    failure_classes: tuple[FailureClass, ...] = ()
    """The failure classes for whose incidents the ladder applies."""

    def fits(self, pipeline: str, domain: str, failure_class: str) -> bool:
        return (
            (not self.pipelines or pipeline in self.pipelines)
            and (not self.domains or domain in self.domains)
            and (not self.failure_classes or failure_class in self.failure_classes)
        )


class ClassRoles(Model):
    """The people who are needed for a failure class."""

    first: str = ""
    """What level 2 does before it calls anybody."""
    roles: tuple[str, ...] = Field(min_length=1)
    """Ids of roles, in the order in which they are asked."""


class Overdue(Model):
    """Who is told if a post-mortem is late, and when."""

    after: Duration
    """The time after the post-mortem was due."""
    to: tuple[str, ...] = Field(min_length=1)
    """The same targets as in `to` of a ladder's step."""


class PostMortem(Model):
    """Which incidents need a post-mortem, by when, and who is told if it is late."""

    priorities: tuple[str, ...] = ("P1",)
    """The priorities of incidents that need a post-mortem."""
    due: Duration = timedelta(hours=24)
    """The time after the incident was resolved."""
    overdue: tuple[Overdue, ...] = ()


class Repeats(Model):
    """When a fault that occurs again is reported to the project manager."""

    count: int = Field(default=3, ge=1)
    """The number of repeats. The first occurrence does not count as one."""
    within: Duration = timedelta(days=7)
    """The time in which the repeats are counted."""
    to: tuple[str, ...] = ("role:project-manager",)
    """Who is told."""


# The priorities for tiers 1, 2 and 3, by severity. An alert with an empty priority opens no incident.
PRIORITIES: dict[Severity, tuple[str, str, str]] = {
    "critical": ("P1", "P1", "P2"),
    "high": ("P2", "P2", "P3"),
    "medium": ("P3", "P3", "P3"),
    "low": ("", "", ""),
}


class EscalationFile(Model):
    """escalation.yaml: who is told next while an incident is not acknowledged."""

    ladders: dict[str, Ladder] = {}
    use: tuple[Use, ...] = ()
    """The entries that assign a ladder to incidents. The first entry that fits an incident applies."""
    class_roles: dict[str, ClassRoles] = {}
    """Failure class → the roles that are called for it."""
    priorities: dict[Severity, tuple[str, str, str]] = PRIORITIES
    """Severity → the priorities for the tiers 1, 2 and 3. An alert whose priority is an empty text opens no incident.
    """
    reopen_within: Duration = timedelta(hours=4)
    """If the same fault occurs within this time after its incident ended, the incident is opened again."""
    repeats: Repeats = Repeats()
    post_mortem: PostMortem = PostMortem()

    @field_validator("priorities")
    @classmethod
    def _priorities(cls, value: dict[Severity, tuple[str, str, str]]) -> dict[Severity, tuple[str, str, str]]:
        wrong = sorted({name for row in value.values() for name in row} - {"P1", "P2", "P3", ""})
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: not a priority; valid: P1, P2, P3, or an empty text")
        return {**PRIORITIES, **value}

    def choose(self, pipeline: str, domain: str, failure_class: str) -> str | None:
        """The name of the ladder that applies; None if no entry fits."""
        return next((use.ladder for use in self.use if use.fits(pipeline, domain, failure_class)), None)

    def priority(self, severity: str, tier: int) -> str:
        """P1, P2 or P3; empty if the alert opens no incident. An unknown tier counts as 2."""
        row = self.priorities.get(severity)  # type: ignore[call-overload]  # any text may ask
        return row[min(max(tier or 2, 1), 3) - 1] if row else ""
