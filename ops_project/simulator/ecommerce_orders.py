"""The orders of a day, or of a slice of it, with their items, as arrays. Other modules write them into files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from ops_project.simulator.ecommerce_rates import FOREIGN, HOME
from ops_project.simulator.outbox import Columns
from ops_project.simulator.people import choice
from ops_project.simulator.world import Ints, days_since_epoch

CHANNELS = ("web", "mobile", "store")
MOBILE, STORE = 1, 2
PAYMENTS = ("card", "paypal", "gift_card", "bank_transfer")
COUNTRIES = ("US", "IE")
STATUSES = ("paid", "shipped", "cancelled", "returned")
FREE_SHIPPING_CENTS, SHIPPING_CENTS = 5_000, 495
COUPON, TAX = 0.05, 0.07


@dataclass
class Counted:
    """The numbers of orders, events and sessions of the day that have an id already. An id consists of the date and a
    running number.
    """

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
        """The business date, repeated for each row."""
        return np.full(rows, np.datetime64(self.day))


@dataclass(frozen=True)
class Orders:
    """One slice of a day's orders and their items. The items are in the order of the orders."""

    counted: Counted
    first_id: int
    customer: Ints
    abroad: np.ndarray
    """True: the order is paid in the second currency, and its amounts are in that currency."""
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
        """For each item, the position of its order."""
        return np.repeat(np.arange(len(self.size)), self.size)

    def columns(self) -> Columns:
        worth = self.quantity * self.price - self.discount
        subtotal = np.bincount(self.of_item, weights=worth, minlength=len(self.size)).astype(np.int64)
        coupon = np.round(subtotal * COUPON * self.coupon).astype(np.int64)
        shipping = np.where(subtotal - coupon >= FREE_SHIPPING_CENTS, 0, SHIPPING_CENTS) * (self.channel != STORE)
        return {
            "order_key": self.first_id + np.arange(len(self.size)),
            "order_date": self.counted.dates(len(self.size)),
            "customer": np.where(self.guest, 0, self.customer + 1),
            "placed": self.placed,
            "midnight": np.full(len(self.size), self.counted.midnight),
            "status": choice(STATUSES, self.status),
            "channel": choice(CHANNELS, self.channel),
            "country": choice(COUNTRIES, self.abroad.astype(np.int64)),
            "currency": choice((HOME, FOREIGN), self.abroad.astype(np.int64)),
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
