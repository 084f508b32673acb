"""A rehearsal with tomorrow's clock does not mute today's alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_project import catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.resolution import Resolution
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.decide.clock import bound
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.grouping import LogEntry
from ops_project.operations.alerting.decide.state import Decision, State
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TOMORROW = NOW + DAY
MINUTE = timedelta(minutes=1)


def _failed(at, occurrence, pipeline="master_pipeline", state=FIRING):
    return Signal(
        "run.failure",
        state,
        at,
        at,
        occurrence,
        float(state == FIRING),
        pipeline=pipeline,
        labels={"scheduled": "true"},
        owners=("team:ecommerce-data",),
    )


@pytest.fixture
def place(tmp_path):
    settings = Settings.load(home=tmp_path)
    return settings, catalog.load(settings), open_ledger(settings)


def _pages(ledger):
    return [m for m in ledger.outbox_list(None, 99) if m["channel"] == "on-call/0-file"]


def test_a_group_that_was_flushed_tomorrow_tells_todays_news_today(place):
    settings, loaded, ledger = place
    ledger.append([_failed(TOMORROW, "r1")])
    run_once(settings, loaded, TOMORROW, observers=(), flush_now=True)
    assert len(_pages(ledger)) == 1
    # This is the same alert, today. It is sent within its route's time, and not only tomorrow.
    ledger.append([_failed(NOW, "r2", "other_pipeline")])
    for minute in range(0, 12):
        run_once(settings, loaded, NOW + minute * MINUTE, observers=(), daemon=True)
    told = {n for m in ledger.messages_about(2) for n in [m["channel"]]}
    assert "on-call/0-file" in told
    assert all(m["created_at"] < TOMORROW for m in _pages(ledger) if m["id"] > 2)


def test_no_time_lies_further_ahead_than_its_interval(place):
    settings, loaded, ledger = place
    ledger.append([_failed(TOMORROW, "r1")])
    run_once(settings, loaded, TOMORROW, observers=(), flush_now=True)
    run_once(settings, loaded, NOW, observers=(), daemon=True)
    state = ledger.load_state(alert_config(settings, loaded, Lineage()), NOW)
    assert state.alerts and all(alert.starts_at <= NOW for alert in state.alerts.values())
    assert all(group.next_flush <= NOW + timedelta(hours=24) for group in state.groups.values())
    assert all(entry.at <= NOW for entry in state.log.values())


def test_the_time_of_one_alert_of_an_entry_does_not_lie_ahead_either(place):
    settings, loaded, _ = place
    key = ("g", "owners/0-email", "team@example.com")
    entry = LogEntry(*key, frozenset({1, 2}), frozenset(), NOW, NOW + DAY, own_times={1: TOMORROW, 2: NOW - MINUTE})
    decision = Decision(State(log={key: entry}))
    bound(decision, alert_config(settings, loaded, Lineage()), NOW)
    assert decision.log_changed == {key}
    after = decision.state.log[key]
    assert (after.told_at(1), after.told_at(2)) == (NOW, NOW - MINUTE)


@pytest.mark.parametrize("seconds_ago", [0, 10])
def test_a_failure_of_today_is_told_although_tomorrow_was_well(place, seconds_ago):
    settings, loaded, ledger = place
    ledger.append([_failed(NOW - MINUTE, "r0", state=OK), _failed(TOMORROW, "r1", state=OK)])
    run_once(settings, loaded, TOMORROW, observers=(), flush_now=True)
    ledger.append([_failed(NOW - timedelta(seconds=seconds_ago), "r2")])
    run_once(settings, loaded, NOW, observers=(), flush_now=True)
    assert [a.rule for a in ledger.alerts("open")] == ["job_failure"]
    assert len(_pages(ledger)) == 1
    # Today's repair ends the alert. A later process reads the same from the ledger.
    ledger.append([_failed(NOW + MINUTE, "r3", state=OK)])
    run_once(settings, loaded, NOW + 2 * MINUTE, observers=(), flush_now=True)
    assert ledger.alerts("open") == []


def test_a_repair_of_today_ends_what_was_rehearsed_for_tomorrow(place):
    settings, loaded, ledger = place
    ledger.append([_failed(TOMORROW, "r1")])
    run_once(settings, loaded, TOMORROW, observers=(), flush_now=True)
    ledger.append([_failed(NOW, "r2", state=OK)])
    run_once(settings, loaded, NOW, observers=(), flush_now=True)
    assert ledger.alerts("open") == []


def test_what_was_closed_by_hand_tomorrow_is_told_when_it_fails_today(place):
    settings, loaded, ledger = place
    ledger.append([_failed(TOMORROW, "r1")])
    run_once(settings, loaded, TOMORROW, observers=(), flush_now=True)
    ledger.resolve(1, "engineer-a", "known", TOMORROW)
    run_once(settings, loaded, TOMORROW + MINUTE, observers=(), flush_now=True)
    assert ledger.alerts("open") == []
    ledger.append([_failed(NOW - timedelta(seconds=5), "r2")])
    run_once(settings, loaded, NOW, observers=(), flush_now=True)
    assert [a.rule for a in ledger.alerts("open")] == ["job_failure"]


def test_a_window_of_today_does_not_end_tomorrow(configuration):
    """Batches of tomorrow do not push those of today out of a rule's window."""
    kind = next(iter(configuration.windowed()))
    name, _, _, condition = next(e for e in configuration.by_metric[kind] if e.condition.window is not None)
    labels = {m.label: m.value for m in condition.match}

    def bad(at, occurrence):
        return Signal(
            kind,
            FIRING,
            at,
            at,
            occurrence,
            condition.threshold + 100,
            1.0,
            asset="gold/t",
            pipeline="p",
            labels=labels,
        )

    alone = decide(State(), [bad(NOW - MINUTE, str(n)) for n in range(200)], configuration, NOW).state
    assert {a.rule for a in alone.alerts.values()} >= {name}, "the story is about a rule that fires"
    tomorrow = decide(State(), [_well(kind, TOMORROW, labels)], configuration, TOMORROW).state
    after = decide(tomorrow, [bad(NOW - MINUTE, str(n)) for n in range(200)], configuration, NOW).state
    assert {a.rule for a in after.alerts.values()} == {a.rule for a in alone.alerts.values()}


