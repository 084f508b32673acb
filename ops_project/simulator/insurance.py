"""The change data capture of the policy administration. It first sends every policy, and then a numbered row for each
change.

cdc_seq counts all changes since the beginning of history. So the numbers of a day can be computed without the days
before. The control file contains the totals that the source itself reports: rows and premium.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from ops_project.simulator.outbox import Columns, Outbox
from ops_project.simulator.people import choice
from ops_project.simulator.population import Population
from ops_project.simulator.timing import arrival, seconds_of_day
from ops_project.simulator.world import Ints, World, days_since_epoch

DOMAIN = "insurance"
FEEDS = ("policies",)

PRODUCTS = ("motor", "home", "travel", "health", "life")
PRODUCT_SHARE = np.cumsum([0.42, 0.27, 0.08, 0.13, 0.10])
PREMIUM_LEVEL = np.array([620.0, 410.0, 95.0, 1_900.0, 780.0])
REGIONS = ("north", "south", "east", "west", "central")
REGION_SHARE = np.cumsum([0.24, 0.18, 0.20, 0.22, 0.16])
OPS = ("I", "U", "D")
ERASED_AFTER_DAYS = 90

POLICY_SQL = """
    cdc_seq, op, 'POL' || lpad(key::VARCHAR, 8, '0') AS policy_id, 'H' || lpad((key * 7 % 10000019)::VARCHAR, 8, '0')
    AS holder_id, product, region, (premium_cents / 100)::DECIMAL(12, 2) AS premium, policy_status,
    DATE '1970-01-01' + born::INTEGER AS effective_date,
    CASE WHEN policy_status = 'cancelled' THEN DATE '1970-01-01' + cancelled::INTEGER END AS cancelled_date,
    make_timestamp(changed * 1000000) AS changed_at"""


@dataclass(frozen=True)
class Book:
    """The portfolio at the end of one day. Policy k is the policy that began after k others."""

    world: World
    day: date

    @cached_property
    def today(self) -> int:
        return days_since_epoch(self.day)

    @cached_property
    def policies(self) -> Population:
        return Population(self.world, "insurance/policy", 20_000 * self.world.breadth, growth=0.18)

    @cached_property
    def births(self) -> Ints:
        return self.policies.births(self.day)

    @cached_property
    def keys(self) -> Ints:
        return np.arange(len(self.births))

    @cached_property
    def cancelled(self) -> Ints:
        return self.births + self.policies.lifetime("lifetime", self.keys, 1_500.0)

    @property
    def erased(self) -> Ints:
        return self.cancelled + ERASED_AFTER_DAYS

    @cached_property
    def repricings(self) -> tuple[Ints, Ints]:
        """The number of premium changes of each policy, and the day of the last. No change comes after the
        cancellation.
        """
        until = np.minimum(self.today, self.cancelled - 1)
        return self.policies.changes("premium", self.keys, self.births, until, every=260)

    @cached_property
    def product(self) -> Ints:
        return np.searchsorted(PRODUCT_SHARE, self.policies.unit("product", self.keys), "right").clip(0, 4)

    @cached_property
    def premium_cents(self) -> Ints:
        base = PREMIUM_LEVEL[self.product] * np.exp(0.35 * self.policies.normal("risk", self.keys))
        moved = 0.92 + 0.2 * self.policies.unit("premium/level", self.keys, self.repricings[0])
        return np.round(base * moved * 100.0).astype(np.int64)

    @cached_property
    def changes_until_now(self) -> int:
        """The number of all changes up to the end of the day, which is the last cdc_seq."""
        ended = (self.cancelled <= self.today).sum() + (self.erased <= self.today).sum()
        return int(len(self.keys) + self.repricings[0].sum() + ended)


def file_name(feed: str, day: date) -> str:
    """The name of the feed's file of a day."""
    return f"{feed}_{day:%Y%m%d}.csv"


def deliver(world: World, zone: ZoneInfo, day: date, outbox: Outbox, *, first: bool) -> None:
    """Stage the extract of business date `day`. `first`: it has an insert for each policy that is not erased."""
    book = Book(world, day)
    if first:
        keys = np.flatnonzero(book.erased > book.today)
        op = np.zeros(len(keys), dtype=np.int64)
        last = book.changes_until_now - len(keys)
    else:
        born, repriced = book.births == book.today, book.repricings[1] == book.today
        cancelled, erased = book.cancelled == book.today, book.erased == book.today
        keys = np.flatnonzero(born | repriced | cancelled | erased)
        keys = keys[world.rng(DOMAIN, "order", day).permutation(len(keys))]
        op = np.select([born[keys], erased[keys]], [0, 2], 1)
        last = Book(world, day - timedelta(days=1)).changes_until_now
    name = file_name("policies", day)
    outbox.write(
        "policies",
        name,
        day,
        arrives_at=arrival(world, zone, DOMAIN, "policies", day),
        columns=_rows(book, keys, op, last),
        select=POLICY_SQL,
    )
    total = int(book.premium_cents[keys].sum())
    outbox.control(name, "{stem}.ctl", "rows={rows}\npremium_total={total}\n", total=f"{total // 100}.{total % 100:02}")


def _rows(book: Book, keys: Ints, op: Ints, last: int) -> Columns:
    seconds = seconds_of_day(book.world.rng(DOMAIN, "seconds", book.day), len(keys))
    happened = np.maximum(book.births[keys], book.repricings[1][keys])
    happened = np.where(book.cancelled[keys] <= book.today, book.cancelled[keys], happened)
    happened = np.where(op == 2, book.today, happened)
    return {
        "cdc_seq": last + 1 + np.arange(len(keys)),
        "op": choice(OPS, op),
        "key": keys + 1,
        "product": choice(PRODUCTS, book.product[keys]),
        "region": choice(
            REGIONS, np.searchsorted(REGION_SHARE, book.policies.unit("region", keys), "right").clip(0, 4)
        ),
        "premium_cents": book.premium_cents[keys],
        "policy_status": choice(("active", "cancelled"), (book.cancelled[keys] <= book.today).astype(int)),
        "born": book.births[keys],
        "cancelled": book.cancelled[keys],
        "changed": happened * 86_400 + seconds,
    }
