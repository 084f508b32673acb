"""Writes a few lines to the terminal or to the daemon's log. They go to standard error, and no program parses them."""

from __future__ import annotations

import sys
from typing import TextIO

from ops_project.model.alerting.receiver import ConsoleChannel
from ops_project.operations.alerting.rendering.lines import state_of
from ops_project.operations.ledger.outbox import Message
from ops_project.settings import Settings
from ops_project.visible import visible_line


class ConsoleSender:
    """Writes to `stream`; by default to standard error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream

    def send(self, message: Message) -> str:
        stream = self.stream or sys.stderr
        payload = message.payload
        for alert in payload["alerts"]:
            owners = ", ".join(alert["owners"]) or "nobody"
            # The recipients are named only if they are not simply the owners. For example, an alert that pages a person
            # also goes to that person's team.
            others = [name for name in payload.get("to", ()) if name not in alert["owners"]]
            towards = f" → {', '.join(others)}" if others else ""
            word = "PAGE" if payload.get("page") and alert["status"] == "firing" else "ALERT"
            said = f"{word} #{alert['number']} {state_of(alert)}: {alert['summary']} [{owners}]{towards}"
            print(visible_line(said), file=stream)
        if not payload["alerts"]:
            print(visible_line(str(payload["subject"])), file=stream)
        stream.flush()
        return "written"


def missing(channel: ConsoleChannel, settings: Settings) -> list[str]:
    """Returns nothing, because standard error always exists."""
    return []


def sender(channel: ConsoleChannel, settings: Settings) -> ConsoleSender:
    """A sender that writes to standard error."""
    return ConsoleSender()
