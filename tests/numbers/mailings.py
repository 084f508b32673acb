"""A random history of the marketing data mart: changes and deletions of everything that a campaign is made of."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tests.numbers.histories import Delivery, Source

CHANNELS = ["email", "sms", "post", "push"]
# Days around the ends of the windows that are counted back from the clock of the build (early June), and some days in
# the future.
AGES = [1, 5, 20, 36, 60, 95, 120, 200, 360, 380, -400]
NOW = datetime(2026, 6, 1)  # noqa: DTZ001 – the files give UTC without an offset
# The clock of the builds in tests/mutation, and the ends of the windows that are counted back from it.
EXACTLY = [datetime(2026, 6, 2, 3) - timedelta(days=days) for days in (0, 0, 30, 90, 365)]  # noqa: DTZ001 – as above
CUSTOMERS = [f"M{number:08d}" for number in range(1, 13)]
# Rows that are identified only by their content.
UNCONTACTED = ["M00000013", "M00000014"]
# The third cell has no control group, the fourth only a few contacts, and in the fifth everybody is in the control
# group.
CAMPAIGNS = [f"CMP{number:06d}" for number in (1, 2, 3, 4, 5)]
OFFERS = [f"OFR{number:06d}" for number in (1, 2)]
CELLS = [f"{campaign}-0{number}" for campaign in CAMPAIGNS for number in (1, 2, 3)]


def is_held_out(cell: str) -> bool:
    return cell.startswith(CAMPAIGNS[4]) or (cell.endswith("3") and not cell.startswith(CAMPAIGNS[2]))


def is_made(number: int) -> bool:
    """Whether there is a contact of this number."""
    return not CELLS[number % len(CELLS)].startswith(CAMPAIGNS[3]) or number < 30


class Mailings(Source):
    """A first extract with nearly everything, then changes. There are many contacts, so that lifts are significant."""

    def files(self, day: date) -> list[Delivery]:
        self.is_first = day == self.days[0]
        return [
            self.changes("mart_customers", day, [self.customer(name) for name in CUSTOMERS + UNCONTACTED]),
            self.changes("mart_contact_points", day, [self.address(name) for name in CUSTOMERS for _ in range(2)]),
            self.changes("mart_consents", day, [self.consent(name) for name in CUSTOMERS for _ in range(3)]),
            self.changes("mart_campaigns", day, [self.campaign(name) for name in CAMPAIGNS]),
            self.changes("mart_cells", day, [self.cell(name) for name in CELLS]),
            self.changes("mart_offers", day, [self.offer(name) for name in OFFERS]),
            self.changes("mart_contacts", day, [self.contact(number) for number in range(180) if is_made(number)]),
            self.changes("mart_responses", day, [self.response(number) for number in range(80)]),
        ]

    def changes(self, feed: str, day: date, rows: list[dict[str, Any]]) -> Delivery:
        share = 0.9 if self.is_first else 0.2
        # If two rows have the same key, the later one is sent.
        keys: tuple[str, ...] = ("customer_id", "contact_point_type", "contact_point_number", "channel")
        if feed not in ("mart_contact_points", "mart_consents"):
            keys = (next(iter(rows[0])),)
        chosen = {tuple(row.get(key) for key in keys): row for row in self.some(rows, share)}
        removed = 0.0 if self.is_first else 0.15
        return Delivery(
            feed,
            day,
            tuple(
                {
                    **row,
                    "op": "I" if self.is_first else "D" if self.chance.random() < removed else "U",
                    "updated_at": f"{day} 01:00:00",
                }
                for row in chosen.values()
            ),
        )

    def ago(self) -> str:
        if self.chance.random() < 0.15:
            return f"{self.chance.choice(EXACTLY):%Y-%m-%d %H:%M:%S}"
        moment = NOW - timedelta(days=self.chance.choice(AGES), minutes=self.chance.randrange(600))
        return f"{moment:%Y-%m-%d %H:%M:%S}"

    def customer(self, name: str) -> dict[str, Any]:
        pick = self.chance.choice
        return {
            "customer_id": name,
            "first_name": pick(["Ada", "Ben"]),
            "last_name": pick(["Ek", "Ny"]),
            "email": pick([f"{name}@Example.com", None]),
            "birth_date": pick(["1980-02-03", None]),
            "gender": pick(["F", "M", None]),
            "street": pick(["High Street 1", None]),
            "city": pick(["Austin", None]),
            "state": pick(["TX", "OR"]),
            "postal_code": pick(["01234", None]),
            "country": "US",
            "customer_status": pick(["active", "dormant"]),
            "value_band": pick(["low", "high"]),
            "lifetime_value": pick(["12.50", "0", None]),
            "created_date": pick(["2024-02-29", "2026-01-01"]),
        }

    def address(self, name: str) -> dict[str, Any]:
        pick = self.chance.choice
        return {
            "customer_id": name,
            "contact_point_type": pick(CHANNELS),
            "contact_point_number": pick([1, 2]),
            "contact_point_value": "somewhere",
            "is_preferred": pick(["true", "false"]),
            "is_valid": pick(["true", "true", "false"]),
        }

    def consent(self, name: str) -> dict[str, Any]:
        pick = self.chance.choice
        return {
            "customer_id": name,
            "channel": pick(CHANNELS),
            "consent_status": pick(["opted_in", "opted_in", "opted_out"]),
            "consented_at": "2026-01-01 00:00:00",
        }

    def campaign(self, name: str) -> dict[str, Any]:
        pick = self.chance.choice
        return {
            "campaign_id": name,
            "campaign_name": pick(["Spring", "Summer"]),
            "campaign_type": pick(["retention", "win_back"]),
            "campaign_status": pick(["planned", "active"]),
            "start_date": "2026-01-01",
            "end_date": pick(["2026-05-01", "2026-06-30"]),
            "budget_amount": pick(["1000", "2500.50"]),
            "currency": pick(["USD", "EUR"]),
        }

    def cell(self, name: str) -> dict[str, Any]:
        pick = self.chance.choice
        is_control = is_held_out(name)
        return {
            "cell_id": name,
            "campaign_id": name[:9],
            "cell_name": pick(["North", "South"]),
            "is_control": str(is_control).lower(),
            "channel": pick(CHANNELS),
            "offer_id": None if is_control else pick(OFFERS),
            "planned_size": pick([10, 20, None]),
        }

    def offer(self, name: str) -> dict[str, Any]:
        return {
            "offer_id": name,
            "offer_name": "Something off",
            "offer_type": self.chance.choice(["discount", "gift"]),
            "valid_from": "2025-01-01",
            "valid_to": "2026-12-31",
        }

    def contact(self, number: int) -> dict[str, Any]:
        pick = self.chance.choice
        cell = CELLS[number % len(CELLS)]
        is_control = is_held_out(cell)
        return {
            "treatment_id": f"T{number}",
            "customer_id": CUSTOMERS[number * 7 % len(CUSTOMERS)],
            "campaign_id": cell[:9],
            "cell_id": cell,
            "offer_id": None if is_control else pick([*OFFERS, None]),
            "channel": pick(CHANNELS),
            "contact_status": "control" if is_control else pick(["sent", "delivered", "bounced"]),
            "contacted_at": self.ago(),
            "contact_cost": "0" if is_control else pick(["0.5", "0.0125"]),
        }

    def response(self, number: int) -> dict[str, Any]:
        pick = self.chance.choice
        # Some contacts have two responses, each with its own value.
        treatment = number % 60 * 11 % 200
        kind = pick(["open", "click", "conversion", "conversion", "unsubscribe"])
        return {
            "response_id": f"R{number}",
            "treatment_id": f"T{treatment}",
            "customer_id": CUSTOMERS[treatment * 7 % len(CUSTOMERS)] if treatment < 180 else UNCONTACTED[treatment % 2],
            "campaign_id": CELLS[treatment % len(CELLS)][:9],
            "offer_id": pick([*OFFERS, None]),
            "channel": pick(CHANNELS),
            "response_type": kind,
            "responded_at": self.ago(),
            "response_value": pick(["10", "99.90"]) if kind == "conversion" else None,
        }
