"""Adds facts about the present moment to a message that is about to be sent: whom to ask, where the file lies, and how
old the data is.

These facts decide nothing and are not stored in the ledger. The commands in a message get the options that they need to
find this home. A message is never delayed: a fact that cannot be read is left out, and the message says so.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from ops_project.catalog import Catalog
from ops_project.counted import counted
from ops_project.model.owner import Person
from ops_project.operations.alerting.decide.message import LANDED, READ
from ops_project.operations.alerting.service_levels.standing import NEVER, delivered
from ops_project.operations.incidents.rota import paged_now
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.lineage_document import recall
from ops_project.operations.ledger.outbox import Message
from ops_project.process.time_limit import NotAnswered, within
from ops_project.settings import Settings

BUILD = "asset.failure"
"""An ok signal of this kind means that the table was built."""
TABLES = 4
FOLDER_SECONDS = 2.0
"""How long a message waits for the inbound folder, which may lie on another machine."""
_COMMAND = re.compile(r"`ops (?!--)")


class Circumstances:
    """The facts of one moment. Each fact is read only once, even if several messages need it."""

    def __init__(self, settings: Settings, catalog: Catalog, ledger: Ledger, now: datetime) -> None:
        self.settings, self.catalog, self.ledger, self.now = settings, catalog, ledger, now

    def told_in(self, message: Message) -> Message:
        """The message with the present facts about each of its alerts."""
        payload = message.payload
        if not payload.get("alerts"):
            return message
        alerts = [self.of_alert(alert) for alert in payload["alerts"]]
        return replace(message, payload={**payload, "alerts": alerts, "ops": self.command})

    def of_alert(self, alert: Mapping[str, Any]) -> dict[str, Any]:
        """The alert with `circumstances`, a list of (name, value), and with commands that find this home."""
        try:
            known = self._known(alert)
        except Exception as error:
            known = [("Not known now", f"{type(error).__name__}: {error}")]
        response = _COMMAND.sub(lambda _: f"`{self.command} ", str(alert["response"]))
        return {**alert, "response": response, "circumstances": known}

    @cached_property
    def command(self) -> str:
        """`ops` with the options that it needs to find this home and this configuration."""
        words = ["ops"]
        if self.settings.home != Settings.load(environ={}).home:
            words += ["--home", str(self.settings.home)]
        if self.settings.overlay is not None:
            words += ["--config", str(self.settings.overlay)]
        return shlex.join(words)

    def _known(self, alert: Mapping[str, Any]) -> list[tuple[str, str]]:
        if alert["status"] == "resolved":
            return []
        feed = self.catalog.feeds.get(_feed(alert))
        found = [
            ("Source contact", str(feed.contact) if feed is not None else ""),
            ("On call", self._on_call),
            ("File", self._file(alert)),
            ("Last good build", self._last_build(alert)),
            ("Old data", self._old_data(alert)),
            ("Domain's runbook", self._runbook(alert)),
        ]
        return [(name, value) for name, value in found if value]

    @cached_property
    def _on_call(self) -> str:
        people = (self.catalog.owners.resolve(who) for who in paged_now(self.catalog, self.ledger, self.now))
        return "; ".join(
            ", ".join(part for part in (person.name, person.phone, person.email) if part)
            for person in people
            if isinstance(person, Person)
        )

    def _file(self, alert: Mapping[str, Any]) -> str:
        labels = alert["labels"]
        if labels.get("archived"):
            return str(labels["archived"])
        if not labels.get("file"):
            return ""
        folder = self.settings.inbound / alert["domain"]
        waiting = folder / labels["file"]
        try:
            return str(waiting) if within(str(folder), waiting.is_file, FOLDER_SECONDS) else ""
        except NotAnswered as error:
            return f"unknown: {error}"

    @cached_property
    def _delivered(self) -> dict[str, datetime]:
        return {asset: at for asset, at in delivered(self.ledger, self.now).items() if at != NEVER}

    def _last_build(self, alert: Mapping[str, Any]) -> str:
        """The last good build of each of the alert's tables, in words.

        A build by the run in which the alert began does not count, because that run may have built the table before it
        failed. This run is looked up in the ledger: the alert itself only names the run of its newest failure.
        """
        since = datetime.fromisoformat(alert["since"])
        kind, about = alert["labels"].get("kind", ""), next(iter(alert["assets"]), "")
        run = self.ledger.run_of_failure(kind, about, since) or str(alert.get("run_id") or "")
        built = {asset: self.ledger.ok_before(BUILD, asset, since, run) for asset in alert["assets"][:TABLES]}
        return "; ".join(f"{asset}, {_moment(found[0])}" for asset, found in built.items() if found is not None)

    def _old_data(self, alert: Mapping[str, Any]) -> str:
        """The tables that consumers read and that have not been delivered since the alert began, the oldest first."""
        since = datetime.fromisoformat(alert["since"])
        read = [a for a in (*alert["assets"], *alert["blast_radius"]["assets"]) if a.partition("/")[0] in READ]
        old = sorted((self._delivered[a], a) for a in set(read) if self._delivered.get(a, since) < since)
        if not old:
            return ""
        more = f", and {counted(len(old) - TABLES, 'more table')}" if len(old) > TABLES else ""
        return "consumers read " + ", ".join(f"{asset} of {_moment(at)}" for at, asset in old[:TABLES]) + more

    def _runbook(self, alert: Mapping[str, Any]) -> str:
        facts = recall(self.ledger).get(next(iter(alert["assets"]), ""))
        domains = self.catalog.domains.domains
        slug = facts.runbook or (domains[alert["domain"]].runbook if alert["domain"] in domains else None)
        return f"{self.command} runbook show {slug}" if slug and slug != alert["runbook"] else ""


def _feed(alert: Mapping[str, Any]) -> str:
    schema, _, name = next(iter(alert["assets"]), "").partition("/")
    return str(alert["labels"].get("feed") or (name if schema == LANDED else ""))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
