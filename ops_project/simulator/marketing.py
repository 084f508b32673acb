"""The marketing data mart's eight daily extracts, each with its control file. The first extract is full, the others are
deltas.

The full extract holds everything that exists at the end of its day, and the contacts and responses of the sixty days
before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ops_project.simulator import people
from ops_project.simulator.marketing_campaigns import (
    CAMPAIGN_TYPES,
    CELL_OFFER,
    CELL_SHARES,
    CELLS,
    COST,
    EVERY_DAYS,
    FIRST_CAMPAIGN,
    LONGEST_LAG,
    OFFER_TYPES,
    OFFERS,
    PLANNED_DAYS,
    POST,
    POST_TAKES_DAYS,
    RESPONSES,
    RUNS_DAYS,
    Treatments,
    cell_channel,
    start_of,
    treatments,
)
from ops_project.simulator.marketing_people import CHANNELS, OPS, Mart
from ops_project.simulator.outbox import Columns, Outbox
from ops_project.simulator.people import choice
from ops_project.simulator.population import ANCHOR, DAYS_PER_YEAR
from ops_project.simulator.timing import arrival
from ops_project.simulator.world import Ints, World, days_since_epoch

DOMAIN = "marketing"
FEEDS = (
    "mart_customers",
    "mart_contact_points",
    "mart_consents",
    "mart_campaigns",
    "mart_cells",
    "mart_offers",
    "mart_contacts",
    "mart_responses",
)
DIALECT = "FORMAT csv, DELIMITER '|'"
HISTORY_DAYS, CAMPAIGN_HISTORY_DAYS = 60, 400
# Contacts of several days of a full extract are written together up to this number. In a small world this saves a third
# of the time, and in a large one it keeps the memory small.
AT_ONCE = 100_000

_UPDATED = "make_timestamp(updated * 86400000000) AS updated_at"
SQL = {
    "mart_customers": f"""
        op, 'M' || lpad(key::VARCHAR, 8, '0') AS customer_id, first_name, last_name,
        {people.EMAIL_SQL} AS email,
        DATE '1970-01-01' + (born - age_days)::INTEGER AS birth_date, gender, {people.STREET_SQL} AS street, city,
        state, {people.POSTAL_SQL} AS postal_code, 'US' AS country, customer_status, value_band,
        (value_cents / 100)::DECIMAL(12, 2) AS lifetime_value, DATE '1970-01-01' + born::INTEGER AS created_date,
        {_UPDATED}""",
    "mart_contact_points": f"""
        op, 'M' || lpad(key::VARCHAR, 8, '0') AS customer_id, contact_point_type, number AS contact_point_number,
        CASE contact_point_type
            WHEN 'email' THEN replace({people.EMAIL_SQL}, '@', '.' || number || version || '@')
            WHEN 'sms' THEN {people.PHONE_SQL} || version
            WHEN 'post' THEN {people.STREET_SQL} || ', ' || {people.POSTAL_SQL} || ' ' || city
            ELSE 'device-' || lpad(key::VARCHAR, 8, '0') || '-' || version
        END AS contact_point_value, is_preferred, is_valid, {_UPDATED}""",
    "mart_consents": f"""
        op, 'M' || lpad(key::VARCHAR, 8, '0') AS customer_id, channel, consent_status, consent_source,
        make_timestamp(consented * 86400000000) AS consented_at, {_UPDATED}""",
    "mart_campaigns": f"""
        op, 'CMP' || lpad(campaign::VARCHAR, 6, '0') AS campaign_id,
        upper(left(campaign_type, 1)) || replace(substr(campaign_type, 2), '_', ' ') || ' ' || campaign
            AS campaign_name,
        campaign_type, campaign_status, DATE '1970-01-01' + start::INTEGER AS start_date,
        DATE '1970-01-01' + (start + {RUNS_DAYS - 1})::INTEGER AS end_date, budget::DECIMAL(12, 2) AS budget_amount,
        'USD' AS currency, {_UPDATED}""",
    "mart_cells": f"""
        op, 'CMP' || lpad(campaign::VARCHAR, 6, '0') || '-' || lpad(cell::VARCHAR, 2, '0') AS cell_id,
        'CMP' || lpad(campaign::VARCHAR, 6, '0') AS campaign_id,
        channel || CASE WHEN offer < 0 THEN ' control' ELSE ' offer ' || (offer % {OFFERS} + 1) END AS cell_name,
        offer < 0 AS is_control, channel,
        CASE WHEN offer >= 0 THEN 'OFR' || lpad(offer::VARCHAR, 6, '0') END AS offer_id, planned AS planned_size,
        {_UPDATED}""",
    "mart_offers": f"""
        op, 'OFR' || lpad(offer::VARCHAR, 6, '0') AS offer_id,
        upper(left(offer_type, 1)) || replace(substr(offer_type, 2), '_', ' ') || ' ' || offer AS offer_name,
        offer_type,
        CASE WHEN offer_type = 'discount' THEN percent::DECIMAL(5, 2) END AS discount_percent,
        DATE '1970-01-01' + start::INTEGER AS valid_from,
        DATE '1970-01-01' + (start + {RUNS_DAYS + LONGEST_LAG})::INTEGER AS valid_to, {_UPDATED}""",
    "mart_contacts": """
        op, 'T' || treatment AS treatment_id, 'M' || lpad(customer::VARCHAR, 8, '0') AS customer_id,
        'CMP' || lpad(campaign::VARCHAR, 6, '0') AS campaign_id,
        'CMP' || lpad(campaign::VARCHAR, 6, '0') || '-' || lpad(cell::VARCHAR, 2, '0') AS cell_id,
        CASE WHEN offer >= 0 THEN 'OFR' || lpad(offer::VARCHAR, 6, '0') END AS offer_id, channel, contact_status,
        make_timestamp(contacted * 1000000) AS contacted_at, (cost / 10000)::DECIMAL(10, 4) AS contact_cost,
        make_timestamp(updated * 1000000) AS updated_at""",
    "mart_responses": """
        op, 'R' || treatment || '-' || left(response_type, 2) AS response_id, 'T' || treatment AS treatment_id,
        'M' || lpad(customer::VARCHAR, 8, '0') AS customer_id,
        'CMP' || lpad(campaign::VARCHAR, 6, '0') AS campaign_id,
        CASE WHEN offer >= 0 THEN 'OFR' || lpad(offer::VARCHAR, 6, '0') END AS offer_id, channel, response_type,
        make_timestamp(responded * 1000000) AS responded_at,
        CASE WHEN response_type = 'conversion' THEN (value / 100)::DECIMAL(12, 2) END AS response_value,
        make_timestamp(responded * 1000000) AS updated_at""",
}


def file_name(feed: str, day: date) -> str:
    """The name of the feed's file of a day."""
    return f"{feed}_{day:%Y%m%d}.dat"


