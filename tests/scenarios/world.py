"""A world with a clock that is moved by hand, for stories about alerts. It has the shipped configuration, the real
engine, and the story's asset graph. Every notification must be expected: a notification that the story did not ask for
fails the story, at the step where it appears.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ops_project import catalog
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.acknowledgement import Acknowledgement
from ops_project.model.alerting.matcher import Matcher
from ops_project.model.alerting.resolution import Resolution
from ops_project.model.alerting.rule import Rule
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.model.alerting.silence import Silence
from ops_project.model.duration import parse_duration
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.state import Event, Notification, State
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.ledger.lineage_document import subjects
from ops_project.settings import Settings

Graph = Mapping[str, Mapping[str, Any]]
"""Asset → the assets that it is made `from`, its owners, domain, tier and checks."""
NEW_YORK = ZoneInfo("America/New_York")
STEP = timedelta(seconds=5)
SECRETS = {
    "OPS_SMTP_HOST": "mail",
    "OPS_SLACK_TOKEN": "token",
    "OPS_PAGERDUTY_ROUTING_KEY": "key",
}


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def _facts(graph: Graph) -> list[AssetFacts]:
    return [
        AssetFacts(
            key,
            upstream=tuple(spec.get("from", ())),
            owners=tuple(spec.get("owners", ("team:ecommerce-data",))),
            domain=spec.get("domain", "ecommerce"),
            tier=spec.get("tier", "1"),
            layer=key.split("/")[0],
            checks=tuple(spec.get("checks", ())),
        )
        for key, spec in graph.items()
    ]


class World:
    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at: str = "2026-03-04 10:00", graph: Graph | None = None
    ) -> None:
        for name, value in SECRETS.items():
            monkeypatch.setenv(name, value)
        settings = Settings.load(home=tmp_path)
        self.catalog = catalog.load(settings)
        self.config = alert_config(settings, self.catalog, Lineage.of(_facts(graph or {})))
        self.state = State()
        self.now = new_york(at)
        self.inbox: list[Notification] = []
        self.pending: list[Signal] = []
        self.reasons: list[Event] = []
        self.count = 0

    # ---- events
    def signal(self, kind: str, state: str, **fields: Any) -> None:
        self.count += 1
        fields.setdefault("value", float(state == FIRING))
        if asset := fields.get("asset"):
            facts = self.config.lineage.get(asset)
            fields.setdefault("owners", facts.owners)
            fields.setdefault("domain", facts.domain)
        at = fields.pop("at", self.now)
        self.pending.append(
            Signal(kind=kind, state=state, event_at=at, observed_at=self.now, occurrence=str(self.count), **fields)
        )

    def fails(self, kind: str, **fields: Any) -> None:
        self.signal(kind, FIRING, **fields)

    def recovers(self, kind: str, **fields: Any) -> None:
        self.signal(kind, OK, **fields)

    def reads(self, kind: str, value: float | None, **fields: Any) -> None:
        if value is None:
            fields["labels"] = {**fields.get("labels", {}), "unknown": "true"}
        self.signal(kind, OK, value=value, **fields)

    def silence(self, *matchers: str, hours: float, owner: str = "engineer-a", reason: str = "known") -> None:
        number = len(self.state.silences) + 1
        self.state.silences[number] = Silence(
            number,
            tuple(map(Matcher.parse, matchers)),
            self.now,
            self.now + timedelta(hours=hours),
            owner,
            reason,
            self.now,
        )

    def resolve(self, number: int, why: str, by: str = "engineer-a") -> None:
        self.state.resolutions[number] = Resolution(number, by, why, self.now)

    def acknowledge(self, number: int, by: str = "engineer-a") -> None:
        self.state.acknowledgements[number] = Acknowledgement(number, by, "", self.now)

    # ---- another configuration
    def nobody_comes_back(self) -> None:
        """From now on new alerts are sent at once, as in a run without a daemon."""
        self.config = replace(self.config, flush_now=True)

    def regraph(self, graph: Graph) -> None:
        """Another asset graph. Assets that only the earlier graph has are removed."""
        before, after = self.config.lineage, Lineage.of(_facts(graph))
        removed = (self.config.removed | subjects(before)) - subjects(after)
        self.config = replace(self.config, lineage=after, removed=removed)

    def without_rule(self, name: str) -> None:
        self._rules({k: rule for k, rule in self.config.rules.items() if k != name})

    def with_shipped_rules(self) -> None:
        self._rules(self.catalog.rules.rules)

    def with_threshold(self, name: str, threshold: float) -> None:
        rule = self.config.rules[name]
        moved = tuple(c.model_copy(update={"threshold": threshold}) for c in rule.any)
        self._rules({**self.config.rules, name: rule.model_copy(update={"any": moved})})

    def with_by(self, name: str, labels: tuple[str, ...]) -> None:
        self._rules({**self.config.rules, name: self.config.rules[name].model_copy(update={"by": labels})})

    def _rules(self, rules: Mapping[str, Rule]) -> None:
        self.config = replace(self.config, rules=rules)

    # ---- the clock
    def cycle(self) -> None:
        decision = decide(self.state, self.pending, self.config, self.now)
        self.pending = []
        self.state = decision.state
        self.reasons += decision.events
        self.inbox += decision.notifications

    def advance(self, span: str, step: timedelta = STEP) -> None:
        until = self.now + parse_duration(span)
        self.cycle()
        while self.now < until:
            upcoming = self.now + step
            self.now = min(upcoming, until)
            self.cycle()

    def wait_until(self, at: str, step: timedelta = timedelta(minutes=1)) -> None:
        until = new_york(at)
        self.cycle()
        while self.now < until:
            self.now = min(self.now + step, until)
            self.cycle()

    def restart(self) -> None:
        """Only the content of the ledger survives; windows are read again from the signals."""
        self.state = replace(self.state.copy())

    # ---- messages
    def expect(self, *expected: str) -> None:
        """Exactly these notifications since the last look, `receiver kind > recipient: status summary`."""
        seen = Counter(self._lines())
        wanted = Counter(expected)
        unexpected, absent = seen - wanted, wanted - seen
        self.inbox = []
        assert not unexpected and not absent, f"\nunexpected: {sorted(unexpected)}\nabsent: {sorted(absent)}"

    def expect_to(self, prefix: str, *expected: str) -> list[Notification]:
        """Exactly these notifications through channels that begin with `prefix`; the others stay in the inbox."""
        chosen = [n for n in self.inbox if n.channel.startswith(prefix)]
        self.inbox = [n for n in self.inbox if n not in chosen]
        seen, wanted = Counter(self._lines(chosen)), Counter(expected)
        assert seen == wanted, f"\nunexpected: {sorted(seen - wanted)}\nabsent: {sorted(wanted - seen)}"
        return chosen

    def expect_silence(self) -> None:
        self.expect()

    def forget_others(self) -> None:
        self.inbox = []

    def _lines(self, notifications: Sequence[Notification] | None = None) -> list[str]:
        lines = []
        for n in self.inbox if notifications is None else notifications:
            channel = n.receiver + " " + n.channel.rpartition("-")[2]
            if n.kind != "alert":
                lines.append(f"{channel} > {n.recipient}: {n.payload['subject']}".replace("  ", " "))
            lines += [
                f"{channel} > {n.recipient}: {alert['status']} {alert['summary']}".replace(">  ", "> ")
                for alert in n.payload["alerts"]
            ]
        return lines

    def open(self) -> list[str]:
        return [a.summary for a in self.state.alerts.values() if a.status == "firing"]
