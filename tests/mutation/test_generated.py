"""Mutants of generated models: what stands in their file, and what is the text of a macro that they share."""

from __future__ import annotations

from tests.mutation.generated import in_the_file, is_generated, macro_edit


def test_what_stands_in_a_generated_file_is_told_from_the_text_of_a_macro() -> None:
    words = {text for _, _, text in in_the_file("int_offer_mapped")}
    assert "LEFT JOIN sat_offer_details becomes INNER" in words
    assert not any("stated" in text for text in words), "standing_keys is a macro"
    assert in_the_file("hub_offer") == set()
    assert is_generated("uds_offer") and not is_generated("campaign_360")


def test_the_same_edit_of_a_macro_is_recognized_in_two_models_and_no_other_is() -> None:
    def ranked(key: str, by: str) -> str:
        return f"ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY load_datetime, record_source): order of {by} is turned"

    offer = macro_edit("hub_offer", "window", "ranked", ranked("offer_id", "load_datetime"))
    assert offer == macro_edit("hub_cell", "window", "ranked", ranked("cell_id", "load_datetime"))
    assert offer != macro_edit("hub_cell", "window", "ranked", ranked("cell_id", "record_source"))
    assert offer != macro_edit("link_contact", "window", "ranked", ranked("offer_id", "load_datetime"))
    assert macro_edit("campaign_360", "window", "ranked", ranked("offer_id", "load_datetime")) is None
