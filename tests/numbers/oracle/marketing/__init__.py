"""Customers and campaigns as marketing sees them, from the eight extracts of the data mart."""

from __future__ import annotations

from tests.numbers.oracle.archive import Archive
from tests.numbers.oracle.compare import Table
from tests.numbers.oracle.marketing import campaigns, customers
from tests.numbers.oracle.marketing.mart import Mart, Response, entries


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
        "campaign_360": campaigns.campaigns(mart),
        "campaign_performance": campaigns.performance(mart),
        "customer_360": customers.customers(mart),
    }
