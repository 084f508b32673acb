"""Checks the daily series of gold.data_anomalies. A dbt model has already judged each day of the series. The check
reads these verdicts, and judges nothing itself.
"""

from __future__ import annotations

from datetime import timedelta

from asset_checks.counted import counted
from asset_checks.primitives.scope import touched_dates
from asset_checks.primitives.sql import columns, date_list, identifier, table_name
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation, Verdict

NAME = "anomalies"
DESCRIPTION = "No anomaly on the newest dates; those of the last seven days are listed."
FAILURE_CLASS = "value_anomaly"


def applies(table: TableSpec) -> bool:
    return table.anomalies is not None


def evaluate(situation: Situation, table: TableSpec) -> Verdict:
    series = table.anomalies
    if series is None:
        raise ValueError(f"{table.name} has no series of verdicts")
    parameters = situation.parameters.anomalies
    day, status = identifier(series.date_column), identifier(series.status_column)
    today = situation.today
    oldest = today - timedelta(days=parameters.list_days)
    # If the data of a date arrives late, the date could not be judged while it was new. So it is judged when its data
    # has come.
    news = {today - timedelta(days=back) for back in range(parameters.alert_days + 1)}
    touched = touched_dates(situation, table, situation.parameters.score.recent_hours)
    news |= {when for when in touched if when >= oldest}
    shown = [name for name in series.evidence_columns if name != series.date_column]
    rows = situation.rows(
        f"""
        select {day}::date, {status}, {day}::date in ({date_list(news)}){"".join(f", {columns([n])}" for n in shown)}
        from {table_name(table.name)}
        where {day} >= ? and {day} <= ?
        order by {day} desc
        """,
        [oldest, today],
    )
    listed = [
        {"date": str(row[0]), **dict(zip(shown, map(_plain, row[3:]), strict=True))}
        for row in rows
        if row[1] == series.anomalous
    ]
    alerting = [str(row[0]) for row in rows if row[1] == series.anomalous and row[2]]
    unknown = [str(row[0]) for row in rows if row[1] is None or row[1] in series.unknown]
    evidence = {"anomalies": listed, "last_days": parameters.list_days, "judged": len(rows) - len(unknown)}
    if alerting:
        return Verdict.fail(
            f"{table.name}: anomaly on {', '.join(alerting)} ({len(listed)} in the last "
            f"{counted(parameters.list_days, 'day')}). "
            "Verify that the data is complete, then look for the reason in the business.",
            "medium",
            FAILURE_CLASS,
            dates=alerting,
            **evidence,
        )
    if len(unknown) == len(rows):
        return Verdict.unknown(
            f"{table.name}: none of the last {parameters.list_days} days could be judged: too little history.",
            passed=True,
            **evidence,
        )
    return Verdict.ok(f"{table.name}: no anomaly on the newest dates, {len(listed)} listed.", **evidence)


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | str) or value is None else str(value)
