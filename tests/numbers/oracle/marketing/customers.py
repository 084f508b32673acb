"""Customer 360: which channels may be used, what was sent and answered lately, and the scores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.numbers.oracle.archive import Row
from tests.numbers.oracle.compare import Table
from tests.numbers.oracle.marketing.mart import Figures, Mart, Response, conversions, is_control, outcomes, real

CHANNELS = ("email", "sms", "post", "push")
WINDOWS = (30, 90, 365)


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
    """Fifths of everybody who ever responded, by three measures. Equal values share the score of the lowest of them."""
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
    """The later of the last contact and the last response or unsubscription. If both have the same time, the response
    counts as the last touch.
    """
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
    """The channel with the most responses; among equals the one with the latest response, then the first by name."""
    by_channel: dict[str, list[Response]] = {}
    for response in responses:
        by_channel.setdefault(response.row.known("channel"), []).append(response)
    best = {channel: (len(mine), max(found.at for found in mine)) for channel, mine in by_channel.items()}
    return min((channel for channel in best if best[channel] == max(best.values())), default=None)
