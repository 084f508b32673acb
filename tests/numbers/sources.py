"""Random files of each domain, as its sources would send them."""

from __future__ import annotations

from datetime import date, timedelta

from tests.numbers.histories import Delivery, Source
from tests.numbers.site import Row

# Some songs of a day share a genre, and some days have more than five genres.
GENRES = ["pop", "pop", "pop", "jazz", "folk", "rock", "soul", "funk"]
# Moments around a quarter, a half and a whole hour after each other, and at both ends of the day.
MOMENTS = ["00:00:00", "10:00:00", "10:01:00", "10:15:00", "10:31:00", "10:31:01", "11:00:00", "11:02:00", "23:59:30"]
# Streams that the contract refuses: one with a readable time, one with an unreadable time, and one whose time is too late.
REFUSED: list[Row] = [{"listen_seconds": -1}, {"listened_at": "soon"}, {"listened_at": "9999-12-30 10:00:00"}]


class Shop(Source):
    """Orders that are delivered again with another status, other lines and sometimes another date."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.orders: dict[str, date] = {}

    def files(self, day: date) -> list[Delivery]:
        pick = self.chance.choice
        known = self.some(list(self.orders), 0.3)
        new = [f"O{self.days.index(day)}{number}" for number in range(self.chance.randint(1, 4))]
        heads, lines = [], []
        for name in [*known, *new]:
            on = self.orders.get(name, day)
            if name in new and self.chance.random() < 0.1:
                on = day - timedelta(days=9)
            elif name in known and self.chance.random() < 0.3:
                on = pick(self.days)
            self.orders[name] = on
            changed = day if self.chance.random() < 0.85 else day - timedelta(days=3)
            heads.append(
                {
                    "order_id": name,
                    "customer_id": pick(["C1", "C2", "C3", None]),
                    "order_date": on,
                    "status": pick(["paid", "delivered", "cancelled", "returned"]),
                    "currency": pick(["USD", "USD", "JPY", "SEK"]),
                    "tax_amount": pick([None, "1.25"]),
                    "updated_at": f"{changed} 0{self.chance.randint(1, 9)}:00:00",
                }
            )
            if name in new or self.chance.random() < 0.6:
                lines += [
                    {
                        "order_id": name,
                        "line_number": line,
                        "order_date": on,
                        "product_id": pick(["P1", "P2"]),
                        "quantity": pick([-1, 1, 2, 3]),
                        "unit_price": pick(["0", "2.50", "9.99"]),
                        "discount_amount": pick([None, "0.50"]),
                    }
                    for line in range(1, self.chance.randint(2, 4))
                ]
        events = [
            {
                "event_id": self.chance.randint(1, 40),
                "event_date": self.chance.choice([day, day, day - timedelta(days=1)]),
                "occurred_at": f"{day} 10:00:00",
                "session_id": pick(["S1", "S2"]),
                "customer_id": pick(["C1", "C2", "C5", None]),
                "product_id": pick(["P1", "P2", "P4", None]),
                "event_type": pick(["product_view", "product_view", "add_to_cart", "page_view", "purchase"]),
            }
            for _ in range(8)
        ]
        return [
            Delivery("customers", day, tuple(self.customer(f"C{number}") for number in self.some([1, 2, 3, 4]))),
            Delivery("products", day, tuple(self.product(f"P{number}") for number in self.some([1, 2, 3]))),
            Delivery("orders", day, tuple(heads)),
            Delivery("order_items", day, tuple(lines)),
            Delivery("exchange_rates", day, tuple(self.rates(day))),
            Delivery("web_events", day, tuple({event["event_id"]: event for event in events}.values())),
        ]

    def customer(self, name: str) -> Row:
        pick = self.chance.choice
        return {
            "customer_id": name,
            "city": pick("AB"),
            "country": pick(["NO", "US", None]),
            "loyalty_tier": pick(["silver", "gold", None]),
            "signup_date": pick([self.days[0], "2025-02-28", None]),
        }

    def product(self, name: str) -> Row:
        pick = self.chance.choice
        return {
            "product_id": name,
            "product_name": pick(["Lamp", None]),
            "category": pick(["home", "garden", None]),
            "list_price": pick([5, 6]),
            "unit_cost": pick([2, None]),
        }

    def rates(self, day: date) -> list[Row]:
        """Rates of some currencies. Some rates are of an earlier day, so that a currency can be without a rate for
        several days.
        """
        return [
            {
                "currency": currency,
                "rate_date": on,
                "rate": self.chance.choice(["0.0064", "0.0065", "0.00661234"]),
                "published_at": f"{self.chance.choice([day, on])} 1{self.chance.randint(0, 9)}:00:00",
            }
            for currency, on in [("JPY", day), ("SEK", day - timedelta(days=self.chance.choice([0, 3, 8])))]
            if self.chance.random() < 0.4
        ]


class Policies(Source):
    """Numbered changes, of which some are lost and come with a later file."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.number = 0
        self.lost: list[Row] = []

    def files(self, day: date) -> list[Delivery]:
        pick = self.chance.choice
        rows: list[Row] = []
        for _ in range(self.chance.randint(1, 5)):
            self.number += 1
            status = pick(["active", "active", "cancelled"])
            row = {
                "cdc_seq": self.number,
                "op": pick(["U", "U", "D"]),
                "policy_id": f"POL{self.chance.randint(1, 5):08}",
                "product": pick(["motor", "home"]),
                "region": pick(["north", "south"]),
                "premium": pick([10, 20, 35]),
                "policy_status": status,
                "effective_date": pick([self.days[0], day, day + timedelta(days=2)]),
                "cancelled_date": day if status == "cancelled" else None,
            }
            (self.lost if self.chance.random() < 0.2 else rows).append(row)
        if self.lost and self.chance.random() < 0.5:
            rows.append(self.lost.pop(0))
        return [Delivery("policies", day, tuple(rows))]


