"""Campaigns: the contacts of a day, and the responses of a day.

A campaign begins every few days and runs for four weeks, so that all days are alike. This module computes arrays and
writes no files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

import numpy as np

from ops_project.simulator.marketing_people import Mart
from ops_project.simulator.timing import seconds_of_day
from ops_project.simulator.world import Floats, Ints, World, days_since_epoch

FIRST_CAMPAIGN = days_since_epoch(date(2009, 1, 1))
EVERY_DAYS, RUNS_DAYS, PLANNED_DAYS = 4, 28, 14
CAMPAIGN_TYPES = ("acquisition", "retention", "cross_sell", "win_back")
OFFER_TYPES = ("discount", "free_shipping", "gift", "loyalty_points")
OFFERS = 2
# A campaign uses e-mail and one other channel. In each of the two channels it has three cells: one for each of its two
# offers, and a control cell. A cell is a group of customers with the same treatment.
CELLS = 6
CELL_SHARES = np.array([0.22, 0.22, 0.20, 0.20, 0.08, 0.08])
CELL_OFFER = np.array([0, 1, 0, 1, -1, -1])
CELL_CHANNEL = np.array([0, 0, 1, 1, 0, 1])
# The cost of one contact in ten-thousandths of a dollar: e-mail, sms, post, push.
COST = np.array([20, 350, 6_500, 10])
POST = 2
POST_TAKES_DAYS = 3
BOUNCED, RECALLED = 0.03, 0.002
OPENED = np.array([0.32, 0.45, 0.20, 0.28])
CLICKED = 0.09
CONVERTED, CONVERTED_UNTREATED = 0.034, 0.020
UNSUBSCRIBED = 0.003
RESPONSES = ("open", "click", "conversion", "unsubscribe")
LONGEST_LAG = 12


def running(day: int) -> Ints:
    """The campaigns that run on a day."""
    last = (day - FIRST_CAMPAIGN) // EVERY_DAYS
    numbers = np.arange(max(0, last - RUNS_DAYS // EVERY_DAYS - 1), last + 1)
    starts = start_of(numbers)
    return numbers[(starts <= day) & (day < starts + RUNS_DAYS)]


def start_of(campaign: Ints) -> Ints:
    return FIRST_CAMPAIGN + campaign * EVERY_DAYS


def second_channel(world: World, campaign: Ints) -> Ints:
    """The second channel: sms, post or push."""
    return 1 + world.pick("marketing/campaign/channel", campaign, 3)


def cell_channel(world: World, campaign: Ints, cell: Ints) -> Ints:
    """The channel of a campaign's cell. Cells are counted from 0."""
    return np.where(CELL_CHANNEL[cell] == 0, 0, second_channel(world, campaign))


@dataclass(frozen=True)
class Treatments:
    """The contacts of one day, including the control group. Index k of each array is contact k."""

    world: World
    day: date
    customer: Ints
    campaign: Ints
    cell: Ints
    second: Ints
    """The time of each contact, in seconds since midnight."""
    loyalty: Floats
    ends: Ints
    """The day on which the customer is deleted."""

    @cached_property
    def key(self) -> Ints:
        """The number of each contact. It is unique, because a campaign contacts a customer only once."""
        return self.campaign * 10**8 + self.customer + 1

    @cached_property
    def channel(self) -> Ints:
        return cell_channel(self.world, self.campaign, self.cell)

    @cached_property
    def control(self) -> np.ndarray:
        return CELL_OFFER[self.cell] < 0

    @cached_property
    def recalled(self) -> np.ndarray:
        """True: the contact is withdrawn on the next day, because it did not take place."""
        recalled: np.ndarray = (self.world.unit("marketing/recalled", self.key) < RECALLED) & ~self.control
        return recalled

    @cached_property
    def bounced(self) -> np.ndarray:
        bounced: np.ndarray = (self.world.unit("marketing/bounced", self.key) < BOUNCED) & ~self.control
        return bounced

    @property
    def moment(self) -> Ints:
        """The time of each contact, in seconds since 1970."""
        return days_since_epoch(self.day) * 86_400 + self.second

    def chosen(self, mask: np.ndarray) -> Treatments:
        arrays = (self.customer, self.campaign, self.cell, self.second, self.loyalty, self.ends)
        return Treatments(self.world, self.day, *(values[mask] for values in arrays))

    def responded(self, kind: int) -> tuple[np.ndarray, Ints]:
        """Whether each contact has a response of `kind` (an index into RESPONSES), and after how many days."""
        does, lag = self._answer(kind)
        # Nobody answers a letter before it has arrived.
        return does, np.where((self.channel == POST) & ~self.control, np.maximum(lag, POST_TAKES_DAYS), lag)

    def _answer(self, kind: int) -> tuple[np.ndarray, Ints]:
        world, key = self.world, self.key
        chance = world.unit("marketing/opened", key) / self.loyalty
        reached = ~(self.control | self.bounced | self.recalled)
        opened_after = world.pick("marketing/opened/lag", key, 4)
        if kind == 0:
            return reached & (chance < OPENED[self.channel]), opened_after
        if kind == 1:
            return reached & (chance < CLICKED), opened_after + world.pick("marketing/clicked/lag", key, 2)
        if kind == 2:
            pull = 0.8 + 0.5 * world.unit("marketing/offer/pull", self.campaign * OFFERS + CELL_OFFER[self.cell])
            rate = np.where(self.control, CONVERTED_UNTREATED, CONVERTED * pull * reached) * self.loyalty
            return world.unit("marketing/converted", key) < rate, world.pick(
                "marketing/converted/lag", key, LONGEST_LAG + 1
            )
        return reached & (world.unit("marketing/unsubscribed", key) < UNSUBSCRIBED), opened_after


@lru_cache(maxsize=96)
def treatments(world: World, day: date) -> Treatments:
    """The contacts of a day. A customer is contacted if a running campaign has chosen the customer for this day, and if
    the customer consents to the channel.
    """
    mart = Mart(world, day)
    today = mart.today
    consents = [mart.consent(channel)[0] for channel in range(4)]
    parts: list[tuple[Ints, Ints, Ints]] = []
    for campaign in running(today):
        salt = int(campaign) + 1
        share = 0.25 + 0.10 * float(world.unit("marketing/campaign/share", salt))
        offset = mart.people.pick("selected/day", mart.keys, RUNS_DAYS, salt)
        mine = np.flatnonzero((offset == today - start_of(campaign)) & mart.alive)
        mine = mine[mart.people.unit("selected", mine, salt) < share]
        edges = np.cumsum(CELL_SHARES)
        cell = np.searchsorted(edges, mart.people.unit("selected/cell", mine, salt), "right").clip(0, CELLS - 1)
        channel = cell_channel(world, np.full(len(mine), campaign), cell)
        allowed = np.stack([given[mine] for given in consents])[channel, np.arange(len(mine))]
        parts.append((mine[allowed], np.full(int(allowed.sum()), campaign), cell[allowed]))
    customer, campaign, cell = (np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True))
    rng = world.rng("marketing", "treatments", day)
    second = seconds_of_day(rng, len(customer))
    order = rng.permutation(len(customer))
    customer, campaign, cell = customer[order], campaign[order], cell[order]
    return Treatments(
        world=world,
        day=day,
        customer=customer,
        campaign=campaign,
        cell=cell,
        second=second,
        loyalty=mart.loyalty[customer],
        ends=mart.ends[customer],
    )
