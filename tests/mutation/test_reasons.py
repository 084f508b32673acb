"""The published page agrees with the reasons for which mutants are let live."""

from __future__ import annotations

import re

from tests.mutation.__main__ import PAGE
from tests.mutation.reasons import REASONS, UNEXPLAINED

TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = re.split(r"^### ", TEXT, flags=re.MULTILINE)[1:]


def test_each_survivor_has_a_reason_that_is_kept_and_each_reason_is_that_of_a_survivor() -> None:
    shown = {section.splitlines()[0] for section in SECTIONS if "\n- " in section}
    known = {reason.text for reason in REASONS.known}
    assert shown - known - {UNEXPLAINED} == set(), "reasons.py does not know these any more: run make mutants"
    if "This is a sample" not in TEXT:
        assert known - shown == set(), "no mutant survives for these reasons any more: take them out of reasons.py"
