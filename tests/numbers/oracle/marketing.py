"""Customers and campaigns as marketing sees them, from the eight extracts of the data mart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from scipy import stats

from tests.dbt.macros import variable
from tests.numbers.oracle.archive import Archive, Row, newest
from tests.numbers.oracle.compare import Near, Table, ratio

Figures = dict[str, Any]
CHANNELS = ("email", "sms", "post", "push")
WINDOWS = (30, 90, 365)
# The error of the model's normal distribution, relative; see the macro normal_two_sided_p.
ERROR = 2e-6


@dataclass(frozen=True)
class Response:
    row: Row
    contact: Row | None
    """The contact that it answers; None where no extract has it, or where it was deleted."""

    @property
    def at(self) -> datetime:
        return self.row.moment("responded_at")

    @property
    def kind(self) -> str:
        return self.row.known("response_type")

    @property
    def value(self) -> Decimal:
        return Decimal(self.row.text("response_value") or 0)

    @property
    def is_control(self) -> bool:
        """Of somebody who was held out. Whose contact is not known may have been contacted."""
        return self.contact is not None and is_control(self.contact)


@dataclass(frozen=True)
class Mart:
    """What the extracts say now: the newest row of each key, where it is no deletion."""

    archive: Archive
    contacts: list[Row]
    """Made up to the clock of the build."""
    responses: list[Response]
    """The same."""

    def entries(self, feed: str, *key: str) -> list[Row]:
        return entries(self.archive, feed, *key)

    def answers(self, contact: Row) -> list[Response]:
        return [response for response in self.responses if response.contact is contact]


def entries(archive: Archive, feed: str, *key: str) -> list[Row]:
    rows = newest(archive.rows(feed), lambda row: tuple(row.known(column) for column in key))
    return [row for row in rows.values() if row.known("op") != "D"]


def is_control(contact: Row) -> bool:
    return contact.known("contact_status") == "control"


def tables(archive: Archive) -> dict[str, Table]:
    contacts = entries(archive, "mart_contacts", "treatment_id")
    by_id = {row.known("treatment_id"): row for row in contacts}
    responses = [
        Response(row, by_id.get(row.known("treatment_id")))
        for row in entries(archive, "mart_responses", "response_id")
        if row.moment("responded_at") <= archive.now
    ]
    mart = Mart(archive, [row for row in contacts if row.moment("contacted_at") <= archive.now], responses)
    return {
        "campaign_360": campaigns(mart),
        "campaign_performance": performance(mart),
        "customer_360": customers(mart),
    }


@dataclass(frozen=True)
class Group:
    """Customers, and those of them with a conversion."""

    size: int
    won: int

    @property
    def rate(self) -> float | None:
        return self.won / self.size if self.size else None


def group(mart: Mart, contacts: list[Row]) -> Group:
    members = {row.known("customer_id") for row in contacts}
    won = {row.known("customer_id") for row in contacts if conversions(mart.answers(row))}
    return Group(len(members), len(won))


def conversions(responses: Iterable[Response]) -> list[Response]:
    return [response for response in responses if response.kind == "conversion"]


def real(responses: Iterable[Response]) -> list[Response]:
    """Without unsubscriptions."""
    return [response for response in responses if response.kind != "unsubscribe"]


def wilson(of: Group) -> tuple[float, float]:
    """The 95 % score interval of a rate: the two rates p at which (observed − p)² = z² p (1 − p) / n."""
    z2, observed = stats.norm.ppf(0.975) ** 2, of.won / of.size
    # p² (1 + z²/n) − p (2 observed + z²/n) + observed² = 0
    a, b, c = 1 + z2 / of.size, -(2 * observed + z2 / of.size), observed**2
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def lift(contacted: Group, control: Group) -> tuple[float | None, float | None, float | None]:
    """The difference of the two rates with Newcombe's interval (1998, method 10)."""
    if not contacted.size or not control.size:
        return None, None, None
    mine, other = contacted.won / contacted.size, control.won / control.size
    (low, high), (other_low, other_high) = wilson(contacted), wilson(control)
    difference = mine - other
    return (
        difference,
        difference - math.sqrt((mine - low) ** 2 + (other_high - other) ** 2),
        difference + math.sqrt((high - mine) ** 2 + (other - other_low) ** 2),
    )


