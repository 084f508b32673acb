"""Checks that everybody who may have to be called can be reached.

A configuration can be valid although a second person or a telephone number is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ops_project.lineage import Lineage
from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.oncall.schedule import OnCallFile
from ops_project.model.owner import Owners, Person, Team
from ops_project.nearest import did_you_mean
from ops_project.operations.oncall.targets import About, Surroundings, pair_of, primary_owner

MISTAKE, WARNING = "mistake", "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. If it is a mistake and not a warning, a call would reach nobody."""

    level: str
    where: str
    what: str


def owners_lint(
    owners: Owners, oncall: OnCallFile, escalation: EscalationFile, jobs: Mapping[str, Sequence[str]]
) -> list[Finding]:
    """What is wrong with the owners. `jobs`: the main job of each domain → the owners of the domain."""
    return [
        *_pipelines(owners, jobs),
        *_rotation(owners, oncall),
        *_ladders(owners, oncall, escalation, jobs),
        *_contacts(owners),
    ]


def unreachable(owners: Owners, name: str) -> str:
    """Says that an owner in an asset of a watched project has no address; empty if the owner has one."""
    if not name or owners.resolve(name) is not None or "@" in name:
        return ""
    return f"owners.yaml does not know it{did_you_mean(name, owners.valid())}, so no mail and no page reaches it"


def unknown_owners(owners: Owners, lineage: Lineage) -> dict[str, str]:
    """Each owner that a watched project names and that has no address → the sentence about this owner."""
    of_assets = [owner for fact in lineage.assets.values() for owner in fact.owners]
    named = sorted({*of_assets, *(owner for found in lineage.stated.values() for owner in found)})
    return {owner: words for owner in named if (words := unreachable(owners, owner))}


def watched_lint(owners: Owners, lineage: Lineage) -> list[Finding]:
    """Which owners that a watched project names have no address, and which of its assets have no owner."""
    found = [Finding(WARNING, f"owner {owner}", words) for owner, words in unknown_owners(owners, lineage).items()]
    alone = sorted(fact.key for fact in lineage.assets.values() if not (fact.owners or fact.external))
    return found + [Finding(WARNING, f"asset {key}", "has no owner; name one with owners=[…]") for key in alone]


def _pipelines(owners: Owners, jobs: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    for job in sorted({*owners.pipelines, *jobs}):
        about = About(pipeline=job, owner=next(iter(jobs.get(job, ())), ""))
        where = f"owners.yaml, pipeline {job}"
        if not (primary := primary_owner(about, owners)):
            yield Finding(MISTAKE, where, "has no primary owner; add it under pipelines:")
            continue
        pair = pair_of(about, owners)
        if pair is None:
            yield Finding(MISTAKE, where, f"has only {primary} as its owner; name a secondary owner under pipelines:")
            continue
        if job not in owners.pipelines:
            yield Finding(
                WARNING,
                where,
                f"is not under pipelines:; {pair.primary} and {pair.secondary} stand in, the first two of its team",
            )
        reached = {name: owners.people[name].email for name in (pair.primary, pair.secondary)}
        if len(set(reached.values())) == 1:
            yield Finding(MISTAKE, where, f"both owners have the address {reached[pair.primary]}; they are one person")


def _rotation(owners: Owners, oncall: OnCallFile) -> Iterator[Finding]:
    if oncall.main() is None:
        yield Finding(
            WARNING, "oncall.yaml", "there is no schedule; a pipeline's primary owner stands in for the person on call"
        )
    for name, schedule in oncall.schedules.items():
        where = f"oncall.yaml, schedule {name}"
        people = {p for pair in schedule.rotation for p in (pair.primary, pair.backup)} | {schedule.fallback}
        for person in sorted(people):
            found = owners.people[person]
            if not (found.phone or found.slack):
                yield Finding(MISTAKE, where, f"{person} has neither phone nor Slack; an e-mail alone wakes nobody")
        turns = [pair.primary for pair in schedule.rotation]
        uneven = {turns.count(person) for person in turns}
        if len(uneven) > 1:
            yield Finding(WARNING, where, "some people have more turns than others in one round of the rotation")
        if schedule.fallback in turns:
            yield Finding(
                WARNING, where, f"the fallback {schedule.fallback} is in the rotation; name somebody outside it"
            )


def _ladders(
    owners: Owners, oncall: OnCallFile, escalation: EscalationFile, jobs: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    if not escalation.ladders:
        yield Finding(WARNING, "escalation.yaml", "there is no ladder; nobody is told after the first page")
    for name, ladder in escalation.ladders.items():
        for index, step in enumerate(ladder.steps, 1):
            if not step.to:
                yield Finding(
                    WARNING, f"escalation.yaml, ladder {name}", f"step {index} names nobody, so it is skipped at once"
                )
    around = Surroundings(owners, {}, oncall.main(), escalation.class_roles)
    for job, found in sorted(jobs.items()):
        about = About(pipeline=job, owner=next(iter(found), ""))
        if pair_of(about, around.owners) is None and any(
            "secondary-owner" in step.to for ladder in escalation.ladders.values() for step in ladder.steps
        ):
            yield Finding(
                WARNING,
                f"escalation.yaml, pipeline {job}",
                "the pipeline has no secondary owner, so the step that calls one is skipped",
            )


def _contacts(owners: Owners) -> Iterator[Finding]:
    for name, contact in owners.contacts.items():
        found = owners.behind(contact.who)
        for way in contact.through:
            if found is not None and not _reached(found, way, owners):
                yield Finding(
                    MISTAKE, f"owners.yaml, contact {name}", f"is to be reached by {way}, but {contact.who} has none"
                )


def _reached(found: Person | Team, way: str, owners: Owners) -> bool:
    if way == "pagerduty":
        return True
    if way == "phone":
        people = [owners.people[m] for m in found.members] if isinstance(found, Team) else [found]
        return any(person.phone for person in people)
    return bool(getattr(found, way, None))


def raci_lint(owners: Owners) -> list[Finding]:
    """The mistakes of the RACI matrix. Each activity needs exactly one A (accountable) and at least one R
    (responsible). A role that no activity uses gives a warning.
    """
    raci = owners.raci
    found = [Finding(MISTAKE, f"owners.yaml, RACI {activity!r}", what) for activity, what in raci.mistakes()]
    unused = [role for role in raci.roles if not any(role in cells for cells in raci.activities.values())]
    return found + [Finding(WARNING, f"owners.yaml, RACI {role}", "no activity names this role") for role in unused]