def deliver(world: World, zone: ZoneInfo, day: date, outbox: Outbox, *, first: bool) -> None:
    """Stage the extracts of business date `day`. `first`: full extracts instead of deltas."""
    mart = Mart(world, day)
    parts: dict[str, Callable[[], Iterable[Sequence[Columns]]]] = {
        "mart_customers": lambda: [[mart.customers(first=first)]],
        "mart_contact_points": lambda: [[mart.points(first=first)]],
        "mart_consents": lambda: [[mart.consents(first=first)]],
        "mart_campaigns": lambda: [[_campaigns(world, mart.today, first=first)]],
        "mart_cells": lambda: [[_cells(world, mart.today, first=first)]],
        "mart_offers": lambda: [[_offers(world, mart.today, first=first)]],
        "mart_contacts": lambda: _contacts(world, day, mart.today, first=first),
        "mart_responses": lambda: _responses(world, day, mart.today, first=first),
    }
    for feed, chunks in parts.items():
        if not outbox.wants(feed):
            continue
        name = file_name(feed, day)
        for columns in chunks():
            outbox.write(
                feed,
                name,
                day,
                arrives_at=arrival(world, zone, DOMAIN, feed, day),
                columns=columns,
                select=SQL[feed],
                dialect=DIALECT,
            )
        outbox.control(name, "{stem}.ctl", "feed={feed}\nrows={rows}\n")


