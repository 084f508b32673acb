"""The web shop's five daily files: full extracts of customers and products; the day's orders, items and web events.

An order is generated once, and its items and the web session that led to it follow from it: every reference holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from ops_project.simulator import people
from ops_project.simulator.ecommerce_shop import CATEGORIES, COMPANIONS, TIERS, Shop, of_segment
from ops_project.simulator.outbox import Columns, Outbox
from ops_project.simulator.people import choice
from ops_project.simulator.timing import arrival, demand, seconds_of_day
from ops_project.simulator.world import Ints, World, days_since_epoch, weighted

DOMAIN = "ecommerce"
FEEDS = ("customers", "products", "orders", "order_items", "web_events")

BRANDS = ("Alder", "Birchwood", "Cobalt", "Driftline", "Ember", "Fjord", "Granite", "Harbour", "Iris", "Juniper")
NOUNS = (
    "Headphones", "Speaker", "Keyboard", "Lamp", "Kettle", "Blanket", "Jacket", "Sneaker", "Scarf", "Serum", "Balm",
    "Soap", "Bottle", "Mat", "Tent", "Puzzle", "Robot", "Kite", "Novel", "Atlas", "Guide", "Coffee", "Honey", "Pasta",
)  # fmt: skip
CHANNELS = ("web", "mobile", "store")
CHANNEL_SHARE = np.array([0.55, 0.32, 0.13])
PAYMENTS = ("card", "paypal", "gift_card", "bank_transfer")
PAYMENT_SHARE = np.array([0.68, 0.21, 0.05, 0.06])
STATUSES = ("paid", "shipped", "cancelled", "returned")
DEVICES = ("desktop", "mobile", "tablet")
REFERRERS = ("direct", "search", "email", "social", "affiliate")
REFERRER_SHARE = np.array([0.30, 0.34, 0.14, 0.15, 0.07])
EVENTS = ("page_view", "product_view", "add_to_cart", "checkout", "purchase")
PAGES = ("/", "/product", "/cart", "/checkout", "/thanks")
GUEST_SHARE, CANCELLED_SHARE, COUPON_SHARE = 0.03, 0.025, 0.08
COMPANION_SHARE = 0.45
FREE_SHIPPING_CENTS, SHIPPING_CENTS = 5_000, 495
COUPON, TAX = 0.05, 0.07
# Sessions that lead to no order, for each one that does; chosen so that there are about four events to an order item.
IDLE_SESSIONS = 1.35
# A day is made in slices of time of at most this many orders, to bound the memory: 100,000 orders take about 350 MB.
ORDERS_PER_SLICE = 100_000
# Feeds whose files come with a control file that says how many records they have.
CONTROLLED = ("orders", "order_items")

CUSTOMER_SQL = f"""
    'C' || lpad(key::VARCHAR, 7, '0') AS customer_id, first_name, last_name, {people.EMAIL_SQL} AS email,
    {people.PHONE_SQL} AS phone, 'US' AS country, city, DATE '1970-01-01' + signed_up AS signup_date,
    marketing_consent, loyalty_tier, make_timestamp(changed * 86400000000) AS updated_at"""
PRODUCT_SQL = """
    'P' || lpad(key::VARCHAR, 6, '0') AS product_id, brand || ' ' || noun || ' ' || key AS product_name, category,
    lower(noun) AS subcategory, brand, (price_cents / 100)::DECIMAL(12, 2) AS list_price,
    (cost_cents / 100)::DECIMAL(12, 2) AS unit_cost, is_active, make_timestamp(changed * 86400000000) AS updated_at"""
ORDER_SQL = """
    'O' || order_key AS order_id, CASE WHEN customer > 0 THEN 'C' || lpad(customer::VARCHAR, 7, '0') END AS customer_id,
    order_date, make_timestamp(placed * 1000000) AS ordered_at, status, channel, 'US' AS country, 'USD' AS currency,
    payment_method, (coupon / 100)::DECIMAL(12, 2) AS discount_amount,
    (shipping / 100)::DECIMAL(12, 2) AS shipping_amount, (tax / 100)::DECIMAL(12, 2) AS tax_amount,
    make_timestamp(least(placed + 900, midnight + 86399) * 1000000) AS updated_at"""
ITEM_SQL = """
    'O' || order_key AS order_id, line_number, order_date, 'P' || lpad(product::VARCHAR, 6, '0') AS product_id,
    quantity, (price / 100)::DECIMAL(12, 2) AS unit_price, (discount / 100)::DECIMAL(12, 2) AS discount_amount"""
EVENT_SQL = """
    event_id, event_date, make_timestamp(occurred * 1000000) AS occurred_at, 'S' || session AS session_id,
    CASE WHEN customer > 0 THEN 'C' || lpad(customer::VARCHAR, 7, '0') END AS customer_id,
    CASE WHEN product > 0 THEN 'P' || lpad(product::VARCHAR, 6, '0') END AS product_id, event_type, device, source,
    page || CASE WHEN product > 0 THEN '/' || product ELSE '' END AS page_url"""


def deliver(world: World, zone: ZoneInfo, day: date, outbox: Outbox, *, first: bool) -> None:  # noqa: ARG001
    """Stage the files of business date `day`. The shop sends no initial load: `first` changes nothing."""
    shop = Shop(world, day)
    files = {feed: (feed, f"{feed}_{day}.csv", day, arrival(world, zone, DOMAIN, feed, day)) for feed in FEEDS}
    if outbox.wants("customers"):
        outbox.write(*files["customers"], _customers(shop), CUSTOMER_SQL)
    if outbox.wants("products"):
        outbox.write(*files["products"], _products(shop), PRODUCT_SQL)
    expected = float(shop.interest.sum()) * demand(world, DOMAIN, day)
    slices = max(1, int(np.ceil(expected / ORDERS_PER_SLICE)))
    counted = _Counted(day)
    for number in range(slices):
        rng = world.rng(DOMAIN, "orders", day, number)
        orders = _orders(shop, rng, rng.poisson(expected / slices), counted, number, slices)
        outbox.write(*files["orders"], orders.columns(), ORDER_SQL)
        outbox.write(*files["order_items"], orders.items(), ITEM_SQL)
        if outbox.wants("web_events"):
            outbox.write(*files["web_events"], _events(shop, rng, orders, counted), EVENT_SQL)
        counted.orders += len(orders.customer)
    for feed in CONTROLLED:
        outbox.control(files[feed][1])


@dataclass
class _Counted:
    """How many keys of the day are used up: ids are the date and a running number."""

    day: date
    orders: int = 0
    events: int = 0
    sessions: int = 0

    @property
    def midnight(self) -> int:
        return days_since_epoch(self.day) * 86_400

    @property
    def digits(self) -> int:
        return int(f"{self.day:%Y%m%d}")

    def dates(self, rows: int) -> np.ndarray:
        """The business date, once for each row."""
        return np.full(rows, np.datetime64(self.day))


def _customers(shop: Shop) -> Columns:
    keys = shop.customers
    return {
        "key": keys + 1,
        **people.names(shop.people, keys),
        **people.addresses(shop.people, keys, shop.moves[0]),
        "loyalty_tier": choice(TIERS, shop.tier),
        "marketing_consent": shop.people.unit("opt_in", keys) < 0.62,
        "signed_up": shop.signed_up.astype(np.int32),
        "changed": np.maximum(shop.retierings[1], shop.moves[1]),
    }


def _products(shop: Shop) -> Columns:
    keys = shop.products
    nouns = shop.category * (len(NOUNS) // len(CATEGORIES)) + shop.goods.pick(
        "noun", keys, len(NOUNS) // len(CATEGORIES)
    )
    withdrawn = np.where(shop.on_sale, 0, shop.withdrawn)
    return {
        "key": keys + 1,
        "brand": choice(BRANDS, shop.goods.pick("brand", keys, len(BRANDS))),
        "noun": choice(NOUNS, nouns),
        "category": choice(CATEGORIES, shop.category),
        "price_cents": shop.price_cents,
        "cost_cents": shop.cost_cents,
        "is_active": shop.on_sale,
        "changed": np.maximum(shop.repricings[1], withdrawn),
    }


@dataclass(frozen=True)
class _Orders:
    """One slice of a day's orders, and their items in the order of the orders."""

    counted: _Counted
    first_id: int
    customer: Ints
    guest: np.ndarray
    placed: Ints
    status: Ints
    channel: Ints
    payment: Ints
    coupon: np.ndarray
    size: Ints
    product: Ints
    quantity: Ints
    price: Ints
    discount: Ints

    @property
    def of_item(self) -> Ints:
        """The order's position, for each item."""
        return np.repeat(np.arange(len(self.size)), self.size)

    def columns(self) -> Columns:
        worth = self.quantity * self.price - self.discount
        subtotal = np.bincount(self.of_item, weights=worth, minlength=len(self.size)).astype(np.int64)
        coupon = np.round(subtotal * COUPON * self.coupon).astype(np.int64)
        shipping = np.where(subtotal - coupon >= FREE_SHIPPING_CENTS, 0, SHIPPING_CENTS) * (self.channel != 2)
        return {
            "order_key": self.first_id + np.arange(len(self.size)),
            "order_date": self.counted.dates(len(self.size)),
            "customer": np.where(self.guest, 0, self.customer + 1),
            "placed": self.placed,
            "midnight": np.full(len(self.size), self.counted.midnight),
            "status": choice(STATUSES, self.status),
            "channel": choice(CHANNELS, self.channel),
            "payment_method": choice(PAYMENTS, self.payment),
            "coupon": coupon,
            "shipping": shipping,
            "tax": np.round((subtotal - coupon) * TAX).astype(np.int64),
        }

    def items(self) -> Columns:
        first = np.cumsum(self.size) - self.size
        return {
            "order_key": self.first_id + self.of_item,
            "line_number": np.arange(len(self.product)) - first[self.of_item] + 1,
            "order_date": self.counted.dates(len(self.product)),
            "product": self.product + 1,
            "quantity": self.quantity,
            "price": self.price,
            "discount": self.discount,
        }


