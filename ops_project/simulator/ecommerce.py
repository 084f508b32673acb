"""The web shop's six daily files: full extracts of customers and products, and files of orders, items, web events and
exchange rates.

An order is generated first. Its items and the web session that led to it are computed from the order, so every
reference is valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from ops_project.simulator import ecommerce_rates, people
from ops_project.simulator.ecommerce_orders import Counted, Orders
from ops_project.simulator.ecommerce_shop import CATEGORIES, COMPANIONS, TIERS, Shop, of_segment
from ops_project.simulator.ecommerce_web import EVENT_SQL, web_events
from ops_project.simulator.outbox import Columns, Outbox
from ops_project.simulator.people import choice
from ops_project.simulator.timing import arrival, demand, seconds_of_day
from ops_project.simulator.world import Ints, World, weighted

DOMAIN = "ecommerce"
FEEDS = ("customers", "products", "orders", "order_items", "exchange_rates", "web_events")

BRANDS = ("Alder", "Birchwood", "Cobalt", "Driftline", "Ember", "Fjord", "Granite", "Harbour", "Iris", "Juniper")
NOUNS = (
    "Headphones",
    "Speaker",
    "Keyboard",
    "Lamp",
    "Kettle",
    "Blanket",
    "Jacket",
    "Sneaker",
    "Scarf",
    "Serum",
    "Balm",
    "Soap",
    "Bottle",
    "Mat",
    "Tent",
    "Puzzle",
    "Robot",
    "Kite",
    "Novel",
    "Atlas",
    "Guide",
    "Coffee",
    "Honey",
    "Pasta",
)
CHANNEL_SHARE = np.array([0.55, 0.32, 0.13])
PAYMENT_SHARE = np.array([0.68, 0.21, 0.05, 0.06])
GUEST_SHARE, CANCELLED_SHARE, COUPON_SHARE = 0.03, 0.025, 0.08
COMPANION_SHARE = 0.45
# A day is made in slices of at most this many orders, to limit the memory. 100,000 orders take about 350 MB.
ORDERS_PER_SLICE = 100_000
# Each file of these feeds has a control file with the number of its records.
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
    order_date, make_timestamp(placed * 1000000) AS ordered_at, status, channel, country, currency,
    payment_method, (coupon / 100)::DECIMAL(12, 2) AS discount_amount,
    (shipping / 100)::DECIMAL(12, 2) AS shipping_amount, (tax / 100)::DECIMAL(12, 2) AS tax_amount,
    make_timestamp(least(placed + 900, midnight + 86399) * 1000000) AS updated_at"""
ITEM_SQL = """
    'O' || order_key AS order_id, line_number, order_date, 'P' || lpad(product::VARCHAR, 6, '0') AS product_id,
    quantity, (price / 100)::DECIMAL(12, 2) AS unit_price, (discount / 100)::DECIMAL(12, 2) AS discount_amount"""


def file_name(feed: str, day: date) -> str:
    """The name of the feed's file of a day."""
    return f"{feed}_{day}.csv"


def deliver(world: World, zone: ZoneInfo, day: date, outbox: Outbox, *, first: bool) -> None:  # noqa: ARG001
    """Stage the files of business date `day`. `first` changes nothing, because the shop sends no initial load."""
    shop = Shop(world, day)

    def stage(feed: str, columns: Columns | Sequence[Columns], select: str) -> None:
        arrives = arrival(world, zone, DOMAIN, feed, day)
        outbox.write(feed, file_name(feed, day), day, arrives_at=arrives, columns=columns, select=select)

    if outbox.wants("customers"):
        stage("customers", _customers(shop), CUSTOMER_SQL)
    if outbox.wants("products"):
        stage("products", _products(shop), PRODUCT_SQL)
    if outbox.wants("exchange_rates"):
        stage("exchange_rates", ecommerce_rates.rates(world, day), ecommerce_rates.RATE_SQL)
    expected = float(shop.interest.sum()) * demand(world, DOMAIN, day)
    slices = max(1, int(np.ceil(expected / ORDERS_PER_SLICE)))
    counted = Counted(day)
    for number in range(slices):
        rng = world.rng(DOMAIN, "orders", day, number)
        orders = _orders(shop, rng, rng.poisson(expected / slices), counted=counted, number=number, slices=slices)
        stage("orders", orders.columns(), ORDER_SQL)
        stage("order_items", orders.items(), ITEM_SQL)
        if outbox.wants("web_events"):
            stage("web_events", web_events(shop, rng, orders, counted), EVENT_SQL)
        counted.orders += len(orders.customer)
    for feed in CONTROLLED:
        outbox.control(file_name(feed, day))


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


def _orders(shop: Shop, rng: np.random.Generator, count: int, *, counted: Counted, number: int, slices: int) -> Orders:
    customer = weighted(rng, shop.interest, count)
    count = len(customer)
    segment = shop.segment[customer]
    size = 1 + rng.poisson(of_segment("extra_items", segment))
    of_item = np.repeat(np.arange(count), size)
    product = _baskets(shop, rng, segment[of_item], size)
    quantity = 1 + rng.poisson(0.25, len(product))
    abroad = ecommerce_rates.pays_abroad(shop.people, customer)
    price = shop.price_cents[product]
    price = np.where(abroad[of_item], ecommerce_rates.foreign_price(price), price)
    share = np.where(rng.random(len(product)) < 0.3, 2.0 * of_segment("discount", segment[of_item]), 0.0)
    chance = rng.random(count)
    returned = CANCELLED_SHARE + of_segment("returns", segment)
    return Orders(
        counted=counted,
        first_id=counted.digits * 10**8 + counted.orders + 1,
        customer=customer,
        abroad=abroad,
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
    """The times of a slice, moved into its part of the day, so that the rows of the file stay in the order of time."""
    return (seconds + number * 86_400) // slices


def _baskets(shop: Shop, rng: np.random.Generator, segment: Ints, size: Ints) -> Ints:
    """A product for each item. The first item of an order depends on the customer's taste. The others are often
    products that are bought together with the first.
    """
    product = np.empty(len(segment), dtype=np.int64)
    for kind, weights in enumerate(shop.appeal):
        mine = np.flatnonzero(segment == kind)
        product[mine] = weighted(rng, weights, len(mine))
    first = np.repeat(product[np.cumsum(size) - size], size) if len(size) else product
    together = shop.companions[first, rng.integers(0, COMPANIONS, len(product))]
    follows = rng.random(len(product)) < COMPANION_SHARE
    follows[np.cumsum(size) - size] = False
    return np.where(follows & shop.on_sale[together], together, product)
