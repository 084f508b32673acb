"""A note in the calendar of the rota is text, whatever is in it."""

from __future__ import annotations

import pytest

from ops_project.operations.oncall import ical
from tests.empty_home import NOW


@pytest.mark.parametrize("line_break", ["\r\n", "\r", "\n", "\x0b", "\x0c", "\x85", "\u2028"])
def test_a_line_break_in_a_text_begins_no_line_of_its_own(line_break: str) -> None:
    made = ical.calendar("platform", f"Rota{line_break}ATTENDEE:mailto:eve@example.com", [], {}, NOW)
    assert not any(line.startswith("ATTENDEE") for line in made.splitlines())
    assert "\\nATTENDEE" in made


def test_a_control_character_is_written_out() -> None:
    assert "\x1b" not in ical.calendar("platform", "Rota \x1b[2J", [], {}, NOW)
