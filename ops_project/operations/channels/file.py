"""The last resort, which needs no service: writes a line of JSON for each message, and a readable page for each alert,
into the home.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from ops_project.model.alerting.receiver import FileChannel
from ops_project.operations.alerting.rendering.lines import as_text, facts, state_of
from ops_project.operations.channels.protocol import DeliveryError
from ops_project.operations.ledger.outbox import Message
from ops_project.settings import Settings
from ops_project.visible import json_visible, visible

LINES = "alerts.jsonl"
# An underscore inside a word is not markup, so it is not escaped. Names of tables stay readable, and a search finds
# them.
_MARKUP = re.compile(r"[\\`*{}\[\]#|~]|(?<!\w)_|_(?!\w)")
# A process may have been killed just after it wrote a message. So before a message is written, it is searched for in
# this many bytes at the end of the file.
TAIL_BYTES = 1_000_000


class FileSender:
    """Writes into `folder`: alerts.jsonl, and a page alert-<number>.md for each alert."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: Message) -> str:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lines = self.folder / LINES
            if message.uncertain and self._written(lines, message.key):
                return "was written already"
            with lines.open("a", encoding="utf-8") as writer:
                writer.write(json_visible(json.dumps(_line(message), ensure_ascii=False)) + "\n")
                writer.flush()
                os.fsync(writer.fileno())
            for alert in message.payload["alerts"]:
                self._page(alert, message.payload)
        except OSError as error:
            raise DeliveryError(f"{self.folder}: {error}") from error
        return str(lines)

    @staticmethod
    def _written(lines: Path, key: str) -> bool:
        if not lines.exists():
            return False
        with lines.open("rb") as reader:
            reader.seek(max(0, lines.stat().st_size - TAIL_BYTES))
            return f'"key": "{key}"'.encode() in reader.read()

    def _page(self, alert: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        rows = "\n".join(f"| {name} | {_cell(value)} |" for name, value in facts(alert, payload))
        head = f"# #{alert['number']} {_cell(alert['summary'])}\n\n**{state_of(alert)}**, last told {payload['at']}"
        text = f"{head}\n\n| | |\n|---|---|\n{rows}\n"
        page = self.folder / f"alert-{alert['number']:06d}.md"
        partial = page.with_suffix(".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(page)


def _line(message: Message) -> dict[str, Any]:
    payload = message.payload
    return {
        "key": message.key,
        "at": payload["at"],
        "kind": message.kind,
        "status": payload["status"],
        "severity": payload["severity"],
        "receiver": message.receiver,
        "recipient": message.recipient,
        "subject": payload["subject"],
        "reason": payload.get("reason", ""),
        "alerts": payload["alerts"],
        "text": payload.get("text") or as_text(payload),
    }


def _cell(value: str) -> str:
    """The text for a cell of a Markdown table. Characters that Markdown or HTML would treat as markup are escaped."""
    return _MARKUP.sub(lambda found: f"\\{found[0]}", escape(visible(value), quote=False)).replace("\n", "<br>")


def missing(channel: FileChannel, settings: Settings) -> list[str]:
    """Returns nothing, because the home always exists."""
    return []


def sender(channel: FileChannel, settings: Settings) -> FileSender:
    """A sender that writes into the folder `alerts` of the home."""
    return FileSender(settings.home / "alerts")
