"""The properties that a reader of the vault relies on: deletions, corrections, references, ghost records, and keys that
do not collide.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.marketing.vault import FIRST, Extract, Warehouse

Make = Callable[[], Warehouse]
CUSTOMER = {
    "customer_id": "M1",
    "first_name": "Ann",
    "last_name": "Lee",
    "country": "us",
    "customer_status": "active",
    "value_band": "low",
    "created_date": FIRST,
    "op": "I",
}
CELL = {
    "cell_id": "L1",
    "campaign_id": "C1",
    "offer_id": "O1",
    "channel": "email",
    "cell_name": "m",
    "is_control": False,
    "op": "I",
}


def delivered(make: Make, feed: str, *states: dict[str, object]) -> Warehouse:
    one = make()
    for number, row in enumerate(states):
        one.deliver(Extract(feed, FIRST + timedelta(days=number), (row,)))
    one.build()
    return one


def test_an_unchanged_state_is_kept_in_the_satellite_and_is_one_state_in_the_history(warehouse: Make) -> None:
    one = delivered(warehouse, "mart_customers", CUSTOMER, CUSTOMER, {**CUSTOMER, "last_name": "Day"}, CUSTOMER)
    assert one.connection.execute("SELECT count(*) FROM silver.sat_customer_profile WHERE load_seq > 0").fetchone() == (
        4,
    )
    history = one.connection.execute(
        "SELECT last_name, effective_from::DATE, effective_to::DATE, is_current "
        "FROM silver.sat_customer_profile_history ORDER BY effective_from"
    ).fetchall()
    day = [FIRST + timedelta(days=number) for number in range(4)]
    assert history == [
        ("Lee", day[0], day[2], False),
        ("Day", day[2], day[3], False),
        ("Lee", day[3], None, True),
    ]


def test_a_deletion_is_recorded_and_leaves_the_interface(warehouse: Make) -> None:
    one = delivered(warehouse, "mart_customers", CUSTOMER, {**CUSTOMER, "op": "D"})
    states = one.connection.execute(
        "SELECT is_deleted FROM silver.sat_customer_profile_history ORDER BY effective_from"
    ).fetchall()
    assert states == [(False,), (True,)]
    assert one.content("hub_customer") != []
    assert one.content("uds_customer") == []
    assert one.content("interface_rejects") == []


def test_a_correction_of_a_date_replaces_what_the_first_delivery_said(warehouse: Make) -> None:
    one = warehouse()
    one.deliver(Extract("mart_customers", FIRST, (CUSTOMER, {**CUSTOMER, "customer_id": "M2"})))
    one.build()
    one.deliver(Extract("mart_customers", FIRST, ({**CUSTOMER, "last_name": "Roe"},)))
    one.build()
    found = one.connection.execute("SELECT customer_id, last_name FROM silver.uds_customer").fetchall()
    assert found == [("M1", "Roe")]
    assert one.connection.execute("SELECT count(*) FROM silver.sat_customer_profile WHERE load_seq > 0").fetchone() == (
        3,
    )


def test_a_cell_that_is_given_another_offer_ends_the_first(warehouse: Make) -> None:
    one = delivered(warehouse, "mart_cells", CELL, {**CELL, "offer_id": "O2"}, {**CELL, "offer_id": None})
    periods = one.connection.execute(
        "SELECT offer_id, effective_from::DATE, effective_to::DATE FROM silver.eff_sat_campaign_offer_history AS e "
        "LEFT JOIN silver.hub_offer AS o ON e.offer_hk = o.offer_hk ORDER BY effective_from"
    ).fetchall()
    day = [FIRST + timedelta(days=number) for number in range(3)]
    assert periods == [("O1", day[0], day[1]), ("O2", day[1], day[2]), (None, day[2], None)]
    assert one.connection.execute("SELECT count(*) FROM silver.link_campaign_offer").fetchone() == (3,)


def test_a_row_that_lacks_a_mandatory_field_is_kept_out_and_names_its_mapping(warehouse: Make) -> None:
    one = delivered(warehouse, "mart_customers", {**CUSTOMER, "last_name": None, "country": None})
    assert one.content("uds_customer") == []
    rejects = one.connection.execute(
        "SELECT entity, entity_key, mapping, reason FROM silver.interface_rejects ORDER BY mapping"
    ).fetchall()
    assert rejects == [
        ("uds_customer", "M1", "uds_customer.country_code", "mandatory_is_empty"),
        ("uds_customer", "M1", "uds_customer.last_name", "mandatory_is_empty"),
    ]


def test_a_customer_who_is_only_referred_to_is_a_reject(warehouse: Make) -> None:
    one = delivered(
        warehouse,
        "mart_consents",
        {"customer_id": "M7", "channel": "sms", "consent_status": "opted_in", "consented_at": FIRST, "op": "I"},
    )
    assert {row[1] for row in one.content("interface_rejects") if row[0] == "uds_customer"} == {"M7"}
    assert len(one.content("uds_consent")) == 1


def test_each_satellite_has_one_ghost_record(warehouse: Make) -> None:
    one = delivered(warehouse, "mart_customers", CUSTOMER)
    satellites = [model.name for model in one.models if model.kind == "incremental" and "sat_" in model.name]
    assert len(satellites) == 9
    for name in satellites:
        assert one.connection.execute(
            f"SELECT count(*) FROM silver.{name} WHERE record_source = 'ghost'"
        ).fetchone() == (1,), name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a|", "b"), ("a", "|b")),
        (("1:a", "b"), ("1", "a:b")),
        ((None, "a"), ("", "a")),
        ((None, "a"), ("a", None)),
        (("a", "b"), ("ab", "")),
        (("^^", "a"), (None, "a")),
        (("é", "|"), ("é|", "")),
    ],
)
def test_different_rows_have_different_fingerprints(
    warehouse: Make, one: tuple[str | None, str | None], other: tuple[str | None, str | None]
) -> None:
    prints = []
    for first, last in (one, other):
        made = delivered(warehouse, "mart_customers", {**CUSTOMER, "first_name": first, "last_name": last})
        prints.append(
            made.connection.execute(
                "SELECT customer_profile_hashdiff FROM silver.sat_customer_profile WHERE load_seq > 0"
            ).fetchone()
        )
    assert prints[0] != prints[1]
