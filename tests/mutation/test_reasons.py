"""The published page agrees with the reasons for which mutants are allowed to survive."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.mutation import __main__ as mutants
from tests.mutation.__main__ import PAGE
from tests.mutation.page import Run, page
from tests.mutation.reasons import REASONS, UNEXPLAINED

TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = re.split(r"^### ", TEXT, flags=re.MULTILINE)[1:]


def test_each_survivor_has_a_reason_that_is_kept_and_each_reason_is_that_of_a_survivor() -> None:
    shown = {section.splitlines()[0] for section in SECTIONS if "\n- " in section}
    known = {reason.text for reason in REASONS.known}
    assert shown - known - {UNEXPLAINED} == set(), "reasons.py does not know these any more: run make mutants"
    if "This is a sample" not in TEXT:
        assert known - shown == set(), "no mutant survives for these reasons any more: take them out of reasons.py"


def test_an_edit_is_not_excused_because_its_text_names_a_stage() -> None:
    """The pattern of a class has to say which edit it means: a dropped filter changes a table wherever it stands."""
    read = "EXISTS(SELECT 1 FROM stg_mart_offers AS stated WHERE stated.offer_id = learnt.offer_id)"
    for edit in (f"without WHERE NOT load_seq IN (1) OR {read}", f"NOT load_seq IN (1) OR {read}: or becomes and"):
        assert REASONS.of("int_offer_mapped", "hub_offer", edit) == UNEXPLAINED


def test_a_missing_part_of_a_key_of_the_vault_is_not_excused() -> None:
    """A unit test of stg_mart_responses notices it: a_stage_has_no_key_where_a_part_of_it_is_missing."""
    for column in ("customer_id", "campaign_id", "response_id", "channel"):
        assert REASONS.of("stg_mart_responses", "result", f"without NOT {column} IS NULL (case)") == UNEXPLAINED


def test_the_page_says_which_models_were_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says so even if one domain was judged on other models than the other domains, or before the page named
    the models.
    """
    assert re.search(r"^The models are those of commit \w{7}\.", TEXT, re.MULTILINE)
    assert re.match(r"[0-9a-f]{7}", mutants.version())
    monkeypatch.setattr(mutants, "PARTS", tmp_path)
    (tmp_path / "streaming.json").write_text(json.dumps({"models": "0123abc"}))
    (tmp_path / "investor.json").write_text("{}")
    versions = [mutants.models_of(name) for name in ("streaming", "investor")]
    assert "of commit 0123abc and one that nobody noted." in page([], Run(1.0, 1), (), versions)
