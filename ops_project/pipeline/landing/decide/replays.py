"""Chooses the archived files that a replay reads again. Pure: the journal is an argument."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date

from ops_project.pipeline.landing.decide.taken import Taken


@dataclass(frozen=True)
class ReplayOrder:
    """The request for a replay.

    Without dates and batches it means every file that the present contract would read differently.
    """

    feed: str
    dates: tuple[date, ...] = ()
    batches: tuple[str, ...] = ()


def to_replay(batches: Iterable[Taken], order: ReplayOrder, present: Callable[[date], str]) -> list[Taken]:
    """The batches to replay, in the order in which they were taken. `present`: business date → hash of the contract.

    For each date and part: the valid batch, and the batches that were rejected after it. Any batch except a duplicate
    can be named; a replaced batch that is named becomes the newest. Without a name and a date, only batches that were
    rejected or loaded under another contract.
    """
    known = [batch for batch in batches if batch.status != "duplicate"]
    if order.batches:
        return [batch for batch in known if batch.batch_id in order.batches]
    newest_loaded: dict[tuple[date, str | None], int] = {}
    for batch in known:
        if batch.status == "loaded":
            newest_loaded[batch.business_date, batch.part] = batch.load_seq
    standing = [
        batch
        for batch in known
        if batch.status == "loaded"
        or (batch.status == "rejected" and batch.load_seq > newest_loaded.get((batch.business_date, batch.part), -1))
    ]
    if order.dates:
        return [batch for batch in standing if batch.business_date in order.dates]
    return [batch for batch in standing if batch.contract != present(batch.business_date)]


def unknown_batches(asked: Collection[str], known: Collection[str]) -> list[str]:
    """Batches that were asked for and do not exist."""
    return sorted(set(asked) - set(known))
