"""The rota as an iCalendar file (RFC 5545), which any calendar program can import or subscribe to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ops_project.operations.oncall.roster import Span
from ops_project.visible import visible

FOLD = 73  # Octets in a line, without the space that begins a continued line.


def calendar(name: str, title: str, found: Iterable[Span], names: dict[str, str], made_at: datetime) -> str:
    """The text of the file, with one event for each span. `names`: id of a person → the name to show."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ops-project//on call//EN", f"X-WR-CALNAME:{_escape(title)}"]
    for span in found:
        now = span.on_call
        primary, backup = names.get(now.primary, now.primary), names.get(now.backup, now.backup)
        both = " and " if now.both else ", backup "
        lines += [
            "BEGIN:VEVENT",
            # The same span always has the same id. So a second import replaces the event of the first one.
            f"UID:{name}-{_stamp(span.start)}@ops-project",
            f"DTSTAMP:{_stamp(made_at)}",
            f"DTSTART:{_stamp(span.start)}",
            f"DTEND:{_stamp(span.end)}",
            f"SUMMARY:{_escape(f'On call: {primary}{both}{backup}')}",
            f"DESCRIPTION:{_escape(f'{now.why.value}: {now.note}' if now.note else now.why.value)}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escape(text: str) -> str:
    """The text with its special characters escaped. Otherwise a line break in a note would begin a new line of the
    file. A single CR is replaced too, because some programs take it for a line break.
    """
    text = visible("\n".join(text.splitlines()))
    for raw, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(raw, escaped)
    return text


def _folded(line: str) -> list[str]:
    """The line, divided into lines of at most 75 octets. A character is never divided."""
    parts, current = [], ""
    for character in line:
        if len((current + character).encode()) > FOLD:
            parts.append(current)
            current = ""
        current += character
    parts.append(current)
    return [parts[0], *(f" {part}" for part in parts[1:])]