def p_value(contacted: Group, control: Group) -> float | None:
    """Two-sided, of the hypothesis that both rates are one."""
    if not contacted.size or not control.size:
        return None
    pooled = (contacted.won + control.won) / (contacted.size + control.size)
    error = math.sqrt(pooled * (1 - pooled) * (1 / contacted.size + 1 / control.size))
    if error == 0:
        return None
    return float(2 * stats.norm.sf(abs(contacted.won / contacted.size - control.won / control.size) / error))


def adjusted(p_values: Mapping[Any, float | None]) -> dict[Any, float | None]:
    """Benjamini and Hochberg: the least share of false discoveries at which a row is still called."""
    known = {key: p for key, p in p_values.items() if p is not None}
    corrected = {
        key: p * len(known) / sum(other <= p * (1 + 1e-9) for other in known.values()) for key, p in known.items()
    }
    return {
        key: None if p is None else min(corrected[other] for other in known if known[other] >= p * (1 - 1e-9))
        for key, p in p_values.items()
    }


def relative(rate: float | None, control_rate: float | None) -> float | None:
    return rate / control_rate - 1 if rate is not None and control_rate else None


def near(value: float | None, places: int | None = None) -> Near | None:
    if value is None:
        return None
    return Near(value, 10.0**-places / 2 + 1e-9 if places else ERROR * abs(value) + 1e-12)


def campaigns(mart: Mart) -> Table:
    rows: dict[tuple[Any, ...], Figures] = {}
    cells = mart.entries("mart_cells", "cell_id")
    p_values: dict[Any, float | None] = {}
    groups: dict[str, tuple[Group, Group]] = {}
    everywhere = {row.known("campaign_id") for row in mart.contacts}
    listed = mart.entries("mart_campaigns", "campaign_id")
    for name in everywhere | {row.known("campaign_id") for row in listed}:
        of_it = [row for row in mart.contacts if row.known("campaign_id") == name]
        made = [row for row in of_it if not is_control(row)]
        groups[name] = group(mart, made), group(mart, [row for row in of_it if is_control(row)])
        p_values[name] = p_value(*groups[name])
    q_values = adjusted(p_values)
    for row in listed:
        name = row.known("campaign_id")
        mine = [cell for cell in cells if cell.known("campaign_id") == name]
        targets = [cell for cell in mine if cell.known("is_control") != "true"]
        made = [c for c in mart.contacts if c.known("campaign_id") == name and not is_control(c)]
        said = [response for response in mart.responses if response.row.known("campaign_id") == name]
        counted = [response for response in said if not response.is_control]
        contacted, control = groups[name]
        difference, low, high = lift(contacted, control)
        cost = sum((c.number("contact_cost") for c in made), Decimal(0))
        q = q_values[name]
        moments = [c.moment("contacted_at") for c in made]
        rows[name,] = {
            "campaign_name": row.known("campaign_name"),
            "campaign_type": row.known("campaign_type"),
            "campaign_status": row.known("campaign_status"),
            "start_date": row.day("start_date"),
            "end_date": row.day("end_date"),
            "budget_amount": row.number("budget_amount"),
            "currency_code": row.known("currency"),
            "target_cells": len(targets),
            "control_cells": len(mine) - len(targets),
            "planned_audience": sum(int(cell.text("planned_size") or 0) for cell in targets),
            "audience": contacted.size,
            "control_audience": control.size,
            "delivered_contacts": sum(c.known("contact_status") == "delivered" for c in made),
            "bounced_contacts": sum(c.known("contact_status") == "bounced" for c in made),
            **outcomes(mart, made),
            "responses": len(real(counted)),
            "conversions": len(conversions(counted)),
            "unsubscribes": len(counted) - len(real(counted)),
            "unattributed_responses": sum(response.contact is None for response in said),
            "converted_customers": contacted.won,
            "control_converted_customers": control.won,
            "customer_conversion_rate": contacted.rate,
            "control_conversion_rate": control.rate,
            "lift": near(difference, 6),
            "lift_low": near(low, 6),
            "lift_high": near(high, 6),
            "relative_lift": relative(contacted.rate, control.rate),
            "lift_q_value": near(q),
            "is_lift_significant": None if q is None else q <= variable("lift_false_discovery_rate"),
            "contact_cost": cost,
            "cost_per_response": ratio(cost, len(real(counted))),
            "cost_per_conversion": ratio(cost, len(conversions(counted))),
            "response_value": sum((response.value for response in counted), Decimal(0)),
            "first_contact_at": min(moments, default=None),
            "last_contact_at": max(moments, default=None),
        }
        if not of_campaign(mart, name):
            # Nobody was contacted and nobody held out: there is no cost to divide.
            rows[name,].update({"cost_per_response": None, "cost_per_conversion": None})
    return Table(("campaign_id",), rows)