def _known(today: int, *, first: bool) -> tuple[Ints, Ints, Ints]:
    """The campaigns of today's file, the operation of each, and the day on which the mart last wrote each.

    A delta contains every campaign that is planned or running, even if it has not changed. On the day on which a
    campaign ends, the delta contains it for the last time.
    """
    last = (today + PLANNED_DAYS - FIRST_CAMPAIGN) // EVERY_DAYS
    reach = (CAMPAIGN_HISTORY_DAYS if first else RUNS_DAYS + PLANNED_DAYS + EVERY_DAYS) // EVERY_DAYS
    numbers = np.arange(max(0, last - reach), last + 1)
    start = start_of(numbers)
    planned, ended = start - PLANNED_DAYS, start + RUNS_DAYS
    numbers, planned, ended = (values[first | (ended >= today)] for values in (numbers, planned, ended))
    return numbers, np.where(first | (planned == today), 1, 2), np.minimum(today, ended)


def _campaigns(world: World, today: int, *, first: bool) -> Columns:
    numbers, op, written = _known(today, first=first)
    start = start_of(numbers)
    state = np.select([today >= start + RUNS_DAYS, today >= start], [2, 1], 0)
    return {
        "op": choice(OPS, op),
        "campaign": numbers,
        "campaign_type": choice(CAMPAIGN_TYPES, world.pick("marketing/campaign/type", numbers, len(CAMPAIGN_TYPES))),
        "campaign_status": choice(("planned", "active", "completed"), state),
        "start": start,
        "budget": 500 * (1 + world.pick("marketing/campaign/budget", numbers, 20)),
        "updated": written,
    }


def _cells(world: World, today: int, *, first: bool) -> Columns:
    numbers, op, written = _known(today, first=first)
    campaign = np.repeat(numbers, CELLS)
    cell = np.tile(np.arange(CELLS), len(numbers))
    planned = start_of(campaign) - PLANNED_DAYS
    # This is a share of the customers at the time when the campaign was planned. Sizes are rounded to tens.
    audience = 0.3 * 6_000 * world.breadth * np.exp(0.2 * (planned - ANCHOR) / DAYS_PER_YEAR)
    return {
        "op": choice(OPS, np.repeat(op, CELLS)),
        "campaign": campaign,
        "cell": cell + 1,
        "channel": choice(CHANNELS, cell_channel(world, campaign, cell)),
        "offer": np.where(CELL_OFFER[cell] < 0, -1, campaign * OFFERS + CELL_OFFER[cell]),
        "planned": (np.round(CELL_SHARES[cell] * audience / 10) * 10).astype(np.int64),
        "updated": np.repeat(written, CELLS),
    }


def _offers(world: World, today: int, *, first: bool) -> Columns:
    numbers, op, written = _known(today, first=first)
    campaign = np.repeat(numbers, OFFERS)
    offer = campaign * OFFERS + np.tile(np.arange(OFFERS), len(numbers))
    return {
        "op": choice(OPS, np.repeat(op, OFFERS)),
        "offer": offer,
        "offer_type": choice(OFFER_TYPES, world.pick("marketing/offer/type", offer, len(OFFER_TYPES))),
        "percent": 5 * (1 + world.pick("marketing/offer/percent", offer, 8)),
        "start": start_of(campaign),
        "updated": np.repeat(written, OFFERS),
    }


def _contact_columns(done: Treatments, op: int, status: Ints, updated: Ints) -> Columns:
    return {
        "op": choice(OPS, np.full(len(status), op)),
        "treatment": done.key,
        "customer": done.customer + 1,
        "campaign": done.campaign,
        "cell": done.cell + 1,
        "offer": np.where(done.control, -1, done.campaign * OFFERS + CELL_OFFER[done.cell]),
        "channel": choice(CHANNELS, done.channel),
        "contact_status": choice(("sent", "delivered", "bounced", "control"), status),
        "contacted": done.moment,
        "cost": np.where(done.control, 0, COST[done.channel]),
        "updated": updated,
    }


