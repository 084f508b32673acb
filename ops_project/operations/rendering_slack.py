"""A message as Slack's blocks, within Slack's limits. Escapes everything that came from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops_project.operations.rendering import count, facts, in_full, in_lines, left_out, line, state_of

MARKS = {"critical": ":red_circle:", "high": ":large_orange_circle:", "medium": ":large_yellow_circle:",
         "low": ":large_blue_circle:", "resolved": ":large_green_circle:"}  # fmt: skip
# Slack refuses a header above 150 characters, a section above 3,000 and a message above 50 blocks. What is told in full
# is three blocks an alert, and the lines are twenty a block: 17 blocks at most.
HEADER = 150
SECTION = 2900
ERROR_LENGTH = 900
ABOVE = {"First response", "Error", "It was", "Severity"}
# Half a screen of lines each.
LINES = 20


def as_slack(payload: Mapping[str, Any]) -> dict[str, Any]:
    """`text` for notifications and `blocks` for the message."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(str(payload["subject"]), HEADER), "emoji": True}}
    ]
    if payload.get("text"):
        blocks.append(_section(escaped(str(payload["text"]))))
    if payload.get("facts"):
        blocks.append(_section("\n".join(f"*{escaped(str(n))}:* {_linked(str(v))}" for n, v in payload["facts"])))
    if number := count(payload):
        blocks.append(_section(number))
    for alert in in_full(payload):
        blocks += _alert(alert, payload)
    lines = in_lines(payload)
    for start in range(0, len(lines), LINES):
        some = lines[start : start + LINES]
        blocks.append(_section("\n".join(f"{MARKS[state_of(alert)]} {escaped(line(alert))}" for alert in some)))
    if rest := left_out(payload):
        blocks.append(_section(f"and {rest} more: `ops alerts list`"))
    return {"text": str(payload["subject"]), "blocks": blocks}


def _alert(alert: Mapping[str, Any], payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = dict(facts(alert, payload))
    head = f"{MARKS[state_of(alert)]} *{state_of(alert).upper()} #{alert['number']} {escaped(alert['summary'])}*"
    if response := told.get("First response"):
        head += f"\n*Do first:* {escaped(response)}"
    if error := told.get("Error") or told.get("It was"):
        # A fence within the error would end the block.
        head += f"\n```{escaped(_cut(error, ERROR_LENGTH)).replace('```', '` ` `')}```"
    rows = []
    for name, value in told.items():
        if name == "Run":
            rows.append(f"*Run:* <{value}|open run {alert['run_id'][:8]} in Dagster>")
        elif name == "Commands":
            rows.append(" ".join(f"`{part.strip()}`" for part in value.split(",")))
        elif name not in ABOVE:
            rows.append(f"*{name}:* {escaped(value)}")
    return [_section(head), _section("\n".join(rows)), {"type": "divider"}]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, SECTION)}}


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _linked(value: str) -> str:
    return f"<{value}>" if value.startswith(("http://", "https://")) else escaped(value)


def escaped(text: str) -> str:
    """Slack's three reserved characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
