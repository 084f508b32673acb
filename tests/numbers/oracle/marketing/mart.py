"""The present content of the data mart's extracts: contacts, the responses to them, and the counts of both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.numbers.oracle.archive import Archive, Row, newest
from tests.numbers.oracle.compare import ratio

Figures = dict[str, Any]


@dataclass(frozen=True)
class Response:
    row: Row
    contact: Row | None
    """The contact that it answers; None if no extract has it, or it was deleted."""

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
        """Whether the response belongs to a contact of the control group. If the contact is not known, the answer is
        False, because the contact may have been made.
        """
        return self.contact is not None and is_control(self.contact)


@dataclass(frozen=True)
class Mart:
    """The present content of the extracts: the newest row of each key, unless it is a deletion."""

    archive: Archive
    contacts: list[Row]
    """Made up to the clock of the build."""
    responses: list[Response]
    """Responses up to the clock of the build."""

    def entries(self, feed: str, *key: str) -> list[Row]:
        return entries(self.archive, feed, *key)

    def answers(self, contact: Row) -> list[Response]:
        return [response for response in self.responses if response.contact is contact]


def entries(archive: Archive, feed: str, *key: str) -> list[Row]:
    rows = newest(archive.rows(feed), lambda row: tuple(row.known(column) for column in key))
    return [row for row in rows.values() if row.known("op") != "D"]


def is_control(contact: Row) -> bool:
    return contact.known("contact_status") == "control"


def conversions(responses: Iterable[Response]) -> list[Response]:
    return [response for response in responses if response.kind == "conversion"]


def real(responses: Iterable[Response]) -> list[Response]:
    """The responses without unsubscriptions."""
    return [response for response in responses if response.kind != "unsubscribe"]


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
