"""One mistake in a row: the message names file, row, the thing, and what would be right."""

from __future__ import annotations

import pytest

from ops_project.model.document import ConfigError
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.vault_generator import references, tables
from tests.pipeline.vault_generator.conftest import FILES

# table, what stands there, what is written instead, words of the message
MISTAKES = [
    (
        "entities",
        "sat_customer_profile,satellite,hub_customer,",
        "sat_customer_profile,satellite,hub_client,",
        ["hub_client", "sat_customer_profile", "hub_customer"],
    ),
    ("entities", "uds_offer,interface,hub_offer,", "uds_offer,interface,link_contact,", ["link_contact", "hub_offer"]),
    ("entities", "hub_offer,hub,,", "offer,hub,,", ["'offer'", "hub_"]),
    (
        "attributes",
        "sat_offer_details,offer_type,payload,,mart_offers,offer_type,",
        "sat_offer_details,offer_type,payload,,mart_offers,offer_kind,",
        ["offer_kind", "mart_offers", "offer_type"],
    ),
    (
        "attributes",
        "sat_offer_details,offer_type,payload,,mart_offers,",
        "sat_offer_details,offer_type,payload,,mart_ofers,",
        ["mart_ofers", "mart_offers"],
    ),
    (
        "attributes",
        "link_contact,cell_id,reference,hub_cell,",
        "link_contact,cell_id,reference,hub_sell,",
        ["hub_sell", "hub_cell"],
    ),
    ("attributes", "sat_offer_details,offer_type,payload,", "sat_offers,offer_type,payload,", ["sat_offers"]),
    (
        "attributes",
        "sat_offer_details,offer_type,payload,",
        "sat_offer_details,offer_type,child_key,",
        ["child_key", "payload"],
    ),
    (
        "mappings",
        "uds_offer,offer_type,sat_offer_details,offer_type,",
        "uds_offer,offer_type,sat_offer_details,kind,",
        ["'kind'", "offer_type"],
    ),
    (
        "mappings",
        "uds_offer,offer_type,sat_offer_details,",
        "uds_offer,offer_type,sat_campaign_details,",
        ["sat_campaign_details", "hub_offer", "sat_offer_details"],
    ),
    (
        "mappings",
        "uds_offer,offer_type,sat_offer_details,",
        "uds_ofer,offer_type,sat_offer_details,",
        ["uds_ofer", "uds_offer"],
    ),
    (
        "mappings",
        "uds_offer,valid_to,sat_offer_details,valid_to,,date,",
        "uds_offer,valid_to,sat_offer_details,valid_to,,boolean,",
        ["uds_offer.valid_to", "date", "cannot be cast to boolean"],
    ),
    (
        "mappings",
        "uds_cell,is_control,sat_cell_details,is_control,,boolean,",
        "uds_cell,is_control,sat_cell_details,is_control,,timestamp,",
        ["is_control", "boolean", "timestamp"],
    ),
    (
        "mappings",
        "uds_offer,valid_to,sat_offer_details,valid_to,,date,",
        "uds_offer,valid_to,sat_offer_details,valid_to,,datum,",
        ["datum", "valid:", "date"],
    ),
    ("mappings", 'upper({source}),varchar,no,no,"Currency', 'upper(currency),varchar,no,no,"Currency', ["{source}"]),
]


@pytest.mark.parametrize(("table", "old", "new", "words"), MISTAKES)
def test_a_wrong_row_is_named(
    texts: dict[str, str], feeds: dict[str, Feed], table: str, old: str, new: str, words: list[str]
) -> None:
    assert texts[table].count(old) == 1
    broken = {**texts, table: texts[table].replace(old, new)}
    line = broken[table][: broken[table].index(new)].count("\n") + 1
    found = references.problems(tables.read("marketing", broken, FILES), feeds)
    named = [problem for problem in found if (problem.file, problem.line) == (FILES[table], line)]
    assert named, found
    assert all(word in " ".join(problem.message for problem in named) for word in words)


@pytest.mark.parametrize(
    ("table", "old", "new", "words"),
    [
        ("entities", "hub_offer,hub,,", "hub_offer,hup,,", ["kind", "hup", "hub"]),
        ("attributes", ",no,First name", ",maybe,First name", ["mandatory", "maybe", "yes, no"]),
        ("mappings", "interface,target_column", "interface,column", ["header", "target_column"]),
        ("entities", "hub_offer,hub,,", "hub_offer,hub,", ["3 fields", "4"]),
    ],
)
def test_a_row_that_cannot_be_read_is_named(
    texts: dict[str, str], table: str, old: str, new: str, words: list[str]
) -> None:
    broken = {**texts, table: texts[table].replace(old, new, 1)}
    line = texts[table][: texts[table].index(old)].count("\n") + 1
    with pytest.raises(ConfigError) as caught:
        tables.read("marketing", broken, FILES)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (FILES[table], line)
    assert all(word in problem.message for word in words)


def test_the_shipped_metadata_has_no_problem(texts: dict[str, str], feeds: dict[str, Feed]) -> None:
    assert references.problems(tables.read("marketing", texts, FILES), feeds) == []
