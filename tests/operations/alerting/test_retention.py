"""The ledger does not grow for ever, and loses nothing that is still needed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ops_project import catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.retention import Retention
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting import tidy as tidying
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.state import State
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.alerting.tidy import tidy
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return catalog.load(Settings.load(home=tmp_path_factory.mktemp("home")))


def reading(at, value=1.0, kind="resource.disk_percent", **fields):
    return Signal(kind, OK, at, at, fields.pop("occurrence", at.isoformat()), value, check="home", **fields)


def _everything(ledger, loaded, now=NOW, decided=10**9):
    removed = 0
    for _ in range(100):
        count = tidy(ledger, loaded, decided, now, lambda: None)
        if not count:
            return removed
        removed += count
    raise AssertionError("it never ends")


def test_readings_are_thinned_to_the_extremes_of_each_hour_and_young_ones_stay(ledger, loaded):
    day = datetime(2026, 3, 1, tzinfo=UTC)
    ledger.append([reading(day + timedelta(minutes=n), float(n * 37 % 60)) for n in range(24 * 60)])
    young = [reading(NOW - timedelta(minutes=n), 1.0) for n in range(1, 50)]
    ledger.append(young)
    assert _everything(ledger, loaded) == 24 * 58
    left = [s for _, s in ledger.signals_after(0, 9999)]
    assert sorted(s.event_at for s in left if s.event_at > NOW - DAY) == sorted(s.event_at for s in young)
    old = [s for s in left if s.event_at < NOW - DAY]
    assert {s.event_at.hour for s in old} == set(range(24))
    assert {s.value for s in old} == {0.0, 59.0}
    assert _everything(ledger, loaded, NOW + 3 * DAY) == 48, "the young ones grew old"


def test_a_year_without_readings_is_passed_over_and_what_lies_on_both_sides_is_thinned(ledger, loaded, monkeypatch):
    first, second = NOW - 395 * DAY, NOW - 3 * DAY + timedelta(minutes=20)
    stays = loaded.retention.model_copy(
        update={"readings": loaded.retention.readings.model_copy(update={"keep": 400 * DAY})}
    )
    ledger.append([reading(at + timedelta(minutes=n), float(n)) for at in (first, second) for n in range(30)])
    steps = []
    thin = ledger.thin_signals
    monkeypatch.setattr(ledger, "thin_signals", lambda *words: steps.append(words[1:3]) or thin(*words))
    assert _everything(ledger, replace(loaded, retention=stays)) == 2 * 28
    assert {s.value for _, s in ledger.signals_after(0, 99)} == {0.0, 29.0}
    assert len(steps) == 2
    assert all(since <= at < until for at, (since, until) in zip((first, second), steps, strict=True))
    # What comes late is thinned out with the hour that it belongs to, and not with what was thinned out before.
    ledger.append([reading(NOW + DAY + timedelta(minutes=n), float(n)) for n in range(30)])
    assert _everything(ledger, replace(loaded, retention=stays), NOW + 4 * DAY) == 28


def test_nothing_is_asked_about_kinds_whose_signals_are_all_young(ledger, loaded, monkeypatch):
    asked = []
    forget, thin = ledger.forget_signals, ledger.thin_signals
    monkeypatch.setattr(ledger, "forget_signals", lambda *words: asked.append(words[0]) or forget(*words))
    monkeypatch.setattr(ledger, "thin_signals", lambda *words: asked.append(words[0]) or thin(*words))
    ledger.append([reading(NOW - DAY), Signal("run.failure", OK, NOW - 364 * DAY, NOW, "1", 0.0, pipeline="a")])
    assert _everything(ledger, loaded) == 0 and asked == []
    ledger.append([Signal("run.failure", OK, NOW - 366 * DAY, NOW, "2", 0.0, pipeline="a"), reading(NOW - 3 * DAY)])
    assert ledger.first_events(["run.failure", "resource.disk_percent", "landing.error_rate"]) == {
        "run.failure": NOW - 366 * DAY,
        "resource.disk_percent": NOW - 3 * DAY,
    }
    _everything(ledger, loaded, NOW + timedelta(hours=2))
    assert asked == [["run.failure"], "resource.disk_percent"]


def test_what_is_old_goes_and_the_newest_of_each_series_stays(ledger, loaded):
    old, older = NOW - 400 * DAY, NOW - 401 * DAY
    ledger.append(
        [
            reading(older),
            reading(old),
            reading(older, kind="landing.error_rate"),
            reading(NOW, kind="landing.error_rate"),
            Signal("run.failure", OK, older, older, "1", 0.0, pipeline="a"),
            Signal("run.failure", OK, old, old, "2", 0.0, pipeline="a"),
            Signal("run.failure", OK, older, older, "3", 0.0, pipeline="b"),
        ]
    )
    _everything(ledger, loaded)
    left = {(s.kind, s.pipeline, s.event_at) for _, s in ledger.signals_after(0, 99)}
    assert left == {
        ("resource.disk_percent", "", old),
        ("landing.error_rate", "", NOW),
        ("run.failure", "a", old),
        ("run.failure", "b", older),
    }


def test_what_nobody_has_decided_on_and_what_an_open_alert_is_about_stays(tmp_path):
    settings = Settings.load(home=tmp_path)
    place = catalog.load(settings)
    long_ago = NOW - 500 * DAY
    from ops_project.operations.ledger import open_ledger

    ledger = open_ledger(settings)
    failed = Signal("asset.failure", FIRING, long_ago, long_ago, "r1", 1.0, asset="gold/a", run_id="run-1")
    ledger.append([failed, Signal("asset.failure", OK, long_ago - DAY, long_ago, "r0", 0.0, asset="gold/a")])
    run_once(settings, place, long_ago + timedelta(minutes=1), observers=())
    # Of the two that no cycle has read yet, the first one is not the newest of its series either.
    unread = [
        Signal("asset.failure", FIRING, long_ago, NOW, name, 1.0, asset="gold/a", labels={"x": name})
        for name in ("r2", "r3")
    ]
    ledger.append(unread)
    tidy(ledger, place, 2, NOW, lambda: None)
    assert {"r1", "r2", "r3"} <= {s.occurrence for _, s in ledger.signals_after(0, 99)}


@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_the_signal_with_which_an_open_alert_or_incident_began_stays(ledger, loaded, tmp_path, status):
    """The newest signals alone do not say when the alert or incident began, and in which run."""
    config = alert_config(Settings.load(home=tmp_path), loaded, Lineage())
    begun = NOW - 400 * DAY

    def batch(at, bad):
        return Signal(
            "landing.error_rate", FIRING, at, at, at.isoformat(), bad, 100.0, asset="bronze/a", run_id=f"run {at:%d}"
        )

    def failed(at, state=FIRING):
        bad = float(state == FIRING)
        return Signal("check.failure", state, at, at, at.isoformat(), bad, asset="gold/a", check="c", run_id=f"{at:%d}")

    for day in range(3):
        at = begun + day * DAY
        decision = decide(ledger.load_state(config, at), [batch(at, 50.0), failed(at)], config, at)
        ledger.append([batch(at, 50.0), failed(at)])
        ledger.record(decision, {}, at)
    if status == "resolved":
        at = begun + 4 * DAY
        decision = decide(ledger.load_state(config, at), [batch(at, 0.0), failed(at, OK)], config, at)
        ledger.record(decision, {}, at)
        assert ledger.alerts("open") == []
        with ledger.write() as connection:
            connection.exec_driver_sql("INSERT INTO incident_alerts VALUES (1, 1, 'a', 0), (2, 1, 'b', 0)")
            connection.exec_driver_sql(
                "INSERT INTO incidents (number, status, priority, severity, title, domain, pipeline, opened_at, live, version, "
                "body) VALUES (1, 'acknowledged', 'P3', 'high', 't', '', '', 0, false, 1, '{}')"
            )
    ledger.append([batch(NOW, 0.0), failed(NOW, OK)])
    _everything(ledger, loaded)
    kept = {(s.kind, s.event_at) for _, s in ledger.signals_after(0, 99)}
    assert {("landing.error_rate", begun), ("check.failure", begun)} <= kept
    assert ("landing.error_rate", begun + DAY) not in kept


def _levels(ledger, config):
    state = State()
    ledger.load_levels(state, config)
    return state.levels


def test_every_signal_that_a_level_is_made_of_stays_whatever_its_age(ledger, loaded, tmp_path):
    """Random signals of two years on a few series, in any order; some series have had no signal for a long time."""
    dice = random.Random(7)
    config = alert_config(Settings.load(home=tmp_path), loaded, Lineage())
    begin = NOW - 730 * DAY
    cursor = 0
    for batch in range(12):
        now = begin + (batch + 1) * 60 * DAY
        words = []
        for n in range(60):
            kind = dice.choice(["run.failure", "check.failure", "asset.failure", "resource.disk_percent"])
            at = now - timedelta(seconds=dice.randrange(60 * 86400))
            state = OK if kind.startswith("resource") else dice.choice([FIRING, OK, FIRING])
            where = dice.randrange(1 + batch // 3, 8)
            words.append(
                Signal(
                    kind,
                    state,
                    at,
                    now,
                    f"{batch}:{n}",
                    dice.random(),
                    pipeline=f"p{where}",
                    asset=f"gold/t{where}",
                    labels={"scheduled": dice.choice(["true", "false"])},
                )
            )
        ledger.append(words)
        found = ledger.signals_after(cursor, 999)
        cursor = found[-1][0]
        state = ledger.load_state(config, now)
        ledger.load_levels(state, config)
        decision = decide(state, [signal for _, signal in found], config, now)
        ledger.record(decision, {"decided": str(cursor)}, now)
    before = _levels(ledger, config)
    assert sum(len(level.firing) for level in before.values()) > len(before) / 2, "some of them fire"
    kinds = ["run.failure", "check.failure", "asset.failure", "resource.disk_percent"]
    assert ledger.thin_signals("resource.disk_percent", begin, NOW, 30 * DAY, cursor) > 0
    assert ledger.forget_signals(kinds, NOW + 3650 * DAY, cursor) > 100
    assert _levels(ledger, config) == before == decision.state.levels


def test_the_work_of_one_cycle_is_bounded_and_the_next_one_goes_on(ledger, loaded, monkeypatch):
    monkeypatch.setattr(tidying, "BUDGET_SECONDS", 0.0)
    monkeypatch.setattr("ops_project.operations.ledger.pruning.PIECE", 50)
    ledger.append([reading(NOW - 100 * DAY + timedelta(seconds=n)) for n in range(200)])
    assert tidy(ledger, loaded, 10**9, NOW, lambda: None) == 50
    assert _everything(ledger, loaded) == 149
    ledger.append([reading(NOW - 90 * DAY)])
    assert tidy(ledger, loaded, 10**9, NOW + timedelta(minutes=59), lambda: None) == 0, "once an hour"


def test_old_messages_go_and_those_that_wait_or_are_about_an_open_alert_stay(ledger, loaded, tmp_path, monkeypatch):
    monkeypatch.setattr("ops_project.operations.ledger.pruning.PIECE", 1)
    config = replace(alert_config(Settings.load(home=tmp_path), loaded, Lineage(), True), unconfigured=frozenset())
    old = NOW - 200 * DAY

    def told(at, *states):
        # Each rule has messages of its own.
        signals = [Signal(kind, word, at, at, f"{at}", asset="gold/a", check="c") for kind, word in states]
        decision = decide(ledger.load_state(config, at), signals, config, at)
        ledger.record(decision, {}, at)

    told(old, ("check.failure", FIRING))
    told(old + DAY, ("asset.failure", FIRING))
    told(old + 2 * DAY, ("asset.failure", OK))
    messages = ledger.outbox_list(None, 999)
    waits = max(message["id"] for message in messages)
    for message in messages:
        if message["id"] != waits:
            ledger.delivered(message["id"], old)
    assert _everything(ledger, loaded) > 0
    left = ledger.outbox_list(None, 999)
    assert [message["id"] for message in left if message["state"] == "pending"] == [waits]
    delivered = [message["id"] for message in left if message["state"] == "delivered"]
    about_open = {message["id"] for message in ledger.messages_about(1)}
    assert delivered and set(delivered) == about_open - {waits}


def test_a_cycle_tidies_up(tmp_path):
    settings = Settings.load(home=tmp_path)
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append([reading(NOW - 100 * DAY), reading(NOW - 99 * DAY)])
        run_once(settings, catalog.load(settings), NOW, observers=())
        assert [s.event_at for _, s in ledger.signals_after(0, 9)] == [NOW - 99 * DAY]


def test_a_first_look_at_a_kind_takes_one_step_for_each_series(ledger):
    ledger.append([reading(NOW + timedelta(seconds=n), float(n), asset=f"a{n % 3}") for n in range(300)])
    found = ledger.latest("resource.disk_percent")
    assert {s.asset: s.value for s in found.values()} == {"a0": 297.0, "a1": 298.0, "a2": 299.0}
    assert ledger.latest("run.failure") == {}


def test_ages_that_rules_need_are_not_cut(loaded):
    assert Retention() == loaded.retention
    with pytest.raises(ValueError, match=r"readings\.keep must be at least 2d"):
        Retention.model_validate({"readings": {"keep": "1h"}})
