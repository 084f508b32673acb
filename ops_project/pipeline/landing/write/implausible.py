"""Finds rows that an earlier version landed although their dates are not plausible.

Such rows would be refused today. No model counts them, so nobody would notice them. Therefore each file with such rows
is reported until the rows are gone.
"""

from __future__ import annotations

from datetime import date, timedelta

from ops_project.counted import counted
from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.write import journal
from ops_project.sql_text import identifier

# One more day on either side is accepted, because the day of a moment depends on the time zone.
SLACK = timedelta(days=1)


def files_with_implausible_rows(context: Context, today: date) -> dict[str, tuple[date | None, str]]:
    """File name → the file's business date, and what is wrong with the file. The text continues a sentence that begins
    with the file's name.
    """
    feed = context.feed
    loads = [context.last_load, journal.naive(context.now) if context.result.batches else None]
    newest = max((moment for moment in loads if moment is not None), default=None)
    if newest is None:
        return {}
    # The newest accepted date depends on the day on which the rows came. The present clock may be earlier, as in a
    # replay.
    last = feed.plausible.last(max(today, newest.date())) + SLACK
    table, types = f"bronze.{identifier(feed.name)}", {name: c.sql_type for name, c in feed.bronze_columns().items()}
    found: dict[str, tuple[date | None, str]] = {}
    for name in dict.fromkeys(["business_date", *feed.plausible.columns]):
        first = feed.plausible.first
        if name != "business_date":
            if types.get(name) not in ("DATE", "TIMESTAMP"):
                continue
            first -= SLACK
        column = identifier(name)
        outside = f"FROM {table} WHERE {column} < DATE '{first}' OR {column} >= DATE '{last + SLACK}'"
        # Usually there is no such row. DuckDB answers this from statistics and reads no rows.
        if not context.rows(f"SELECT 1 {outside} LIMIT 1"):
            continue
        rows = context.rows(
            f"""
            SELECT batch_id, file_name, batches.business_date, dated.number, dated.earliest, dated.latest
            FROM (
                SELECT _batch_id, count(*) AS number, min({column})::DATE AS earliest, max({column})::DATE AS latest
                {outside} GROUP BY _batch_id
            ) AS dated INNER JOIN ops.batches ON batch_id = dated._batch_id
            """
        )
        for batch_id, file_name, day, number, earliest, latest in rows:
            dates = str(earliest) if earliest == latest else f"{earliest} to {latest}"
            what = counted(number, "row")
            found[file_name] = (
                day,
                f"holds {what} with {name} {dates}, outside of {feed.plausible.first} to {last - SLACK}. An earlier "
                "version loaded them; today they are refused, and no model counts them. `ops feed replay "
                f"{feed.name} --batch {batch_id}` removes them",
            )
    return found
