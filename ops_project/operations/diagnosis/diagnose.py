"""Finds where a problem began, from the ledger and from sources of evidence. In this package, a `trouble` is one thing
that is wrong at one asset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ops_project.column_lineage import ROWS, ColumnLineage
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.model.feed.feed import Feed
from ops_project.model.finding import LOADED, WHOLE
from ops_project.operations.diagnosis.decide.causes import diagnose as decide
from ops_project.operations.diagnosis.decide.causes import distances
from ops_project.operations.diagnosis.decide.suspects import Diagnosis, Known, Question, Trouble
from ops_project.operations.diagnosis.evidence import EvidenceSource, Gathered, Scene, gather
from ops_project.operations.incidents.decide.incident import Incident
from ops_project.operations.ledger import Ledger

FINDING = "landing.finding"
# The firing signals of these metrics are about one asset, and each of them means that something is wrong there.
KINDS = (
    FINDING,
    "asset.failure",
    "check.failure",
    "check.crash",
    "check.warning",
    "reconciliation.break",
    "archive.damaged",
)
BUILT = "asset.failure"
ARRIVAL = "arrival"
"""The check of a landed table that repeats the findings about its files."""
EVER = datetime(1970, 1, 1, tzinfo=UTC)
COLUMN_LABELS = ("column", "column_name")


class NothingToDiagnose(LookupError):
    """There is no such table or column, or the incident is about no table. The message says what to do."""


def diagnose(
    scene: Scene, question: Question, sources: Sequence[EvidenceSource] = (), columns: ColumnLineage | None = None
) -> Diagnosis:
    """Walk upstream from the table in question and rank the possible causes."""
    return decide(question, known_of(scene, sources, columns))


def known_of(scene: Scene, sources: Sequence[EvidenceSource] = (), columns: ColumnLineage | None = None) -> Known:
    """All facts that a diagnosis is made of."""
    return of_gathered(scene, gather(sources, scene, only_changes=True), columns)


def of_gathered(scene: Scene, found: Gathered, columns: ColumnLineage | None = None) -> Known:
    """All facts that a diagnosis is made of, with evidence that has already been gathered."""
    known = columns if columns is not None else known_columns(scene.ledger)
    return Known(
        lineage=scene.lineage,
        columns=known,
        troubles=troubles(scene.ledger),
        changes=tuple(found.changes),
        commits=found.commits,
        refers=refers(scene.catalog.feeds),
        unread=tuple(found.unread),
    )


def refers(feeds: Mapping[str, Feed]) -> dict[str, frozenset[str]]:
    """Landed table → the landed tables of the same domain that its rows refer to. A table refers to another one if it
    has all columns of that table's key. Tables with the same key do not count.
    """
    columns = {
        name: frozenset(column for found in feed.contracts() for column in found.columns)
        for name, feed in feeds.items()
    }
    return {
        f"bronze/{name}": frozenset(
            f"bronze/{other}"
            for other, to in feeds.items()
            if to.domain == feed.domain and to.key and set(to.key) <= columns[name] and set(to.key) != set(feed.key)
        )
        for name, feed in feeds.items()
    }


def known_columns(ledger: Ledger) -> ColumnLineage:
    """The column lineage of the code that ran last; empty if none is stored."""
    return ledger.columns() or ColumnLineage()


def troubles(ledger: Ledger) -> list[Trouble]:
    """Everything that is wrong at an asset now, each with the time at which it began."""
    firing = [
        signal for kind in KINDS for signal in ledger.latest(kind).values() if signal.state == FIRING and signal.asset
    ]
    began = ledger.began(firing)
    harmless = _harmless(firing)
    return [
        Trouble(
            asset=signal.asset,
            kind=signal.kind,
            failure_class=signal.failure_class,
            began_at=began.get(signal.fingerprint, (signal.event_at, ""))[0],
            message=signal.message,
            check=signal.check if signal.kind != FINDING else "",
            column=next((signal.labels[name] for name in COLUMN_LABELS if signal.labels.get(name)), ""),
            run_id=signal.run_id,
            began_in=began.get(signal.fingerprint, (signal.event_at, ""))[1],
            batch_id=signal.batch_id,
            evidence=signal.evidence_ref or f"signal {signal.seq or signal.id} ({signal.kind})",
            is_harmless=signal.id in harmless,
        )
        for signal in firing
    ]


def _harmless(firing: Sequence[Signal]) -> set[str]:
    """The ids of harmless troubles. These are the findings about tables whose files were all loaded whole, and the
    checks that only repeat such findings.
    """
    whole: dict[tuple[str, str], bool] = {}
    for signal in firing:
        if signal.kind == FINDING:
            subject = (signal.asset, signal.failure_class)
            whole[subject] = whole.get(subject, True) and signal.labels.get(LOADED) == WHOLE
    return {
        signal.id
        for signal in firing
        if (signal.kind == FINDING or signal.check == ARRIVAL)
        and whole.get((signal.asset, signal.failure_class), False)
    }


def question_about(ledger: Ledger, asset: str, column: str = "") -> Question:
    """The question about a table: when it became wrong, and when it was last good. It became wrong when its first
    trouble began. It was last good when it was last built before that time, by another run.
    """
    mine = [trouble for trouble in troubles(ledger) if trouble.asset == asset]
    first = min(mine, key=lambda trouble: trouble.began_at, default=None)
    wrong_at, wrong_in, good = None, "", None
    if first is not None:
        wrong_at, wrong_in = first.began_at, first.began_in
        good = ledger.ok_before(BUILT, asset, wrong_at, wrong_in)
    elif newest := ledger.signals_of(asset, [BUILT], EVER, limit=1):
        # Nothing is known to be wrong; only the person who asks says so. So the build before the newest one counts as
        # good.
        wrong_in = newest[0].run_id
        good = ledger.ok_before(BUILT, asset, newest[0].event_at, wrong_in)
    good_at, good_in = good or (None, "")
    return Question(
        asset,
        "" if column == ROWS else column,
        wrong_at=wrong_at,
        good_at=good_at,
        wrong_in=wrong_in,
        good_in=good_in,
    )


def of_incident(ledger: Ledger, lineage: Lineage, incident: Incident) -> Question:
    """The question about the table that an incident is about. It is the failed table that lies furthest downstream,
    because one cause explains all the failed tables.
    """
    alerts = [alert for number in incident.alerts if (alert := ledger.alert(number)) is not None]
    named = [asset for alert in alerts for asset in (alert.asset, *alert.assets) if asset]
    about = [asset for asset in dict.fromkeys([*named, *incident.assets]) if asset in lineage.assets]
    if not about:
        raise NothingToDiagnose(
            f"incident {incident.number} is about no table; `ops incidents show {incident.number}` shows its alerts"
        )
    asset = max(about, key=lambda item: (len(distances(lineage, item)), item))
    column = next((alert.labels["column"] for alert in alerts if alert.asset == asset and "column" in alert.labels), "")
    return question_about(ledger, asset, column)


def asset_named(lineage: Lineage, columns: ColumnLineage, text: str) -> tuple[str, str]:
    """The asset and the column that a person has named; the column is empty if only a table is named. Raises
    NothingToDiagnose.
    """
    from ops_project.operations.diagnosis.columns import UnknownColumn, find

    plain = text.strip().lower().replace("/", ".")
    for asset in lineage.assets:
        if asset.replace("/", ".") == plain:
            return asset, ""
    try:
        column = find(columns, text)
    except UnknownColumn as error:
        raise NothingToDiagnose(str(error)) from None
    return column.asset, "" if column.name == ROWS else column.name