def of_campaign(mart: Mart, name: str) -> list[Row]:
    return [row for row in mart.contacts if row.known("campaign_id") == name]


def outcomes(mart: Mart, made: list[Row]) -> Figures:
    responded = sum(bool(real(mart.answers(row))) for row in made)
    converted = sum(bool(conversions(mart.answers(row))) for row in made)
    return {
        "contacts": len(made),
        "responded_contacts": responded,
        "converted_contacts": converted,
        "response_rate": ratio(responded, len(made)),
        "conversion_rate": ratio(converted, len(made)),
    }


def performance(mart: Mart) -> Table:
    made = [row for row in mart.contacts if not is_control(row)]
    listed = {row.known("campaign_id"): row for row in mart.entries("mart_campaigns", "campaign_id")}
    members: dict[tuple[str, str, str], list[Row]] = {}
    for row in made:
        for dimension, column in (("channel", "channel"), ("offer", "offer_id"), ("cell", "cell_id")):
            members.setdefault((row.known("campaign_id"), dimension, row.text(column) or "none"), []).append(row)
    controls = {
        name: group(mart, [row for row in of_campaign(mart, name) if is_control(row)]) for name, _, _ in members
    }
    groups = {key: group(mart, of_it) for key, of_it in members.items()}
    q_values: dict[Any, float | None] = {}
    for dimension in ("channel", "offer", "cell"):
        of_dimension = {key: p_value(groups[key], controls[key[0]]) for key in members if key[1] == dimension}
        q_values.update(adjusted(of_dimension))
    rows: dict[tuple[Any, ...], Figures] = {}
    for key, of_it in members.items():
        if key[0] not in listed:
            continue
        contacted, control = groups[key], controls[key[0]]
        difference, low, high = lift(contacted, control)
        answers = [response for row in of_it for response in mart.answers(row)]
        cost = sum((row.number("contact_cost") for row in of_it), Decimal(0))
        q = q_values[key]
        rows[key] = {
            "campaign_name": listed[key[0]].known("campaign_name"),
            "audience": contacted.size,
            **outcomes(mart, of_it),
            "responses": len(real(answers)),
            "conversions": len(conversions(answers)),
            "customer_conversion_rate": contacted.rate,
            "lift": near(difference),
            "lift_low": near(low),
            "lift_high": near(high),
            "control_basis": "campaign" if control.size else None,
            "control_audience": control.size,
            "control_conversion_rate": control.rate,
            "lift_q_value": near(q),
            "is_lift_significant": None if q is None else q <= variable("lift_false_discovery_rate"),
            "contact_cost": cost,
            "cost_per_response": ratio(cost, len(real(answers))),
            "response_value": sum((response.value for response in answers), Decimal(0)),
        }
    return Table(("campaign_id", "dimension", "member"), rows)


def customers(mart: Mart) -> Table:
    consents = mart.entries("mart_consents", "customer_id", "channel")
    points = mart.entries("mart_contact_points", "customer_id", "contact_point_type", "contact_point_number")
    responses = [response for response in mart.responses if not response.is_control]
    scores = fifths(mart, responses)
    rows: dict[tuple[Any, ...], Figures] = {}
    for row in mart.entries("mart_customers", "customer_id"):
        name = row.known("customer_id")
        contacts = [c for c in mart.contacts if c.known("customer_id") == name and not is_control(c)]
        mine = [response for response in responses if response.row.known("customer_id") == name]
        consent = {c.known("channel"): c.known("consent_status") for c in consents if c.known("customer_id") == name}
        valid = {
            point.known("contact_point_type")
            for point in points
            if point.known("customer_id") == name and point.known("is_valid") == "true"
        }
        reachable = {channel: consent.get(channel) == "opted_in" and channel in valid for channel in CHANNELS}
        answered = max((response.at for response in real(mine)), default=None)
        year = within(mart, mine, 365)
        rows[name,] = {
            **profile(mart, row),
            **{f"{channel}_consent": consent.get(channel, "unknown") for channel in CHANNELS},
            **{f"is_contactable_by_{channel}": reachable[channel] for channel in CHANNELS},
            "contactable_channels": sum(reachable.values()),
            "is_contactable": any(reachable.values()),
            **{name: figure for days in WINDOWS for name, figure in window(mart, contacts, mine, days).items()},
            "unsubscribes_365d": len(year) - len(real(year)),
            "recency_days": (mart.archive.now.date() - answered.date()).days if answered else None,
            "frequency_365d": len(real(year)),
            "value_365d": sum((response.value for response in year), Decimal(0)),
            **{score: scores[score].get(name, 0) for score in scores},
            "last_contact_at": max((c.moment("contacted_at") for c in contacts), default=None),
            "last_response_at": answered,
            **last_touch(contacts, mine),
            "preferred_channel": preferred(real(year)),
        }
    return Table(("customer_id",), rows)


