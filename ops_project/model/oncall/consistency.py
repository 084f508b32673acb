"""Checks that people, rotations and ladders fit together. Each undeclared name is reported with its line."""

from __future__ import annotations

from collections.abc import Collection

from ops_project.model.document import ConfigProblem, Document, Loc
from ops_project.model.failure_class import FAILURE_CLASSES
from ops_project.model.oncall.escalation import ON_CALL_OF, RELATIVE, EscalationFile
from ops_project.model.oncall.schedule import OnCallFile
from ops_project.model.owner import Owners


def check_people(
    document: Document, owners: Owners, runbooks: Collection[str], domains: Collection[str]
) -> list[ConfigProblem]:
    """Checks that roles, pipelines, contacts and RACI name people, teams and roles that exist."""
    problems: list[ConfigProblem] = []
    people = list(owners.people)
    for role, who in owners.roles.items():
        if owners.resolve(who) is None:
            problems += document.dangling(("roles", role), f"role {role!r}: owner", who, owners.valid())
    for job, pair in owners.pipelines.items():
        at: Loc = ("pipelines", job)
        problems += document.dangling((*at, "primary"), f"pipeline {job!r}: person", pair.primary, people)
        problems += document.dangling((*at, "secondary"), f"pipeline {job!r}: person", pair.secondary, people)
        if pair.domain:
            problems += document.dangling((*at, "domain"), f"pipeline {job!r}: domain", pair.domain, domains)
        if pair.runbook is not None:
            problems += document.dangling((*at, "runbook"), f"pipeline {job!r}: runbook", pair.runbook, runbooks)
    for name, contact in owners.contacts.items():
        at = ("contacts", name)
        problems += _target(document, (*at, "who"), f"contact {name!r}", target=contact.who, owners=owners)
        found = owners.behind(contact.who)
        if found is not None and "slack" in contact.through and not found.slack and len(contact.through) == 1:
            problems.append(
                document.problem((*at, "through"), f"contact {name!r} is reached by Slack alone, and has no Slack name")
            )
    for role in owners.raci.roles:
        problems += document.dangling(("raci", "roles"), "raci: role", role, list(owners.roles))
    for activity, cells in owners.raci.activities.items():
        for role in cells:
            where: Loc = ("raci", "activities", activity, role)
            problems += document.dangling(where, f"raci, {activity!r}: role", role, list(owners.raci.roles))
    return problems


def check_schedules(document: Document, file: OnCallFile, owners: Owners) -> list[ConfigProblem]:
    """Checks that each person in a rotation, an override or a swap is declared. The default must be one of the
    schedules.
    """
    problems: list[ConfigProblem] = []
    people = list(owners.people)
    if file.default is not None:
        problems += document.dangling(("default",), "default: schedule", file.default, list(file.schedules))
    for name, schedule in file.schedules.items():
        at: Loc = ("schedules", name)
        subject = f"schedule {name!r}: person"
        for index, pair in enumerate(schedule.rotation):
            for part, person in (("primary", pair.primary), ("backup", pair.backup)):
                problems += document.dangling((*at, "rotation", index, part), subject, person, people)
        problems += document.dangling((*at, "fallback"), subject, schedule.fallback, people)
        for index, override in enumerate(schedule.overrides):
            problems += document.dangling((*at, "overrides", index, "person"), subject, override.person, people)
        for index, swap in enumerate(schedule.swaps):
            for person in swap.agreed:
                problems += document.dangling((*at, "swaps", index, "agreed"), subject, person, people)
    return problems


def check_ladders(
    document: Document,
    file: EscalationFile,
    *,
    owners: Owners,
    oncall: OnCallFile,
    domains: Collection[str] | None,
    classes: Document | None = None,
) -> list[ConfigProblem]:
    """Checks that ladders, roles and schedules exist.

    `domains`: the declared domains; None: domains are not checked.

    `classes`: the document of failure_classes.yaml, which may name further roles.
    """
    problems: list[ConfigProblem] = []
    for name, ladder in file.ladders.items():
        for index, step in enumerate(ladder.steps):
            at: Loc = ("ladders", name, "steps", index, "to")
            for target in step.to:
                problems += _target(
                    document, at, f"ladder {name!r}, step {index + 1}", target=target, owners=owners, oncall=oncall
                )
    for index, use in enumerate(file.use):
        at = ("use", index)
        problems += document.dangling((*at, "ladder"), "use: ladder", use.ladder, list(file.ladders))
        for domain in use.domains if domains is not None else ():
            problems += document.dangling((*at, "domains"), "use: domain", domain, domains or ())
        if index + 1 < len(file.use) and not (use.pipelines or use.domains or use.failure_classes):
            problems.append(
                document.problem(
                    at, f"use: ladder {use.ladder!r} fits every incident; the entries after it are never used"
                )
            )
    for failure_class, found in file.class_roles.items():
        where = ("class_roles", failure_class)
        here = failure_class in (document.data.get("class_roles") or {})
        said_in = document if here or classes is None else classes
        problems += said_in.dangling(where, "class_roles: failure class", failure_class, FAILURE_CLASSES)
        for role in found.roles:
            problems += said_in.dangling(where, f"class {failure_class!r}: role", role, list(owners.roles))
    for target in file.repeats.to:
        problems += _target(document, ("repeats", "to"), "repeats", target=target, owners=owners, oncall=oncall)
    for index, overdue in enumerate(file.post_mortem.overdue):
        for target in overdue.to:
            problems += _target(
                document, ("post_mortem", "overdue", index), "overdue", target=target, owners=owners, oncall=oncall
            )
    return problems


def _target(
    document: Document, at: Loc, subject: str, *, target: str, owners: Owners, oncall: OnCallFile | None = None
) -> list[ConfigProblem]:
    relative = RELATIVE if oncall is not None else ()
    if target in relative or owners.behind(target) is not None:
        return []
    if oncall is not None and (match := ON_CALL_OF.match(target)):
        return document.dangling(at, f"{subject}: schedule", match["schedule"], list(oncall.schedules))
    valid = [*relative, *(f"role:{role}" for role in owners.roles), *owners.valid()]
    return document.dangling(at, f"{subject}: target", target, valid)
