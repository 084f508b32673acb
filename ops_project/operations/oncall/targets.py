"""Finds the people and teams for the `to` of a step. Whom a target means depends on the incident and on the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ops_project.model.oncall.escalation import ON_CALL_OF, ClassRoles
from ops_project.model.oncall.people import PipelineOwners
from ops_project.model.owner import ROLE, Owners, Team
from ops_project.operations.oncall.roster import Roster


@dataclass(frozen=True)
class Surroundings:
    """What is needed to find the people whom a target means."""

    owners: Owners
    rosters: Mapping[str, Roster] = field(default_factory=dict)
    main: str | None = None
    """The schedule that `on-call` means."""
    class_roles: Mapping[str, ClassRoles] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class About:
    """The facts about an incident on which the meaning of a target depends."""

    pipeline: str = ""
    owner: str = ""
    """The first owner of the failed table. It is used if the pipeline has no owners of its own."""
    failure_class: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The people whom targets mean. `who`: ids of people, and `team:<id>`, each once. `missing`: a sentence for each
    target that means nobody.
    """

    who: tuple[str, ...]
    missing: tuple[str, ...] = ()


def resolve(targets: tuple[str, ...], about: About, around: Surroundings, now: datetime) -> Resolved:
    """Everybody whom `targets` mean at `now`."""
    who: list[str] = []
    missing: list[str] = []
    for target in targets:
        found = _one(target, about, around, now)
        if not found:
            missing.append(f"{target} stands for nobody here")
        who += found
    return Resolved(tuple(dict.fromkeys(who)), tuple(missing))


def pair_of(about: About, owners: Owners) -> PipelineOwners | None:
    """The primary and secondary owner of the pipeline. If it has none, they are the first two people of the owning
    team. None if there are fewer than two.
    """
    if about.pipeline in owners.pipelines:
        return owners.pipelines[about.pipeline]
    people = owners.people_of(about.owner) if about.owner else ()
    if len(people) > 1:
        return PipelineOwners(primary=people[0], secondary=people[1])
    return None


def primary_owner(about: About, owners: Owners) -> str:
    """The person who is responsible for what failed; empty if there is none."""
    if about.pipeline in owners.pipelines:
        return owners.pipelines[about.pipeline].primary
    # An asset of another Dagster project may name an owner whom owners.yaml does not know.
    return next(iter(owners.people_of(about.owner)), about.owner) if about.owner else ""


def _one(target: str, about: About, around: Surroundings, now: datetime) -> list[str]:
    owners = around.owners
    match = ON_CALL_OF.match(target)
    if target in ("on-call", "backup") or match:
        name = match["schedule"] if match else around.main
        roster = around.rosters.get(name or "")
        if roster is None:
            # There is no schedule. So the owner stands in, and the page reaches a person.
            owner = primary_owner(about, owners)
            return [owner] if owner and target.startswith("on-call") else []
        on_call = roster.at(now)
        return list(on_call.paged) if target.startswith("on-call") else [on_call.backup]
    if target == "primary-owner":
        owner = primary_owner(about, owners)
        return [owner] if owner else []
    if target == "secondary-owner":
        pair = pair_of(about, owners)
        return [pair.secondary] if pair is not None else []
    if target == "manager":
        roster = around.rosters.get(around.main or "")
        person = owners.people.get(roster.at(now).primary if roster is not None else primary_owner(about, owners))
        return [person.manager] if person is not None and person.manager else []
    if target == "class-roles":
        needed = around.class_roles.get(about.failure_class) or around.class_roles.get("unknown")
        return [name for role in (needed.roles if needed else ()) for name in _role(role, owners)]
    if match := ROLE.match(target):
        return _role(match["slug"], owners)
    found = owners.resolve(target)
    if found is None:
        return []
    return [target] if isinstance(found, Team) else list(owners.people_of(target))


def _role(role: str, owners: Owners) -> list[str]:
    filled = owners.roles.get(role)
    return [filled] if filled and owners.resolve(filled) is not None else []