def _orders(shop: Shop, rng: np.random.Generator, count: int, counted: _Counted, number: int, slices: int) -> _Orders:
    customer = weighted(rng, shop.interest, count)
    count = len(customer)
    segment = shop.segment[customer]
    size = 1 + rng.poisson(of_segment("extra_items", segment))
    of_item = np.repeat(np.arange(count), size)
    product = _baskets(shop, rng, segment[of_item], size)
    quantity = 1 + rng.poisson(0.25, len(product))
    price = shop.price_cents[product]
    share = np.where(rng.random(len(product)) < 0.3, 2.0 * of_segment("discount", segment[of_item]), 0.0)
    chance = rng.random(count)
    returned = CANCELLED_SHARE + of_segment("returns", segment)
    return _Orders(
        counted=counted,
        first_id=counted.digits * 10**8 + counted.orders + 1,
        customer=customer,
        guest=rng.random(count) < GUEST_SHARE,
        placed=counted.midnight + _slice_of_day(seconds_of_day(rng, count), number, slices),
        status=np.select([chance < CANCELLED_SHARE, chance < returned, chance < 0.6], [2, 3, 1], 0),
        channel=weighted(rng, CHANNEL_SHARE, count),
        payment=weighted(rng, PAYMENT_SHARE, count),
        coupon=rng.random(count) < COUPON_SHARE,
        size=size,
        product=product,
        quantity=quantity,
        price=price,
        discount=np.round(quantity * price * share).astype(np.int64),
    )