def _status(done: Treatments, after_days: int) -> Ints:
    """The status of each contact: sent, delivered, bounced or control. Post takes some days to arrive."""
    final = np.select([done.control, done.bounced], [3, 2], 1)
    return np.where((done.channel == POST) & ~done.control & (after_days < POST_TAKES_DAYS), 0, final)


def _contacts(world: World, day: date, today: int, *, first: bool) -> Iterator[Sequence[Columns]]:
    """Today's treatments (contacts of campaigns), the post of three days ago, which arrived today, and yesterday's
    treatments that were withdrawn.
    """
    waiting: list[Columns] = []
    rows = 0
    for back in range(HISTORY_DAYS if first else 0, 0, -1):
        earlier = treatments(world, day - timedelta(days=back))
        earlier = earlier.chosen((earlier.ends > today) & ~earlier.recalled)
        settled = np.where(earlier.channel == POST, min(back, POST_TAKES_DAYS), 0)
        waiting.append(_contact_columns(earlier, 1, _status(earlier, back), earlier.moment + settled * 86_400))
        rows += len(earlier.key)
        if rows >= AT_ONCE:
            yield waiting
            waiting, rows = [], 0
    now = treatments(world, day)
    chunks = [*waiting, _contact_columns(now, 1, _status(now, 0), now.moment)]
    if not first:
        posted = treatments(world, day - timedelta(days=POST_TAKES_DAYS))
        posted = posted.chosen((posted.channel == POST) & ~posted.control & ~posted.recalled & (posted.ends > today))
        arrived = posted.moment + POST_TAKES_DAYS * 86_400
        chunks.append(_contact_columns(posted, 2, _status(posted, POST_TAKES_DAYS), arrived))
        withdrawn = treatments(world, day - timedelta(days=1))
        withdrawn = withdrawn.chosen(withdrawn.recalled & (withdrawn.ends > today))
        chunks.append(
            _contact_columns(withdrawn, 3, _status(withdrawn, 1), np.full(len(withdrawn.key), today * 86_400))
        )
    yield chunks


def _responses(world: World, day: date, today: int, *, first: bool) -> Iterator[Sequence[Columns]]:
    """Today's responses to the treatments of the last days. A full extract also contains earlier responses."""
    chunks = []
    for back in range(HISTORY_DAYS if first else LONGEST_LAG, -1, -1):
        done = treatments(world, day - timedelta(days=back))
        for kind in range(len(RESPONSES)):
            does, lag = done.responded(kind)
            hit = does & ((lag <= back) if first else (lag == back)) & (done.ends > today)
            hit &= done.ends > days_since_epoch(done.day) + lag
            chunks.append(_response_columns(done.chosen(hit), kind, lag[hit]))
    yield chunks


def _response_columns(done: Treatments, kind: int, lag: Ints) -> Columns:
    chance = done.world.unit(f"marketing/responded/{kind}", done.key)
    midnight = (days_since_epoch(done.day) + lag) * 86_400
    begin = np.where(lag == 0, done.second, 0)
    value = 3_500.0 * np.exp(0.6 * done.world.normal("marketing/response/value", done.key))
    return {
        "op": choice(OPS, np.ones(len(lag), dtype=np.int64)),
        "treatment": done.key,
        "customer": done.customer + 1,
        "campaign": done.campaign,
        "offer": np.where(done.control, -1, done.campaign * OFFERS + CELL_OFFER[done.cell]),
        "channel": choice(CHANNELS, done.channel),
        "response_type": choice(RESPONSES, np.full(len(lag), kind)),
        "responded": midnight + begin + ((86_399 - begin) * chance).astype(np.int64),
        "value": value.astype(np.int64),
    }
