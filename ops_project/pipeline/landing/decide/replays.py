"""Chooses the archived files that a replay reads again. The module is pure: the journal is an argument.

A file is read again for one of two reasons. `ops feed replay` reads files whose contract has changed. `ops replay`
reads files with rows in quarantine. Both read the files in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from ops_project.pipeline.landing.decide.taken import Taken


@dataclass(frozen=True)
class ReplayOrder:
    """The request for a replay.

    A request without dates and batches means every file that was read under another contract than the present one.
    """

    feed: str
    dates: tuple[date, ...] = ()
    batches: tuple[str, ...] = ()
    refused: bool = False
    """Whether the replay is for rows in quarantine. In such a replay, a file without further good rows is left as it
    is, and the attempt is counted.
    """


@dataclass(frozen=True)
class Asked:
    """Which rows in quarantine are to be tried again. Without any condition, these are all rows that are not parked
    (`MOST_ATTEMPTS`).
    """

    feeds: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    reason: str = ""
    """A part of the reason why the rows were refused. Upper and lower case are the same."""
    parked: bool = False
    """Whether parked rows are included."""


@dataclass(frozen=True)
class Refused:
    """Rows of a batch that were refused for one reason."""

    feed: str
    batch_id: str
    column: str | None
    reason: str
    rows: int
    attempts: int
    """The highest number of attempts of one of the rows."""
    parked: int
    """How many of the rows are parked."""


_VALUE = re.compile(r"'[^'\n]*'")


def without_values(groups: Iterable[Refused]) -> list[Refused]:
    """The groups without the quoted values in their reasons. Groups that are then alike are joined.

    With the values, there could be as many groups as rows. Also, a value may be personal data.
    """
    found: dict[tuple[str, str, str | None, str], Refused] = {}
    for group in groups:
        reason = _VALUE.sub("'…'", group.reason)
        key = (group.feed, group.batch_id, group.column, reason)
        before = found.get(key, Refused(*key, rows=0, attempts=0, parked=0))
        found[key] = Refused(
            *key,
            rows=before.rows + group.rows,
            attempts=max(before.attempts, group.attempts),
            parked=before.parked + group.parked,
        )
    return list(found.values())


MOST_ATTEMPTS = 3
"""A row that was refused this often is parked: it is tried again only on request."""


def chosen_refused(asked: Asked, refused: Iterable[Refused]) -> list[Refused]:
    """The groups of rows that `asked` means."""
    return [
        group
        for group in refused
        if (not asked.feeds or group.feed in asked.feeds)
        and (not asked.batches or group.batch_id in asked.batches)
        and asked.reason.lower() in f"{group.column or ''} {group.reason}".lower()
        and (asked.parked or group.parked < group.rows)
    ]


def to_replay(batches: Iterable[Taken], order: ReplayOrder, present: Callable[[date], str]) -> list[Taken]:
    """The batches to replay, in the order in which they were taken.

    `present`: business date → hash of the present contract.

    If batches are named, exactly these are replayed, except duplicates. A named batch that had been replaced becomes
    the newest one.

    If no batch is named, the candidates for each date and part are the valid batch and the batches that were rejected
    after it. If dates are named, all candidates of these dates are replayed. Otherwise, only the candidates that were
    read under another contract are replayed.
    """
    known = [batch for batch in batches if batch.status != "duplicate"]
    if order.batches:
        return [batch for batch in known if batch.batch_id in order.batches]
    standing = standing_of(known)
    if order.dates:
        return [batch for batch in standing if batch.business_date in order.dates]
    return [batch for batch in standing if batch.contract != present(batch.business_date)]


def standing_of(batches: Iterable[Taken]) -> list[Taken]:
    """For each date and part: the valid batch, and the batches that were rejected after it."""
    known = list(batches)
    newest_loaded: dict[tuple[date, str | None], int] = {}
    for batch in known:
        if batch.status == "loaded":
            newest_loaded[batch.business_date, batch.part] = batch.load_seq
    return [
        batch
        for batch in known
        if batch.status == "loaded"
        or (batch.status == "rejected" and batch.load_seq > newest_loaded.get((batch.business_date, batch.part), -1))
    ]
