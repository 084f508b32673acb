"""Which reports there are, for whom, and which figures each of them has."""

from __future__ import annotations

from dataclasses import dataclass

DAY, WEEK, MONTH, QUARTER = "day", "week", "month", "quarter"


@dataclass(frozen=True, slots=True)
class Kind:
    """One report. `figures`: names of the board `reports`, in their order."""

    name: str
    title: str
    period: str
    reader: str
    """A receiver of receivers.yaml whose e-mail channels get it."""
    figures: tuple[str, ...]
    asks: str
    """The question that it answers."""


_OPERATIONAL = ("incidents", "runs", "broken_promises", "alerts", "data_age", "findings")
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("daily", "Daily status", DAY, "data-team", (*_OPERATIONAL, "revenue"), "Is everything all right today?"),
        Kind(
            "weekly",
            "Weekly performance",
            WEEK,
            "data-team",
            ("runs", "runs_before", *_OPERATIONAL[2:5], "incidents", "files", "scores", "messages"),
            "Was the week faster or slower, and what cost time?",
        ),
        Kind(
            "monthly",
            "Monthly capacity",
            MONTH,
            "data-team",
            ("disk", "largest", "growth", "files", "runs", "runs_before"),
            "Is there room for the months ahead?",
        ),
        Kind(
            "quarterly",
            "Quarterly trend",
            QUARTER,
            "data-team",
            ("runs", "runs_before", "incidents", "alerts", "broken_promises", "scores", "growth"),
            "Is it getting better?",
        ),
        Kind(
            "kpi-accuracy",
            "KPI accuracy",
            MONTH,
            "business-team",
            ("restatements", "reconciliations", "data_age"),
            "Can the reported figures be relied on?",
        ),
        Kind(
            "quality-trend",
            "Data quality trend",
            WEEK,
            "business-team",
            ("scores", "findings", "files"),
            "Is the data good, and where is it not?",
        ),
        Kind(
            "sla",
            "SLA compliance",
            MONTH,
            "business-team",
            ("broken_promises", "data_age", "incidents"),
            "Were the promises kept?",
        ),
        Kind(
            "cost",
            "Cost per metric",
            MONTH,
            "business-team",
            ("cost_per_metric", "runs", "files", "largest"),
            "What does each metric cost to keep?",
        ),
    )
}
