"""Converts an alert into a row of its table, and a row into an alert."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ops_project.model.alerting.alert import Alert
from ops_project.operations.ledger.access import maybe_moment, maybe_seconds

_TIMES = ("starts_at", "fired_at", "resolved_at", "updated_at", "clears_at", "acknowledged_at")
_FIELDS = tuple(item.name for item in fields(Alert))


def alert_row(alert: Alert, active: bool) -> dict[str, Any]:
    body: dict[str, Any] = {name: getattr(alert, name) for name in _FIELDS}
    for name in _TIMES:
        body[name] = maybe_seconds(body[name])
    body["labels"] = dict(alert.labels)
    body["conditions"] = {str(index): sorted(held) for index, held in alert.conditions.items()}
    return {
        "number": alert.number,
        "key": alert.key,
        "rule": alert.rule,
        "status": alert.status,
        "severity": alert.severity,
        "domain": alert.labels.get("domain", ""),
        "asset": alert.asset,
        "active": active,
        "starts_at": body["starts_at"],
        "fired_at": body["fired_at"],
        "resolved_at": body["resolved_at"],
        "updated_at": body["updated_at"],
        "summary": alert.summary,
        "muted": alert.muted,
        "cause": alert.cause,
        "incident_id": None,
        "body": body,
    }


def alert_of(body: Mapping[str, Any]) -> Alert:
    values = dict(body)
    for name in _TIMES:
        values[name] = maybe_moment(values.get(name))
    values["owners"], values["assets"] = tuple(values["owners"]), tuple(values["assets"])
    values["conditions"] = {int(index): frozenset(held) for index, held in values["conditions"].items()}
    return Alert(**values)