def _well(kind, at, labels):
    return Signal(kind, OK, at, at, "well", 0.0, 1.0, asset="gold/t", pipeline="p", labels=labels)


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    settings = Settings.load(home=tmp_path_factory.mktemp("home"))
    return alert_config(settings, catalog.load(settings), Lineage())


SERIES = [("gold/a", "x"), ("gold/a", "y"), ("gold/b", "x")]
WORDS = st.lists(st.tuples(st.sampled_from(SERIES), st.sampled_from([FIRING, OK]), st.integers(0, 600)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(
    before=WORDS, rehearsed=WORDS, after=WORDS, hours=st.integers(1, 72), together=st.booleans(), by_hand=st.booleans()
)
def test_whatever_is_rehearsed_the_last_word_of_today_is_what_counts(
    configuration, before, rehearsed, after, hours, together, by_hand
):
    """The oracle: for each series with a signal after the rehearsal, its newest signal counts."""
    count = 0

    def said(words, begin):
        nonlocal count
        for (asset, check), state, second in words:
            count += 1
            at = begin + timedelta(seconds=second)
            yield Signal("check.failure", state, at, at, str(count), asset=asset, check=check)

    early, later = NOW - timedelta(hours=2), NOW + timedelta(hours=hours)
    state = decide(State(), list(said(before, early)), configuration, early + 10 * MINUTE).state
    state = decide(state, list(said(rehearsed, later)), configuration, later + 10 * MINUTE).state
    if by_hand:
        ahead = later + 11 * MINUTE
        state.resolutions = {n: Resolution(n, "engineer-a", "known", ahead) for n in state.alerts}
        state = decide(state, [], configuration, ahead).state
    news = list(said(after, NOW))
    for batch in [news] if together else [[signal] for signal in news]:
        state = decide(state, batch, configuration, NOW + 10 * MINUTE).state
    newest = {}
    for signal in news:
        known = newest.get((signal.asset, signal.check))
        if known is None or signal.event_at >= known.event_at:
            newest[signal.asset, signal.check] = signal
    held = {(a.asset, a.labels["check"]): a.status for a in state.alerts.values() if a.open and a.clears_at is None}
    for series, signal in newest.items():
        assert (held.get(series) == FIRING) == (signal.state == FIRING)
