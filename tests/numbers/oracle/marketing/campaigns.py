"""Campaign 360, and how each channel, offer and cell of a campaign performed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.dbt.macros import variable
from tests.numbers.oracle.archive import Row
from tests.numbers.oracle.compare import Table, ratio
from tests.numbers.oracle.marketing.lift import Group, adjusted, group, lift, near, p_value, relative
from tests.numbers.oracle.marketing.mart import Figures, Mart, conversions, is_control, outcomes, real


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
            # Nobody was contacted and nobody was in the control group, so there is no cost to divide.
            rows[name,].update({"cost_per_response": None, "cost_per_conversion": None})
    return Table(("campaign_id",), rows)


def of_campaign(mart: Mart, name: str) -> list[Row]:
    return [row for row in mart.contacts if row.known("campaign_id") == name]


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
