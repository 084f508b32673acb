"""Counts how often each refused row has been tried again. After too many attempts a row is parked: it is tried again
only on request. The hash of the file and the line identify a row, so the count stays when the batch is replaced. The
counts are written in the transaction of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from ops_project.counted import counted
from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.replays import MOST_ATTEMPTS
from ops_project.pipeline.landing.decide.taken import Taken
from ops_project.pipeline.landing.result import Finding, Replayed
from ops_project.pipeline.landing.write.journal import naive

_SAME = "attempts.feed = $feed AND attempts.sha256 = $sha256"


@dataclass(frozen=True)
class Counted:
    """The counts after one more attempt."""

    refused: int
    """Rows that were refused again."""
    parked_now: int
    parked: int


def refused_lines(context: Context, batch: Taken) -> dict[int, int]:
    """Line → number of rows of a batch in quarantine. Line 0 stands for all lines of a rejected file."""
    rows = context.rows("SELECT line, sum(rows) FROM ops.quarantine WHERE batch_id = ? GROUP BY line", [batch.batch_id])
    return {int(line): int(count) for line, count in rows}


def note(context: Context, stands: str, replayed: Taken, tried: tuple[int, int]) -> list[Finding]:
    """Count one more attempt for the refused rows of a file. Returns a finding if rows are now parked. Call this within
    the transaction of the file.

    `stands`: the batch whose quarantine holds the refused rows.
    `tried`: the number of rows that were tried, and the number of rows that passed.
    """
    tally = count(context.connection, replayed, stands, context.now)
    context.result.replayed.append(
        Replayed(
            feed=context.feed.name,
            file_name=replayed.file_name,
            business_date=replayed.business_date,
            batch_id=stands,
            tried=tried[0],
            passed=tried[1],
            refused=tally.refused,
            parked=tally.parked,
        )
    )
    if not tally.parked_now:
        return []
    return [
        Finding(
            kind="data_invalid",
            feed=context.feed.name,
            business_date=replayed.business_date,
            # Without a file name, this finding stays separate from the finding about the file.
            file_name=None,
            message=f"{replayed.file_name}: {counted(tally.parked_now, 'row was', 'rows were')} tried again "
            f"{MOST_ATTEMPTS} times, refused each time, and parked. Correct the contract, or ask the source for the "
            f"rows again; `ops replay --feed {context.feed.name} --parked` tries them once more",
            evidence={"batch_id": stands, "parked": tally.parked, "attempts": MOST_ATTEMPTS},
            batch_id=stands,
        )
    ]


def count(connection: duckdb.DuckDBPyConnection, replayed: Taken, stands: str, now: datetime) -> Counted:
    """Count one more attempt for the rows of a file that are still in quarantine. The counts of its other rows are
    deleted.

    `replayed`: the batch whose file was read again.
    `stands`: the batch whose quarantine holds the refused rows.
    """
    names = {"feed": _feed(connection, stands), "sha256": replayed.sha256, "stands": stands}
    moment = {"now": naive(now)}
    refused = "SELECT line, any_value(reason) AS reason, sum(rows) AS rows FROM ops.quarantine WHERE batch_id = $stands"
    connection.execute(
        "DELETE FROM ops.replay_attempts AS attempts "
        f"WHERE {_SAME} AND line NOT IN (SELECT line FROM ops.quarantine WHERE batch_id = $stands)",
        names,
    )
    connection.execute(
        "UPDATE ops.replay_attempts AS attempts SET attempts = attempts.attempts + 1, last_at = $now, "
        f"reason = refused.reason FROM ({refused} GROUP BY line) AS refused "
        f"WHERE {_SAME} AND attempts.line = refused.line",
        names | moment,
    )
    connection.execute(
        "INSERT INTO ops.replay_attempts (feed, sha256, line, attempts, last_at, reason, rows) "
        f"SELECT $feed, $sha256, line, 1, $now, reason, rows FROM ({refused} GROUP BY line) "
        f"WHERE line NOT IN (SELECT line FROM ops.replay_attempts AS attempts WHERE {_SAME})",
        names | moment,
    )
    [(parked_now,)] = connection.execute(
        "SELECT coalesce(sum(rows), 0) FROM ops.replay_attempts AS attempts "
        f"WHERE {_SAME} AND attempts.attempts >= $most AND parked_at IS NULL",
        {"feed": names["feed"], "sha256": names["sha256"], "most": MOST_ATTEMPTS},
    ).fetchall()
    connection.execute(
        "UPDATE ops.replay_attempts AS attempts SET parked_at = $now "
        f"WHERE {_SAME} AND attempts.attempts >= $most AND parked_at IS NULL",
        {"feed": names["feed"], "sha256": names["sha256"], "most": MOST_ATTEMPTS} | moment,
    )
    [(all_refused, parked)] = connection.execute(
        "SELECT coalesce(sum(rows), 0), coalesce(sum(rows) FILTER (WHERE parked_at IS NOT NULL), 0) "
        f"FROM ops.replay_attempts AS attempts WHERE {_SAME}",
        {"feed": names["feed"], "sha256": names["sha256"]},
    ).fetchall()
    return Counted(int(all_refused), int(parked_now), int(parked))


def _feed(connection: duckdb.DuckDBPyConnection, batch: str) -> str:
    [(feed,)] = connection.execute("SELECT feed FROM ops.batches WHERE batch_id = ?", [batch]).fetchall()
    return str(feed)
