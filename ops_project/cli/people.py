"""`ops owners`, `ops raci` and `ops escalation`: who is responsible for what, and who is told next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ops_project.cli.output import console, emit, json_option, table
from ops_project.settings import TIME_FORMS, Settings


@click.group()
def owners() -> None:
    """Show who owns which pipeline, and whether everybody can be reached."""


@click.group()
def raci() -> None:
    """Show who is responsible, accountable, consulted and informed."""


@click.group()
def escalation() -> None:
    """Show who would be told next as long as nobody acknowledges an alert."""


def _catalog(settings: Settings) -> Any:
    from ops_project.catalog import load as load_catalog

    return load_catalog(settings)


def _jobs(catalog: Any) -> dict[str, tuple[str, ...]]:
    """Main job of each domain → the owners of the domain. The domains of a watched project have no such job."""
    if catalog.watches:
        return {}
    return {catalog.domains.main_job(name): catalog.domain(name).owners for name in catalog.domain_ids()}


@owners.command("list")
@json_option
@click.pass_obj
def list_owners(settings: Settings, as_json: bool) -> None:
    """List each pipeline with its primary and secondary owner, and the contact matrix."""
    from ops_project.model.duration import format_duration
    from ops_project.operations.oncall.targets import About, pair_of

    catalog = _catalog(settings)
    jobs, known = _jobs(catalog), catalog.owners
    rows = []
    for job in sorted({*known.pipelines, *jobs}):
        pair = pair_of(About(pipeline=job, owner=next(iter(jobs.get(job, ())), "")), known)
        rows.append(
            {"pipeline": job, "primary": pair.primary if pair else None, "secondary": pair.secondary if pair else None}
        )
    contacts = [
        {
            "contact": name,
            "who": contact.who,
            "when": contact.when,
            "respond_within": format_duration(contact.respond_within),
            "resolve_within": format_duration(contact.resolve_within) if contact.resolve_within else None,
            "hours": contact.hours,
            "through": ", ".join(contact.through),
        }
        for name, contact in known.contacts.items()
    ]

    def render() -> None:
        console.print(table(("pipeline", "primary", "secondary"), [list(row.values()) for row in rows]))
        if contacts:
            console.print(table(tuple(contacts[0]), [list(row.values()) for row in contacts], title="\nContacts"))

    emit(as_json, {"pipelines": rows, "contacts": contacts}, render)


@owners.command("lint")
@json_option
@click.pass_obj
def lint_owners(settings: Settings, as_json: bool) -> None:
    """Check that each pipeline has two different people who can be reached, and that the rotation, the ladders and the
    contacts lead to a person. Fails otherwise.
    """
    from ops_project.operations.ledger import open_ledger
    from ops_project.operations.ledger.lineage_document import recall
    from ops_project.operations.oncall.lint import owners_lint, watched_lint

    catalog = _catalog(settings)
    found = owners_lint(catalog.owners, catalog.oncall, catalog.escalation, _jobs(catalog))
    if settings.watched is not None:
        found += watched_lint(catalog.owners, recall(open_ledger(settings)))
    _tell(found, as_json)


@raci.command("lint")
@json_option
@click.pass_obj
def lint_raci(settings: Settings, as_json: bool) -> None:
    """Check that each activity has exactly one A (accountable) and at least one R (responsible). Fails otherwise."""
    from ops_project.operations.oncall.lint import raci_lint

    _tell(raci_lint(_catalog(settings).owners), as_json)


@raci.command("show")
@json_option
@click.pass_obj
def show_raci(settings: Settings, as_json: bool) -> None:
    """Show the matrix: who has which role in each activity."""
    matrix = _catalog(settings).owners.raci
    rows = [
        [activity, *(cells.get(role, "") for role in matrix.roles)] for activity, cells in matrix.activities.items()
    ]
    emit(as_json, matrix, lambda: console.print(table(("activity", *matrix.roles), rows)))


def _tell(found: Sequence[Any], as_json: bool) -> None:
    from ops_project.operations.oncall.lint import MISTAKE

    def render() -> None:
        for item in found:
            console.print(f"{item.level}: {item.where}: {item.what}", markup=False, soft_wrap=True)
        if not found:
            console.print("Nothing to mend.")

    emit(as_json, list(found), render)
    if any(item.level == MISTAKE for item in found):
        raise SystemExit(1)


@escalation.command()
@click.argument("subject", metavar="PIPELINE|ASSET")
@click.option("--class", "failure_class", default="unknown", show_default=True, help="The failure class.")
@click.option("--severity", default="critical", show_default=True, help="critical, high, medium or low.")
@click.option("--at", help=f"When it fails: {TIME_FORMS}. Default: now.")
@json_option
@click.pass_obj
def simulate(
    settings: Settings, *, subject: str, failure_class: str, severity: str, at: str | None, as_json: bool
) -> None:
    """Show who would be told, and when, if PIPELINE or ASSET failed and the alert was not acknowledged.

    No message is sent.
    """
    from ops_project.model.failure_class import FAILURE_CLASSES
    from ops_project.model.severity import SEVERITIES
    from ops_project.operations.incidents.rota import current
    from ops_project.operations.ledger import open_ledger
    from ops_project.operations.ledger.lineage_document import recall
    from ops_project.operations.oncall.simulate import simulate as of
    from ops_project.operations.oncall.targets import About, Surroundings
    from ops_project.settings import SettingsError, parse_as_of

    for option, value, valid in (("--class", failure_class, FAILURE_CLASSES), ("--severity", severity, SEVERITIES)):
        if value not in valid:
            raise click.UsageError(f"{option} {value!r} does not exist; valid: {', '.join(valid)}")
    try:
        now = parse_as_of(at) if at else settings.now()
    except SettingsError as error:
        raise click.UsageError(f"--at: {error}") from None
    catalog, ledger = _catalog(settings), open_ledger(settings)
    domains = {catalog.domains.main_job(name): name for name in catalog.domain_ids()}
    facts = recall(ledger).assets.get(subject)
    if facts is not None:
        domain = facts.domain
        owner = next(iter(facts.owners), "")
        pipeline = next(
            (job for job, pair in catalog.owners.pipelines.items() if facts.runbook and pair.runbook == facts.runbook),
            catalog.domains.main_job(domain),
        )
    elif subject in domains or subject in catalog.owners.pipelines:
        pipeline = subject
        pair = catalog.owners.pipelines.get(subject)
        domain = str(domains.get(subject) or (pair.domain if pair is not None else ""))
        owner = next(iter(catalog.domain(domain).owners), "") if domain in catalog.domain_ids() else ""
    else:
        known = ", ".join(sorted({*domains, *catalog.owners.pipelines}))
        raise click.UsageError(f"{subject!r} is neither an asset that is known here nor a pipeline; pipelines: {known}")
    around = Surroundings(
        catalog.owners, current(catalog, ledger), catalog.oncall.main(), catalog.escalation.class_roles
    )
    found = of(
        catalog.escalation,
        around,
        about=About(pipeline, owner, failure_class),
        domain=domain,
        severity=severity,
        now=now,
    )

    def render() -> None:
        if found.why_not:
            console.print(f"Nobody is called: {found.why_not}.", markup=False, soft_wrap=True)
            return
        console.print(f"Ladder {found.name} – {found.title}", markup=False, soft_wrap=True)
        zone = catalog.platform.zone
        shown = [
            [f"{s.at.astimezone(zone):%a %H:%M}", s.level, ", ".join(s.who) or "nobody", s.note] for s in found.steps
        ]
        console.print(table(("at", "level", "told", "what is asked"), shown))

    emit(as_json, found, render)
