"""The kinds of reports, with their readers and figures."""

from __future__ import annotations

from dataclasses import dataclass

DAY, WEEK, MONTH, QUARTER = "day", "week", "month", "quarter"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of report. `figures`: names of figures of the board `reports`, in the order in which the report shows
    them.
    """

    name: str
    title: str
    period: str
    reader: str
    """The name of a receiver in receivers.yaml. The report goes to its e-mail channels."""
    figures: tuple[str, ...]
    asks: str
    """The question that the report answers."""


_OPERATIONAL = ("incidents", "runs", "broken_promises", "alerts", "data_age", "findings")
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="daily",
            title="Daily status",
            period=DAY,
            reader="data-team",
            figures=(*_OPERATIONAL, "revenue"),
            asks="Is everything all right today?",
        ),
        Kind(
            name="weekly",
            title="Weekly performance",
            period=WEEK,
            reader="data-team",
            figures=("runs", "runs_before", *_OPERATIONAL[2:5], "incidents", "files", "scores", "messages"),
            asks="Was the week faster or slower, and what cost time?",
        ),
        Kind(
            name="monthly",
            title="Monthly capacity",
            period=MONTH,
            reader="data-team",
            figures=("disk", "largest", "growth", "files", "runs", "runs_before"),
            asks="Is there room for the months ahead?",
        ),
        Kind(
            name="quarterly",
            title="Quarterly trend",
            period=QUARTER,
            reader="data-team",
            figures=("runs", "runs_before", "incidents", "alerts", "broken_promises", "scores", "growth"),
            asks="Is it getting better?",
        ),
        Kind(
            name="kpi-accuracy",
            title="KPI accuracy",
            period=MONTH,
            reader="business-team",
            figures=("restatements", "reconciliations", "data_age"),
            asks="Can the reported figures be relied on?",
        ),
        Kind(
            name="quality-trend",
            title="Data quality trend",
            period=WEEK,
            reader="business-team",
            figures=("scores", "findings", "files"),
            asks="Is the data good, and where is it not?",
        ),
        Kind(
            name="sla",
            title="SLA compliance",
            period=MONTH,
            reader="business-team",
            figures=("broken_promises", "data_age", "incidents"),
            asks="Were the promises kept?",
        ),
        Kind(
            name="cost",
            title="Cost per metric",
            period=MONTH,
            reader="business-team",
            figures=("cost_per_metric", "runs", "files", "largest"),
            asks="What does each metric cost to keep?",
        ),
    )
}
