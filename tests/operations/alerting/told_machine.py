"""The engine on a graph of six tables, and beside it the true state: the newest signal of each series determines
whether it fires. Random failures, repairs, renames, restarts, acknowledgements, silences, resolutions by hand and
changes of rules go through it. Its invariants say that every failure that persists was sent to its owner or has a
stated reason, and that nothing else is sent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ops_project import catalog
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.acknowledgement import Acknowledgement
from ops_project.model.alerting.alert import FIRING as OPEN
from ops_project.model.alerting.matcher import Matcher
from ops_project.model.alerting.resolution import Resolution
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.model.alerting.silence import Silence
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.state import AlertConfig, State
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.ledger.lineage_document import subjects
from ops_project.settings import Settings
from tests.operations.alerting.remembered import assert_remembered_truly
from tests.operations.alerting.told_oracle import Heard

BEGIN = datetime(2026, 3, 3, 15, tzinfo=UTC)
OWNERS = {
    "bronze/a": "team:ecommerce-data",
    "bronze/b": "team:marketing-data",
    "silver/c": "team:ecommerce-data",
    "silver/d": "team:investor-metrics",
    "gold/e": "team:investor-metrics",
    "gold/f": "team:marketing-data",
}
UPSTREAM = {
    "silver/c": ("bronze/a",),
    "silver/d": ("bronze/b",),
    "gold/e": ("silver/c",),
    "gold/f": ("silver/c", "silver/d"),
}
RULES = {"check.failure": "check_failed", "asset.failure": "asset_failure", "check.crash": "check_crashed"}
CHAINS = (
    ("bronze/a", "silver/c", "gold/e"),
    ("bronze/b", "silver/d", "gold/f"),
    ("bronze/a", "silver/c", "gold/f"),
    ("silver/c", "silver/d", "gold/f"),
)
Series = tuple[str, str, str]
"""Kind, asset, check."""
Place = tuple[str, int, str]
"""Kind, number of a table in the chain, check."""
PLACES = st.tuples(st.sampled_from(sorted(RULES)), st.integers(0, 2), st.sampled_from(["x", "y"]))


def _graph(present: frozenset[str]) -> Lineage:
    return Lineage.of(
        AssetFacts(
            key,
            upstream=tuple(up for up in UPSTREAM.get(key, ()) if up in present),
            owners=(owner,),
            domain="ecommerce",
            tier="1",
            layer=key.split("/")[0],
        )
        for key, owner in OWNERS.items()
        if key in present
    )


_HOME = Settings.load(home="/nonexistent-home", environ={})
_SHIPPED: AlertConfig = replace(
    alert_config(_HOME, catalog.load(_HOME), _graph(frozenset(OWNERS))), unconfigured=frozenset()
)


class Engine(RuleBasedStateMachine):
    """The engine, and beside it the true state."""

    def __init__(self) -> None:
        super().__init__()
        self.config, self.state, self.now = _SHIPPED, State(), BEGIN
        self.decided_with = _SHIPPED
        self.pending: list[Signal] = []
        self.count = 0
        self.fails: dict[Series, datetime] = {}
        """The oracle: series → the time since which it fails, by its newest signal."""
        self.word: dict[Series, datetime] = {}
        self.closed: dict[Series, datetime] = {}
        self.off: set[str] = set()
        self.gone: set[str] = set()
        self.heard = Heard(OWNERS)
        self.chain: tuple[str, ...] = ()

    # ---- events
    def _say(self, series: Series, state: str, at: datetime) -> None:
        kind, asset, check = series
        self.count += 1
        self.pending.append(
            Signal(
                kind,
                state,
                at,
                self.now,
                str(self.count),
                float(state == FIRING),
                domain="ecommerce",
                asset=asset,
                check=check,
            )
        )
        if at < self.word.get(series, at):
            return
        self.word[series] = at
        if state == FIRING:
            self.fails[series] = at
        else:
            self.fails.pop(series, None)

    @initialize(chain=st.sampled_from(CHAINS))
    def a_history_is_about_some_tables(self, chain: tuple[str, ...]) -> None:
        """Only a few tables and checks are drawn, because otherwise two events would hardly ever be about the same
        series.
        """
        self.chain = chain

    def _of(self, place: tuple[str, int, str]) -> Series:
        kind, number, check = place
        return kind, self.chain[number % len(self.chain)], check if kind.startswith("check") else ""

    @rule(place=PLACES, ago=st.integers(0, 3))
    def breaks(self, place: Place, ago: int) -> None:
        series = self._of(place)
        if series[1] not in self.gone:
            self._say(series, FIRING, self.now - timedelta(seconds=ago))

    @rule(place=PLACES, ago=st.integers(0, 3))
    def is_repaired(self, place: Place, ago: int) -> None:
        series = self._of(place)
        if series[1] not in self.gone:
            self._say(series, OK, self.now - timedelta(seconds=ago))

    @rule(place=PLACES, ago=st.integers(60, 7200))
    def old_news_is_read_late(self, place: Place, ago: int) -> None:
        """A signal that is older than the known state of the series changes nothing."""
        series = self._of(place)
        if series in self.word and series[1] not in self.gone:
            self._say(series, FIRING, self.word[series] - timedelta(seconds=ago))

    @rule(name=st.sampled_from(sorted(RULES.values())))
    def a_rule_is_switched(self, name: str) -> None:
        self.off ^= {name}
        self._configure()

    @rule(number=st.integers(0, 2))
    def a_table_is_removed_or_comes_back(self, number: int) -> None:
        asset = self.chain[number % len(self.chain)]
        self.gone ^= {asset}
        self._configure()

    def _configure(self) -> None:
        after = _graph(frozenset(OWNERS) - self.gone)
        removed = (self.config.removed | subjects(self.config.lineage)) - subjects(after)
        rules = {k: r for k, r in _SHIPPED.rules.items() if k not in self.off}
        self.config = replace(self.config, rules=rules, lineage=after, removed=removed)

    @rule(name=st.integers(0, 2), minutes=st.sampled_from([2, 20, 60, 300]))
    def somebody_asks_for_silence(self, name: int, minutes: int) -> None:
        asset = self.chain[name % len(self.chain)]
        number = len(self.state.silences) + 1
        matchers = (Matcher.parse(f'asset="{asset}"'),)
        until = self.now + timedelta(minutes=minutes)
        silence = Silence(number, matchers, self.now, until, "engineer-a", "known", self.now)
        self.state.silences[number] = silence

    @rule(place=PLACES, minutes=st.sampled_from([20, 300]))
    def breaks_and_is_silenced_at_once(self, place: Place, minutes: int) -> None:
        """The alert is silenced before anybody was told."""
        self.breaks(place, 0)
        self._cycle()
        self.somebody_asks_for_silence(place[1], minutes)

    @rule(kind=st.sampled_from(sorted(RULES)), minutes=st.sampled_from([20, 300]))
    def breaks_and_is_silenced_and_takes_others_with_it(self, kind: str, minutes: int) -> None:
        """The symptoms come before anybody was told of their cause, and nobody is told for a while, because the cause
        is silenced.
        """
        self.breaks_and_is_silenced_at_once((kind, 0, "x"), minutes)
        for number in (1, 2):
            self.breaks((kind, number, "x"), 0)

    @precondition(lambda self: any(a.status == OPEN for a in self.state.alerts.values()))
    @rule(data=st.data(), by_hand=st.booleans())
    def somebody_takes_an_alert(self, data: st.DataObject, by_hand: bool) -> None:
        number = data.draw(st.sampled_from(sorted(n for n, a in self.state.alerts.items() if a.status == OPEN)))
        self._cycle()
        alert = self.state.alerts.get(number)
        if alert is None or alert.status != OPEN:
            return
        if not by_hand:
            self.state.acknowledgements[number] = Acknowledgement(number, "engineer-a", "", self.now)
            self._cycle()
            taken = self.state.alerts.get(number)
            assert taken is None or taken.status != OPEN or taken.acknowledged_by == "engineer-a"
            return
        self.state.resolutions[number] = Resolution(number, "engineer-a", "known", self.now)
        kind = next(k for k, name in RULES.items() if name == alert.rule)
        series = (kind, alert.asset, alert.labels.get("check", ""))
        self.closed[series] = max(self.now, alert.updated_at)
        self._cycle()

    @rule()
    def the_process_is_killed_before_it_records(self) -> None:
        """A decision that was not recorded is made again."""
        decide(self.state, self.pending, self.config, self.now)

    @rule(minutes=st.sampled_from([0, 1, 12, 45, 90, 330]), step=st.integers(1, 4))
    def time_passes(self, minutes: int, step: int) -> None:
        until = self.now + timedelta(minutes=minutes)
        self._cycle()
        while self.now < until:
            self.now = min(self.now + timedelta(minutes=step), until)
            self._cycle()

    def _cycle(self) -> None:
        decision = decide(self.state, self.pending, self.config, self.now)
        self.state, self.pending, self.decided_with = decision.state, [], self.config
        self.heard.hear(decision, self.config, self.now)
        if not decision.empty:
            assert_remembered_truly(self.state, self.config, self.now)
        self.now += timedelta(seconds=5)

    # ---- invariants
    @invariant()
    def what_is_open_is_what_is_broken(self) -> None:
        if self.pending:
            return
        wanted = {
            (RULES[kind], asset, check)
            for (kind, asset, check), at in self.fails.items()
            if RULES[kind] not in self.off
            and asset not in self.gone
            and not at <= self.closed.get((kind, asset, check), datetime.min.replace(tzinfo=UTC))
        }
        held = {
            (a.rule, a.asset, a.labels.get("check", ""))
            for a in self.state.alerts.values()
            # A flapping alert is held for some time after its repair.
            if a.status == OPEN and a.clears_at is None
        }
        # Since the change of the configuration, no cycle has decided yet.
        if self.decided_with is self.config:
            assert held == wanted, f"open and not broken: {held - wanted}; broken and not open: {wanted - held}"

    @invariant()
    def what_is_open_was_told_to_its_owner_or_says_truly_why_not(self) -> None:
        # Between two cycles a silence or a table may have come or gone. The reason was true at the last cycle.
        unheard = [
            (alert.number, alert.rule, alert.asset, alert.muted, why)
            for alert, why in self.heard.unheard(self.state, self.decided_with, self.now - timedelta(seconds=5))
        ]
        assert not unheard, unheard

    @invariant()
    def who_was_told_of_a_failure_is_told_of_its_end(self) -> None:
        untold = self.heard.untold_ends(self.now)
        assert not untold, untold


def run(examples: int, steps: int = 30, shrink: bool = True, machine: type[Engine] = Engine) -> None:
    """Run many random histories."""
    phases = tuple(Phase) if shrink else (Phase.generate,)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=phases,
            database=None,
        ),
    )


def checked(*steps: tuple[str, dict[str, Any]]) -> None:
    """One history, with everything that must be true after each of its steps."""
    engine = Engine()
    for name, values in steps:
        getattr(engine, name)(**values)
        engine.what_is_open_is_what_is_broken()
        engine.what_is_open_was_told_to_its_owner_or_says_truly_why_not()
        engine.who_was_told_of_a_failure_is_told_of_its_end()
