"""Turns figures into sentences: what happened, what it meant, what to do. A value that is not known is reported as
unknown, and never as good.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from ops_project.counted import counted
from ops_project.operations.reports.facts import FigureFacts, ReportFacts

SLOWER = 1.2
FULL_PERCENT = 80.0


@dataclass
class Judgement:
    """The judgement of a report. `state`: well, wrong or unknown."""

    state: str = "well"
    happened: list[str] = field(default_factory=list)
    meant: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)

    def wrong(self) -> None:
        self.state = "wrong"

    def unknown(self) -> None:
        if self.state == "well":
            self.state = "unknown"


def judge(facts: ReportFacts) -> Judgement:
    """The judgement of a report: its state, and sentences for each figure that has something to report."""
    found = Judgement()
    for figure in facts.figures:
        if not figure.known:
            found.unknown()
            found.happened.append(f"{figure.title}: unknown. {figure.unknown or figure.empty}")
        elif (say := _SAYS.get(figure.name)) is not None:
            say(figure, found, facts)
    if not found.meant:
        found.meant.append(
            "Nothing that its readers would notice." if found.state == "well" else "Not everything is known."
        )
    if not found.todo:
        found.todo.append(_nothing_else(found, facts))
    return found


def _nothing_else(found: Judgement, facts: ReportFacts) -> str:
    if found.state == "well":
        return "Nothing."
    if not any(figure.known for figure in facts.figures):
        return "Nothing is known of this period. `ops status` shows how things stand now."
    return "Find out what is unknown before relying on it."


def _incidents(figure: FigureFacts, found: Judgement, _: ReportFacts) -> None:
    rows = figure.records()
    still = [row for row in rows if row["resolved_at"] is None]
    if not rows:
        found.happened.append("No incident.")
        return
    found.happened.append(f"{counted(len(rows), 'incident')}, {len(still)} of them open at the end.")
    for row in still[:3]:
        found.wrong()
        found.meant.append(f"{row['priority']} #{row['number']} is not resolved: {row['title']}.")
        found.todo.append(
            f"Mend #{row['number']} ({row['domain'] or 'platform'}): `ops incidents show {row['number']}`."
        )


def _runs(figure: FigureFacts, found: Judgement, facts: ReportFacts) -> None:
    rows = figure.records()
    failed = [row for row in rows if row["failed"]]
    seconds = sum(row["seconds"] or 0 for row in rows)
    found.happened.append(
        f"{counted(sum(row['runs'] for row in rows), 'run')} in {seconds:,.0f} s, "
        f"{sum(row['failed'] for row in rows)} failed."
    )
    for row in failed[:3]:
        found.meant.append(f"{row['job']} failed {row['failed']} of {counted(row['runs'], 'time')}.")
        found.todo.append(f"See why {row['job']} failed; the Dagster UI has its runs.")
    if failed:
        found.wrong()
    before = facts.figure("runs_before")
    if before is None or not before.rows:
        return
    usual = {row["job"]: (row["seconds"] or 0) / row["runs"] for row in before.records()}
    for row in rows:
        mean, old = (row["seconds"] or 0) / row["runs"], usual.get(row["job"], 0)
        if old and mean > SLOWER * old:
            found.meant.append(f"{row['job']} took {mean:,.0f} s a run, {mean / old:.1f} times as long as before.")
            found.todo.append(f"Find the slow step of {row['job']}: `ops serve`, board Cost.")


def _promises(figure: FigureFacts, found: Judgement, _: ReportFacts) -> None:
    rows = figure.records()
    if not rows:
        found.happened.append("No deadline was missed.")
        return
    found.wrong()
    found.happened.append(f"{counted(len(rows), 'promise')} broken.")
    found.meant += [f"Readers waited: {row['promise'] or row['pipeline']}." for row in rows[:3]]
    found.todo.append("Tell the readers, and see what held up the run: `ops sla`.")


def _age(figure: FigureFacts, found: Judgement, facts: ReportFacts) -> None:
    rows = figure.records()
    due = str(date.fromisoformat(facts.last) - timedelta(days=1))
    behind = [row for row in rows if row["complete_through"] is None or str(row["complete_through"]) < due]
    found.happened.append(f"Data is complete in {len(rows) - len(behind)} of {counted(len(rows), 'domain')}.")
    for row in behind[:5]:
        if row["complete_through"] is None:
            found.unknown()
        else:
            found.wrong()
        found.meant.append(f"{row['domain']} is complete only up to {row['complete_through'] or 'an unknown date'}.")
    if behind:
        found.todo.append("Ask for the missing files: `ops serve`, Feeds.")


def _findings(figure: FigureFacts, found: Judgement, _: ReportFacts) -> None:
    still = [row for row in figure.records() if row["state"] == "open"]
    found.happened.append(f"{counted(len(figure.rows), 'finding')} about files and tables, {len(still)} open.")
    for row in still[:3]:
        found.meant.append(
            f"{row['subject']}: {str(row['kind']).replace('_', ' ')} ({row['business_date'] or 'no date'})."
        )
    if still:
        found.wrong()
        found.todo.append("Close the open findings, the oldest first: `ops serve`, Feeds.")


def _scores(figure: FigureFacts, found: Judgement, _: ReportFacts) -> None:
    for row in figure.records():
        mean = "unknown" if row["mean_score"] is None else f"{row['mean_score']:g}"
        found.happened.append(f"Quality of {row['layer']}: {mean} of 100.")
        if row["tables_below_85"]:
            found.wrong()
            found.meant.append(f"{counted(row['tables_below_85'], 'table')} of {row['layer']} below 85.")
            found.todo.append(f"Look at the lowest scores of {row['layer']}: `ops serve`, board Data quality.")
        if row["tables_without_score"]:
            found.unknown()
            found.meant.append(f"{counted(row['tables_without_score'], 'table')} of {row['layer']} without a score.")


def _restatements(figure: FigureFacts, found: Judgement, _: ReportFacts) -> None:
    beyond = [row for row in figure.records() if row["is_beyond_tolerance"]]
    found.happened.append(
        f"{counted(len(figure.rows), 'reported figure')} changed since, {len(beyond)} beyond tolerance."
    )
    for row in beyond[:3]:
        found.wrong()
        found.meant.append(
            f"{row['metric']} of {row['period_start']} is {row['change_percent']} % off what was reported."
        )
    if beyond:
        found.todo.append("Tell the readers of the investor figures which figures were restated, and why.")


def _reconciled(figure: FigureFacts, found: Judgement, _: ReportFacts) -> None:
    breaks = [row for row in figure.records() if row["breaks"]]
    found.happened.append(f"{counted(len(figure.rows), 'reconciliation')} compared, {len(breaks)} with a break.")
    for row in breaks[:3]:
        found.wrong()
        found.meant.append(
            f"{row['asset']} and its source disagreed {row['breaks']} of {counted(row['compared'], 'time')}."
        )
        found.todo.append(f"Find the keys that differ: `ops reconcile {row['reconciliation']}`.")


def _disk(figure: FigureFacts, found: Judgement, _: ReportFacts) -> None:
    row = figure.records()[0]
    found.happened.append(
        f"The disk was {row['newest_percent']:.0f} % full at the end, {row['highest_percent']:.0f} % at most."
    )
    if row["highest_percent"] >= FULL_PERCENT:
        found.wrong()
        found.meant.append("There is little room left.")
        found.todo.append("Make room or get a larger disk: `ops status` lists the largest tables.")


def _cost(figure: FigureFacts, found: Judgement, _: ReportFacts) -> None:
    rows = [row for row in figure.records() if row["seconds_per_table"] is not None]
    if rows:
        dearest = max(rows, key=lambda row: row["seconds_per_table"])
        found.happened.append(
            f"Most expensive: {dearest['domain']}, {dearest['seconds_per_table']:,.0f} s for each gold table."
        )


_SAYS = {
    "incidents": _incidents,
    "runs": _runs,
    "broken_promises": _promises,
    "data_age": _age,
    "findings": _findings,
    "scores": _scores,
    "restatements": _restatements,
    "reconciliations": _reconciled,
    "disk": _disk,
    "cost_per_metric": _cost,
}
