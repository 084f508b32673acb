"""Which archived files a replay reads again. Pure: it is given the journal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date

from ops_project.pipeline.landing.decide.taken import Taken


@dataclass(frozen=True)
class ReplayOrder:
    """What somebody asked for; without dates and batches everything that the present contract would read anew."""

    feed: str
    dates: tuple[date, ...] = ()
    batches: tuple[str, ...] = ()


def to_replay(batches: Iterable[Taken], order: ReplayOrder, present: Callable[[date], str]) -> list[Taken]:
    """The batches to replay, in the order in which they were taken. `present`: business date → hash of the contract.

    Of a slot the batch that stands, and what was rejected after it. By name any batch, but for duplicates: a replaced
    one that is named becomes the newest. Without a name and a date, only what was loaded under another contract, or
    rejected.
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
