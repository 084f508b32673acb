"""The events of visitors on the site, in sessions that led to the day's orders and in sessions without an order."""

from __future__ import annotations

import numpy as np

from ops_project.simulator.ecommerce_orders import MOBILE, STORE, Counted, Orders
from ops_project.simulator.ecommerce_shop import Shop
from ops_project.simulator.outbox import Columns
from ops_project.simulator.people import choice
from ops_project.simulator.world import Ints, weighted

DEVICES = ("desktop", "mobile", "tablet")
REFERRERS = ("direct", "search", "email", "social", "affiliate")
REFERRER_SHARE = np.array([0.30, 0.34, 0.14, 0.15, 0.07])
EVENTS = ("page_view", "product_view", "add_to_cart", "checkout", "purchase")
PAGES = ("/", "/product", "/cart", "/checkout", "/thanks")
# The number of sessions without an order for each session with one. It gives about four events for each order item.
IDLE_SESSIONS = 1.35
EVENT_SQL = """
    event_id, event_date, make_timestamp(occurred * 1000000) AS occurred_at, 'S' || session AS session_id,
    CASE WHEN customer > 0 THEN 'C' || lpad(customer::VARCHAR, 7, '0') END AS customer_id,
    CASE WHEN product > 0 THEN 'P' || lpad(product::VARCHAR, 6, '0') END AS product_id, event_type, device, source,
    page || CASE WHEN product > 0 THEN '/' || product ELSE '' END AS page_url"""


def web_events(shop: Shop, rng: np.random.Generator, orders: Orders, counted: Counted) -> Columns:
    """The events of sessions that led to an order and of idle sessions (sessions without an order), sorted by time.
    Orders in the store have no session.
    """
    bought = np.flatnonzero(orders.channel != STORE)
    idle = rng.poisson(len(bought) * IDLE_SESSIONS)
    visitor = np.concatenate([orders.customer[bought], weighted(rng, shop.interest, idle)])
    known = np.concatenate([~orders.guest[bought], rng.random(len(visitor) - len(bought)) < 0.6])
    sessions = len(visitor)
    viewed = np.concatenate([orders.size[bought], rng.poisson(1.6, sessions - len(bought))])
    pages = rng.poisson(0.9, sessions) + (viewed == 0)
    # The kinds of events, in the order of a session: pages, products viewed, products put into the cart, checkout,
    # purchase.
    buying = np.arange(sessions) < len(bought)
    carted = np.where(buying, viewed, rng.binomial(viewed, 0.15))
    counts = np.stack([pages, viewed, carted, buying.astype(int), buying.astype(int)], axis=1)
    total = counts.sum(axis=1)
    session = np.repeat(np.arange(sessions), total)
    kind = np.repeat(np.tile(np.arange(len(EVENTS)), sessions), counts.ravel())
    start = np.concatenate([orders.placed[bought], _idle_starts(rng, sessions - len(bought), orders, counted)])
    lasting = 20 + rng.integers(0, 70, len(session))
    elapsed = np.cumsum(lasting)
    begun = np.concatenate([[0], np.cumsum(total)])[:-1]
    into = elapsed - (elapsed - lasting)[begun][session] if len(session) else elapsed
    # The purchase happens at the time of the order. The other events come before it, but not before midnight.
    last = np.concatenate([[0], np.cumsum(total)])[1:] - 1
    occurred = np.where(buying[session], start[session] - (into[last][session] - into), start[session] + into)
    occurred = occurred.clip(counted.midnight, counted.midnight + 86_399)
    product = _products_of_events(shop, rng, orders, bought=bought, counts=counts, kind=kind, session=session)
    order = np.argsort(occurred, kind="stable")
    columns: Columns = {
        "event_id": counted.digits * 10**10 + counted.events + 1 + np.arange(len(session)),
        "event_date": counted.dates(len(session)),
        "session": counted.digits * 10**9 + counted.sessions + 1 + session[order],
        "customer": np.where(known, visitor + 1, 0)[session[order]],
        "event_type": choice(EVENTS, kind[order]),
        "page": choice(PAGES, kind[order]),
        "product": product[order],
        "occurred": occurred[order],
        "device": choice(DEVICES, _devices(rng, orders, bought, sessions)[session[order]]),
        "source": choice(REFERRERS, weighted(rng, REFERRER_SHARE, sessions)[session[order]]),
    }
    counted.events += len(session)
    counted.sessions += sessions
    return columns


def _idle_starts(rng: np.random.Generator, count: int, orders: Orders, counted: Counted) -> Ints:
    """The start of each idle session: at most 15 minutes before or after an order of the slice."""
    span = orders.placed if len(orders.placed) else np.array([counted.midnight])
    near: Ints = span[rng.integers(0, len(span), count)] + rng.integers(-900, 900, count)
    return near


def _devices(rng: np.random.Generator, orders: Orders, bought: Ints, sessions: int) -> Ints:
    device = weighted(rng, np.array([0.42, 0.5, 0.08]), sessions)
    device[: len(bought)] = np.where(orders.channel[bought] == MOBILE, 1, np.where(device[: len(bought)] == 1, 0, 2))
    return device


def _products_of_events(
    shop: Shop, rng: np.random.Generator, orders: Orders, *, bought: Ints, counts: Ints, kind: Ints, session: Ints
) -> Ints:
    """The product of each view and cart event, as its number from 1. Other events have 0. Customers who buy view the
    products that they buy.
    """
    product = np.zeros(len(kind), dtype=np.int64)
    about = (kind == 1) | (kind == 2)
    by_chance = about & (session >= len(bought))
    product[by_chance] = weighted(rng, np.mean(shop.appeal, axis=0), int(by_chance.sum())) + 1
    starts = np.cumsum(orders.size) - orders.size
    for which in (1, 2):
        mine = np.flatnonzero((kind == which) & (session < len(bought)))
        size = counts[: len(bought), which]
        within = np.arange(len(mine)) - np.repeat(np.cumsum(size) - size, size)
        product[mine] = orders.product[np.repeat(starts[bought], size) + within] + 1
    return product