def _slice_of_day(seconds: Ints, number: int, slices: int) -> Ints:
    """A slice holds its own part of the day, so that the file stays in the order of time."""
    return (seconds + number * 86_400) // slices


def _baskets(shop: Shop, rng: np.random.Generator, segment: Ints, size: Ints) -> Ints:
    """A product for each item: the first by taste, the others often one that goes with the first."""
    product = np.empty(len(segment), dtype=np.int64)
    for kind, weights in enumerate(shop.appeal):
        mine = np.flatnonzero(segment == kind)
        product[mine] = weighted(rng, weights, len(mine))
    first = np.repeat(product[np.cumsum(size) - size], size) if len(size) else product
    together = shop.companions[first, rng.integers(0, COMPANIONS, len(product))]
    follows = rng.random(len(product)) < COMPANION_SHARE
    follows[np.cumsum(size) - size] = False
    return np.where(follows & shop.on_sale[together], together, product)


def _events(shop: Shop, rng: np.random.Generator, orders: _Orders, counted: _Counted) -> Columns:
    """Sessions that led to the orders of web and mobile, and idle ones; sorted by time."""
    bought = np.flatnonzero(orders.channel != 2)
    idle = rng.poisson(len(bought) * IDLE_SESSIONS)
    visitor = np.concatenate([orders.customer[bought], weighted(rng, shop.interest, idle)])
    known = np.concatenate([~orders.guest[bought], rng.random(len(visitor) - len(bought)) < 0.6])
    sessions = len(visitor)
    viewed = np.concatenate([orders.size[bought], rng.poisson(1.6, sessions - len(bought))])
    pages = rng.poisson(0.9, sessions) + (viewed == 0)
    # Kinds of event in a session's order: pages, products viewed, products put into the cart, checkout, purchase.
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
    # The purchase is the order's own moment: a buying session is laid before it, clipped at midnight.
    last = np.concatenate([[0], np.cumsum(total)])[1:] - 1
    occurred = np.where(buying[session], start[session] - (into[last][session] - into), start[session] + into)
    occurred = occurred.clip(counted.midnight, counted.midnight + 86_399)
    product = _products_of_events(shop, rng, orders, bought, counts, kind, session)
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


def _idle_starts(rng: np.random.Generator, count: int, orders: _Orders, counted: _Counted) -> Ints:
    """Idle sessions start within the slice's own span of time."""
    span = orders.placed if len(orders.placed) else np.array([counted.midnight])
    near: Ints = span[rng.integers(0, len(span), count)] + rng.integers(-900, 900, count)
    return near


def _devices(rng: np.random.Generator, orders: _Orders, bought: Ints, sessions: int) -> Ints:
    device = weighted(rng, np.array([0.42, 0.5, 0.08]), sessions)
    device[: len(bought)] = np.where(orders.channel[bought] == 1, 1, np.where(device[: len(bought)] == 1, 0, 2))
    return device


def _products_of_events(
    shop: Shop, rng: np.random.Generator, orders: _Orders, bought: Ints, counts: Ints, kind: Ints, session: Ints
) -> Ints:
    """The product of each view and cart event (1-based key), 0 elsewhere; buyers see and take what they ordered."""
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