class Investor(Source):
    """Sales that are refunded, move to another day, and come late; spend, product use and two experiments."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sales: dict[int, date] = {}

    def files(self, day: date) -> list[Delivery]:
        pick = self.chance.choice
        new = [self.days.index(day) * 10 + number for number in range(1, self.chance.randint(2, 5))]
        sales = []
        for number in [*self.some(list(self.sales)[-20:], 0.2), *new]:
            on = self.sales.get(number, day if self.chance.random() < 0.8 else day - timedelta(days=1))
            if number not in new and self.chance.random() < 0.3:
                on = pick(self.days)
            self.sales[number] = on
            sales.append(
                {
                    "transaction_id": number,
                    "unit_id": f"U{number % 7}",
                    "occurred_at": f"{on} {pick(['00:00:00', '10:00:00', '23:59:59'])}",
                    "quantity": pick([1, 2]),
                    "unit_revenue": pick([0, 10, 20]),
                    "unit_cost": pick([3, 4]),
                    "status": pick(["settled", "settled", "refunded"]),
                    "updated_at": f"{day if self.chance.random() < 0.85 else self.days[0]} 11:00:00",
                }
            )
        events = {
            number: {
                "event_id": number,
                "unit_id": f"U{number % 4}",
                "session_id": f"S{number % 3}",
                "occurred_at": f"{pick([day, day, day - timedelta(days=1)])} 09:00:00",
                "duration_seconds": pick([None, 0, 30, 31]),
            }
            for number in (self.chance.randint(1, 30) for _ in range(6))
        }
        return [
            Delivery("transactions", day, tuple(sales)),
            Delivery(
                "marketing_spend",
                day,
                tuple(
                    {
                        "spend_date": pick([day, day - timedelta(days=1)]),
                        "channel": channel,
                        "spend_amount": pick([1, 2]),
                    }
                    for channel in self.some(["search", "social"], 0.8)
                ),
            ),
            Delivery("experiment_assignments", day, tuple(self.assignments(day))),
            Delivery("product_events", day, tuple(events.values())),
        ]

    def assignments(self, day: date) -> list[Row]:
        """The second experiment ends early. Some units are in both arms of one experiment, and some are in both
        experiments.
        """
        number = self.days.index(day)
        running = {"E": {"control": "0.5", "treatment": "0.5"}, "F": {"control": "0.2", "treatment": "0.8"}}
        if 2 * number > len(self.days):
            del running["F"]
        found: list[Row] = []
        for experiment, shares in running.items():
            for unit in self.some([f"U{number}" for number in range(7)], 0.8):
                arms = list(shares) if self.chance.random() < 0.1 else [self.chance.choice(list(shares))]
                found += [
                    {
                        "experiment_id": experiment,
                        "unit_id": unit,
                        "arm": arm,
                        "expected_share": shares[arm],
                        "assigned_at": f"{self.chance.choice(self.days[: number // 2 + 1])} 10:00:00",
                    }
                    for arm in arms
                ]
        return found


class Listening(Source):
    """Streams in two files a day, some of them refused; songs and users that come late, change and vanish."""

    def files(self, day: date) -> list[Delivery]:
        pick = self.chance.choice
        files = [
            Delivery(
                "songs",
                day,
                tuple(
                    {"song_id": f"S{n}", "genre": pick(GENRES), "title": pick("XY"), "artist": pick("PQ")}
                    for n in self.some(list(range(1, 10)))
                ),
            ),
            Delivery(
                "users",
                day,
                tuple({"user_id": f"U{n}", "plan": pick(["free", "premium"])} for n in self.some([1, 2, 3])),
            ),
        ]
        for part in ("0000", "1200"):
            rows = {
                number: {
                    "stream_id": number,
                    "user_id": f"U{self.chance.randint(1, 4)}",
                    "song_id": f"S{self.chance.randint(1, 10)}",
                    "listened_at": f"{pick([day, day, day - timedelta(days=1)])} {pick(MOMENTS)}",
                    "listen_seconds": pick([0, 59, 60, 61, 600]),
                }
                for number in (self.chance.randint(1, 150) for _ in range(20))
            }
            for number in self.some(list(rows), 0.1):
                rows[number].update(self.chance.choice(REFUSED))
            files.append(Delivery("streams", day, tuple(rows.values()), part))
        return files
