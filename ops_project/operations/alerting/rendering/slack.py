"""A message as the blocks of Slack, within Slack's limits. Every text that came from outside is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ops_project.counted import counted
from ops_project.operations.alerting.rendering.lines import (
    actions,
    count,
    facts,
    in_full,
    in_lines,
    left_out,
    line,
    shown,
    state_of,
)

MARKS = {
    "critical": ":red_circle:",
    "high": ":large_orange_circle:",
    "medium": ":large_yellow_circle:",
    "low": ":large_blue_circle:",
    "resolved": ":large_green_circle:",
}
# Slack refuses a header of more than 150 characters, a section of more than 3,000 characters, and a message of more
# than 50 blocks. Each of the three alerts that are shown in full takes at most nine blocks. The text and the facts take
# twelve. So at least eight blocks are left for the alerts that get one line each.
HEADER = 150
SECTION = 2900
BLOCKS = 50
TEXT_SECTIONS, FACTS_SECTIONS, ALERT_SECTIONS = 8, 4, 4
ERROR_LENGTH = 900
# The length of the longest mark, together with the characters that make a title bold.
MARK = 40
UNSEEN = "\u200b"
_FORMATTING = re.compile(r":(?=[a-z0-9_+'-]+:)|(?<!\w)[*_~`](?=\S)")
ABOVE = {"First response", "Error", "It was", "Severity"}


def as_slack(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The message for Slack. `text` is shown in notifications, and `blocks` is the message itself."""
    payload = shown(payload)
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": _cut(str(payload["subject"]), HEADER), "emoji": False},
        }
    ]
    if payload.get("text"):
        blocks += _sections([escaped(one) for one in str(payload["text"]).splitlines()], TEXT_SECTIONS)
    if payload.get("facts"):
        blocks += _sections([f"*{escaped(str(n))}:* {_linked(str(v))}" for n, v in payload["facts"]], FACTS_SECTIONS)
    if links := actions(payload):
        blocks.append(_section("  |  ".join(f"<{url}|{label}>" for label, url in links)))
    if number := count(payload):
        blocks.append(_section(number))
    for alert in in_full(payload):
        blocks += _alert(alert, payload)
    packed = _packed([f"{MARKS[state_of(alert)]} {escaped(line(alert))}" for alert in in_lines(payload)])
    room = BLOCKS - len(blocks) - 1
    blocks += [_section("\n".join(some)) for some in packed[:room]]
    if rest := left_out(payload) + sum(map(len, packed[room:])):
        blocks.append(_section(f"and {rest} more: `{reserved(str(payload.get('ops', 'ops')))} alerts list`"))
    return {"text": escaped(str(payload["subject"])), "blocks": blocks}


def _alert(alert: Mapping[str, Any], payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = dict(facts(alert, payload))
    title = _cut(escaped(f"{state_of(alert).upper()} #{alert['number']} {alert['summary']}"), SECTION - MARK)
    head = [f"{MARKS[state_of(alert)]} *{title}*"]
    if response := told.get("First response"):
        head.append(f"*Do first:* {escaped(response)}")
    if error := told.get("Error") or told.get("It was"):
        # Three backticks inside the error would end the code block.
        told_error = reserved(_cut(error, ERROR_LENGTH)).replace("```", "` ` `")
        head.append(f"```{_cut(told_error, SECTION - 2 * len('```'))}```")
    rows = []
    for name, value in told.items():
        if name == "Run":
            rows.append(f"*Run:* <{value}|open run {alert['run_id'][:8]} in Dagster>")
        elif name == "Commands":
            rows.append(" ".join(f"`{part.strip()}`" for part in value.split(",")))
        elif name not in ABOVE:
            rows.append(f"*{name}:* {escaped(value)}")
    return [*_sections(head, ALERT_SECTIONS), *_sections(rows, ALERT_SECTIONS), {"type": "divider"}]


def _packed(lines: Iterable[str]) -> list[list[str]]:
    """The lines, divided into sections. A line that does not fit begins a new section. A line is cut only if it is
    longer than a whole section.
    """
    sections: list[list[str]] = []
    length = SECTION
    for one in lines:
        cut = _cut(one, SECTION)
        length += len(cut) + 1
        if length > SECTION:
            sections.append([])
            length = len(cut)
        sections[-1].append(cut)
    return sections


def _sections(lines: Iterable[str], most: int) -> list[dict[str, Any]]:
    """The sections, at most `most`. If there are more, the last one says how many lines are left out."""
    packed = _packed(lines)
    if len(packed) > most:
        packed = [*packed[: most - 1], [f"and {counted(sum(map(len, packed[most - 1 :])), 'more line')}"]]
    return [_section("\n".join(some)) for some in packed if any(some)]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _cut(text: str, length: int) -> str:
    # If an escaped character is cut in two, its first half would be shown as text. So it is removed.
    return text if len(text) <= length else re.sub(r"&[a-z]{0,3}$", "", text[: length - 1]) + "…"


def _linked(value: str) -> str:
    return f"<{value}>" if value.startswith(("http://", "https://")) else escaped(value)


def escaped(text: str) -> str:
    """The text, changed so that Slack shows it literally. Slack's three reserved characters are escaped. Other
    characters could begin an emoji, or bold, italic, struck-out or code text. Slack cannot escape these, so each is
    followed by a zero-width space.
    """
    return _FORMATTING.sub(lambda found: found[0] + UNSEEN, reserved(text))


def reserved(text: str) -> str:
    """The text for use inside code, where Slack interprets only its three reserved characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
