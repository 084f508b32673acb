"""Finds the people and teams for the `to` of a step. Whom a target means depends on the incident and on the time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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


def resolve(
    targets: tuple[str, ...], about: About, around: Surroundings, now: datetime, called: Collection[str] = ()
) -> Resolved:
    """Everybody whom `targets` mean at `now`. `called`: the people who were called already. If there is no rota,
    `backup` means the secondary owner, or else a member of the owning team who was not called.
    """
    who: list[str] = []
    missing: list[str] = []
    for target in targets:
        found = _one(target, about, around, now, called)
        if not found:
            missing.append(_nobody(target, about, around))
        who += found
    return Resolved(tuple(dict.fromkeys(who)), tuple(missing))


def again(found: Resolved, called: Collection[str]) -> str:
    """Says that everybody in `found` was called already; empty if somebody was not."""
    if not found.who or any(name not in called for name in found.who):
        return ""
    return f"{' and '.join(found.who)} {'was' if len(found.who) == 1 else 'were'} called already"


def skip_reason(found: Resolved, called: Collection[str], later: Iterable[Resolved]) -> str:
    """Why a step of a ladder is skipped; empty if it is taken.

    A step is skipped if it names nobody who can be called. It is also skipped if one of its targets means nobody, all
    others mean people who were called already, and a later step calls somebody else. `later`: the later steps. They
    are read only if they decide.
    """
    if found.who:
        adds_nobody = found.missing and all(name in called for name in found.who)
        if not adds_nobody or all(name in called for step in later for name in step.who):
            return ""
    return "; ".join(words for words in (again(found, called), *found.missing) if words) or "the step names nobody"


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


def _roster(target: str, around: Surroundings) -> Roster | None:
    """The roster that `on-call` or `backup` means; None if there is no schedule."""
    match = ON_CALL_OF.match(target)
    return around.rosters.get((match["schedule"] if match else around.main) or "")


def _nobody(target: str, about: About, around: Surroundings) -> str:
    if target.startswith("backup") and _roster(target, around) is None and about.owner:
        return f"{target} stands for nobody here: nobody takes turns, and {about.owner} has nobody else to call"
    return f"{target} stands for nobody here"


def _others(about: About, owners: Owners, called: Collection[str]) -> list[str]:
    """The person who is called next after the owner if there is no rota: the secondary owner, or else the next member
    of the owning team.
    """
    pair = pair_of(about, owners)
    names = ([pair.secondary] if pair is not None else []) + list(owners.people_of(about.owner) if about.owner else ())
    known = {primary_owner(about, owners), *called}
    return [name for name in names if name not in known][:1]


def _one(target: str, about: About, around: Surroundings, now: datetime, called: Collection[str]) -> list[str]:
    owners = around.owners
    if target in ("on-call", "backup") or ON_CALL_OF.match(target):
        roster = _roster(target, around)
        if roster is None:
            # There is no schedule. So the owner stands in, and the page reaches a person.
            owner = primary_owner(about, owners)
            if target.startswith("backup"):
                return _others(about, owners, called)
            return [owner] if owner else []
        on_call = roster.at(now)
        return list(on_call.paged) if target.startswith("on-call") else [on_call.backup]
    if target == "primary-owner":
        owner = primary_owner(about, owners)
        return [owner] if owner else []
    if target == "secondary-owner":
        if about.pipeline not in owners.pipelines:
            return _others(about, owners, called) or _others(about, owners, ())
        return [owners.pipelines[about.pipeline].secondary]
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
