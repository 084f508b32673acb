"""The parts of `owners.yaml` besides people and teams: absences, pipelines, the contact matrix and RACI."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import field_validator, model_validator

from ops_project.model.base import Model
from ops_project.model.duration import Duration

RACI_LETTERS = ("R", "A", "C", "I")


class Absence(Model):
    """Days on which a person cannot be called. The first and the last day are included, in the person's time zone."""

    first: date
    """The first day."""
    last: date
    """The last day. It is included."""
    why: str = "absent"
    """The reason, for others to read."""

    @model_validator(mode="after")
    def _ordered(self) -> Absence:
        if self.last < self.first:
            raise ValueError(f"last {self.last} lies before first {self.first}")
        return self


class PipelineOwners(Model):
    """The two people who answer for one pipeline."""

    title: str = ""
    """The pipeline's name for people."""
    domain: str = ""
    """The domain of the job. It is needed if the job is not the main job of a domain."""
    primary: str
    """A person's id."""
    secondary: str
    """The id of another person than the primary owner."""
    runbook: str | None = None
    """The pipeline's runbook; default: the runbook of its domain."""

    @model_validator(mode="after")
    def _distinct(self) -> PipelineOwners:
        if self.primary == self.secondary:
            raise ValueError(f"primary and secondary owner are both {self.primary!r}; name two people")
        return self


class Contact(Model):
    """One row of the support and contact matrix."""

    who: str
    """A person's id, team:<id> or role:<id>."""
    when: str
    """The questions that this contact answers, or the events that concern this contact."""
    respond_within: Duration
    """The time from the call to the first answer."""
    resolve_within: Duration | None = None
    """The time from the call until the problem is solved."""
    hours: Literal["always", "business"] = "business"
    """When the contact answers. `always`: day and night. `business`: on working days."""
    through: tuple[Literal["email", "phone", "slack", "pagerduty"], ...] = ("email",)
    """The ways to reach this contact, in the order in which they are tried."""


class Raci(Model):
    """Who is responsible, accountable, consulted and informed, by activity."""

    roles: tuple[str, ...] = ()
    """The columns of the table, as ids of roles."""
    activities: dict[str, dict[str, str]] = {}
    """Activity → role → letters: R, A, C, I or A/R."""

    @field_validator("activities")
    @classmethod
    def _letters(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for activity, cells in value.items():
            for role, letters in cells.items():
                wrong = [letter for letter in letters.split("/") if letter not in RACI_LETTERS]
                if wrong:
                    raise ValueError(
                        f"{activity!r}, {role}: {letters!r} is not understood; write R, A, C, I, or two with a "
                        "slash as in A/R"
                    )
        return value

    def holders(self, activity: str, letter: str) -> list[str]:
        """The roles that have `letter` in one activity."""
        return [role for role, letters in self.activities[activity].items() if letter in letters.split("/")]

    def mistakes(self) -> list[tuple[str, str]]:
        """(activity, what is wrong) for each activity without exactly one A, or without any R."""
        found: list[tuple[str, str]] = []
        for activity in self.activities:
            accountable, responsible = self.holders(activity, "A"), self.holders(activity, "R")
            if not accountable:
                found.append((activity, "nobody is accountable; give one role an A"))
            elif len(accountable) > 1:
                found.append((activity, f"{' and '.join(accountable)} are all accountable; leave the A with one"))
            if not responsible:
                found.append((activity, "nobody is responsible; give at least one role an R"))
        return found
