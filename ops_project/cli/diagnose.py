"""`ops diagnose`: finds where a problem began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.faults import say
from ops_project.cli.numbers import NUMBER
from ops_project.cli.output import console, emit, json_option
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.operations.diagnosis.decide.suspects import Candidate, Diagnosis, Known, Question


@click.command()
@click.argument("subject", metavar="INCIDENT|ASSET[.COLUMN]")
@json_option
@click.pass_obj
def diagnose(settings: Settings, subject: str, as_json: bool) -> None:
    """Find where the problem of an incident (its number), a table or a column began.

    The command looks upstream, ranks what is wrong or has changed there, and shows the evidence for each statement. It
    changes nothing.
    """
    from ops_project.operations.diagnosis.diagnose import NothingToDiagnose

    try:
        found = of(settings, subject)
    except NothingToDiagnose as error:
        raise click.ClickException(str(error)) from None
    emit(as_json, found, lambda: _tell(found))


def of(settings: Settings, subject: str) -> Diagnosis:
    """The diagnosis of `subject`: the number of an incident, an asset or a column. Raises NothingToDiagnose."""
    from ops_project.operations.diagnosis.decide.causes import diagnose as decide

    return decide(*asked(settings, subject))


def asked(settings: Settings, subject: str) -> tuple[Question, Known]:
    """The question, and everything that is known about its subject. Raises NothingToDiagnose."""
    from ops_project.catalog import load as load_catalog
    from ops_project.column_lineage import ColumnLineage
    from ops_project.defs.operations.evidence import sources_of
    from ops_project.operations.diagnosis.diagnose import (
        NothingToDiagnose,
        asset_named,
        known_of,
        of_incident,
        question_about,
    )
    from ops_project.operations.diagnosis.evidence import Scene
    from ops_project.operations.ledger import open_ledger
    from ops_project.operations.ledger.lineage_document import recall

    ledger = open_ledger(settings)
    lineage, columns = recall(ledger), ledger.columns() or ColumnLineage()
    if subject.isdecimal():
        incident = ledger.incident(int(NUMBER(subject)))
        if incident is None:
            raise NothingToDiagnose(f"there is no incident {subject}; `ops incidents list --all` shows them")
        if incident.resolved_at is not None:
            say(
                f"Incident {subject} ended at {incident.resolved_at:%Y-%m-%d %H:%M} UTC; below is what is known now. "
                f"`ops incidents show {subject} --evidence` shows what was found when it began."
            )
        question = of_incident(ledger, lineage, incident)
    else:
        if not lineage.assets:
            raise NothingToDiagnose("the asset graph is not known yet: `ops run` writes it into the ledger")
        question = question_about(ledger, *asset_named(lineage, columns, subject))
    scene = Scene(
        settings=settings,
        catalog=load_catalog(settings),
        ledger=ledger,
        lineage=lineage,
        now=settings.now(),
        assets=(question.asset, *sorted(lineage.ancestors(question.asset))),
        since=question.good_at,
        wrong_in=question.wrong_in,
    )
    return question, known_of(scene, sources_of(scene.settings), columns)


def _tell(found: Diagnosis) -> None:
    asked = found.question
    since = f", wrong since {asked.wrong_at:%Y-%m-%d %H:%M} UTC" if asked.wrong_at else ""
    good = f", last good {asked.good_at:%Y-%m-%d %H:%M} UTC" if asked.good_at else ""
    name = f"{asked.asset}.{asked.column}" if asked.column else asked.asset
    console.print(f"{name}{since}{good}", soft_wrap=True)
    if found.culprit is None:
        console.print("Nothing upstream is known to be wrong, and nothing is known to have changed.")
    else:
        console.print(f"\nIt began at {found.culprit.asset}:", soft_wrap=True)
        _candidate(found.culprit)
        console.print(f"  chain: {' → '.join(found.chain)}", soft_wrap=True)
    for other in found.runners_up:
        console.print(f"\nless likely: {other.asset}", soft_wrap=True)
        _candidate(other)
    for words in found.telling_apart:
        console.print(f"\nTo tell them apart: {words}", soft_wrap=True)
    for words in found.unknown:
        console.print(f"\nUnknown: {words}", soft_wrap=True)


def _candidate(found: Candidate) -> None:
    facts: dict[str, Any] = {"run": found.run_id, "commit": found.commit[:12], "score": f"{found.score:.2f}"}
    for statement in found.statements:
        console.print(f"  {statement.text}  [{statement.evidence}]", soft_wrap=True)
    console.print(f"  {', '.join(f'{name} {value}' for name, value in facts.items() if value)}", soft_wrap=True)