def profile(mart: Mart, row: Row) -> Figures:
    """The columns that the mart gives of the customer."""
    email = row.text("email")
    return {
        **{
            name: row.text(name)
            for name in (
                "first_name",
                "last_name",
                "gender",
                "street",
                "city",
                "postal_code",
                "customer_status",
                "value_band",
            )
        },
        "email": email and email.lower(),
        "birth_date": row.day("birth_date") if row.text("birth_date") else None,
        "region_code": row.text("state"),
        "country_code": row.known("country"),
        "lifetime_value": Decimal(row.text("lifetime_value") or 0),
        "registered_on": row.day("created_date"),
        "tenure_days": (mart.archive.today - row.day("created_date")).days,
    }


def within(mart: Mart, responses: list[Response], days: int) -> list[Response]:
    return [response for response in responses if response.at > mart.archive.now - timedelta(days=days)]


def window(mart: Mart, contacts: list[Row], responses: list[Response], days: int) -> Figures:
    since = mart.archive.now - timedelta(days=days)
    figures = outcomes(mart, [row for row in contacts if row.moment("contacted_at") > since])
    lately = within(mart, responses, days)
    return {
        f"contacts_{days}d": figures["contacts"],
        f"responses_{days}d": len(real(lately)),
        f"conversions_{days}d": len(conversions(lately)),
        f"response_rate_{days}d": figures["response_rate"],
        f"conversion_rate_{days}d": figures["conversion_rate"],
    }


def fifths(mart: Mart, responses: list[Response]) -> dict[str, dict[str, int]]:
    """Of everybody who ever responded, by three measures; equal values share the score of the least of them."""
    of: dict[str, list[Response]] = {}
    for response in responses:
        of.setdefault(response.row.known("customer_id"), []).append(response)
    ever = {name: mine for name, mine in of.items() if real(mine)}
    measures: dict[str, Callable[[list[Response]], Any]] = {
        "recency_score": lambda mine: max(response.at for response in real(mine)),
        "frequency_score": lambda mine: len(real(within(mart, mine, 365))),
        "value_score": lambda mine: sum(response.value for response in within(mart, mine, 365)),
    }
    found: dict[str, dict[str, int]] = {}
    for score, measure in measures.items():
        values = {name: measure(mine) for name, mine in ever.items()}
        found[score] = {}
        for name, value in values.items():
            below = sum(other < value for other in values.values())
            found[score][name] = min(5, 1 + 5 * below // (len(values) - 1)) if len(values) > 1 else 1
    return found


def last_touch(contacts: list[Row], responses: list[Response]) -> Figures:
    """The later of the last contact and the last response or unsubscription; of both at once the response."""
    contact = max(contacts, key=lambda row: (row.moment("contacted_at"), row.known("treatment_id")), default=None)
    response = max(responses, key=lambda found: (found.at, found.row.known("response_id")), default=None)
    if response is not None and (contact is None or response.at >= contact.moment("contacted_at")):
        row, kind, at = response.row, response.kind, response.at
    elif contact is not None:
        row, kind, at = contact, "contact", contact.moment("contacted_at")
    else:
        return dict.fromkeys(("last_touch_at", "last_touch_type", "last_touch_channel", "last_touch_campaign_id"))
    return {
        "last_touch_at": at,
        "last_touch_type": kind,
        "last_touch_channel": row.known("channel"),
        "last_touch_campaign_id": row.known("campaign_id"),
    }


def preferred(responses: list[Response]) -> str | None:
    """The channel of the most responses, of equals the one of the latest, of equals the first by name."""
    by_channel: dict[str, list[Response]] = {}
    for response in responses:
        by_channel.setdefault(response.row.known("channel"), []).append(response)
    best = {channel: (len(mine), max(found.at for found in mine)) for channel, mine in by_channel.items()}
    return min((channel for channel in best if best[channel] == max(best.values())), default=None)
