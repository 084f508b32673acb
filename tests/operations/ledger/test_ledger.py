"""The guarantees of the ledger: each signal is stored once, a write is complete or does not happen, there is one
holder, and the migrations make the schema.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ops_project import catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.matcher import Matcher
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import Decision, Notification, State
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.leases import LeaseLost
from ops_project.operations.ledger.schema import HEAD, metadata
from ops_project.operations.ledger.store import MIGRATIONS
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def signal(n: int = 1, state: str = FIRING, at: datetime = NOW, **fields) -> Signal:
    fields = {"kind": "asset.failure", "asset": f"gold/t{n}", "owners": ("team:ecommerce-data",), **fields}
    return Signal(state=state, event_at=at, observed_at=at, occurrence=fields.pop("occurrence", "1"), **fields)


@pytest.fixture
def config(tmp_path):
    settings = Settings.load(home=tmp_path / "home")
    return alert_config(settings, catalog.load(settings), Lineage())


def test_the_migrations_make_the_schema_that_the_code_names(tmp_path):
    script = ScriptDirectory.from_config(_config())
    assert script.get_current_head() == HEAD
    with Ledger.open(f"sqlite:///{tmp_path}/l.db") as opened, opened.read() as connection:
        assert opened.version() == HEAD
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def _config():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def test_a_signal_comes_back_as_it_went_in_and_is_stored_once(ledger):
    full = signal(
        value=1.5,
        total=3.0,
        domain="d",
        pipeline="p",
        partition="2026-03-04",
        check="c",
        run_id="r",
        batch_id="b",
        failure_class="data_invalid",
        evidence_ref="e",
        message="m “quoted”",
        labels={"a": "b"},
        assets=("x", "y"),
    )
    assert ledger.append([full, full], {"events": "7"}, NOW) == 1
    assert ledger.append([full]) == 0
    assert [s for _, s in ledger.signals_after(0, 10)] == [full]
    assert ledger.cursor("events") == "7"


def test_the_latest_of_each_series(ledger):
    ledger.append([signal(1), signal(2), signal(1, OK, NOW + MINUTE)])
    assert {s.asset: s.state for s in ledger.latest("asset.failure").values()} == {"gold/t1": OK, "gold/t2": FIRING}


def test_a_decision_survives_the_way_through_the_ledger(ledger, config):
    first = decide(ledger.load_state(config, NOW), [signal(1), signal(2, kind="check.failure", check="c")], config, NOW)
    ledger.record(first, {"decided": "2"}, NOW)
    loaded = ledger.load_state(config, NOW)
    assert loaded.alerts == first.state.alerts
    assert loaded.groups == first.state.groups
    later = NOW + MINUTE
    second = decide(loaded, [signal(1, OK, later)], config, later)
    assert ledger.record(second, {"decided": "3"}, later) == len(second.notifications) > 0
    assert ledger.load_state(config, later).log == second.state.log
    assert ledger.load_state(config, later).alerts == second.state.alerts


def test_the_same_message_is_put_into_the_outbox_once(ledger, config):
    first = decide(ledger.load_state(config, NOW), [signal(1)], config, NOW)
    ledger.record(first, {}, NOW)
    second = decide(first.state, [], config, NOW + MINUTE)
    assert ledger.record(second, {}, NOW + MINUTE) > 0
    assert ledger.record(second, {}, NOW + MINUTE) == 0


def test_who_has_lost_the_lease_writes_nothing(ledger, config):
    mine = ledger.acquire("cycle", "me", NOW, MINUTE)
    assert ledger.acquire("cycle", "you", NOW + MINUTE / 2, MINUTE) is None
    yours = ledger.acquire("cycle", "you", NOW + 2 * MINUTE, MINUTE)
    assert yours.fence > mine.fence
    decision = decide(ledger.load_state(config, NOW), [signal(1)], config, NOW)
    with pytest.raises(LeaseLost):
        ledger.record(decision, {"decided": "1"}, NOW, ("cycle", "me", mine.fence))
    assert ledger.alerts() == [] and ledger.cursor("decided") is None


def test_a_lease_given_back_is_free_and_keeps_its_heartbeat(ledger):
    ledger.release(ledger.acquire("cycle", "me", NOW, MINUTE), NOW)
    assert ledger.lease("cycle").heartbeat_at == NOW
    assert ledger.acquire("cycle", "you", NOW, MINUTE) is not None


def test_only_one_of_many_gets_the_lease(ledger):
    got = []
    threads = [
        threading.Thread(target=lambda n=n: got.append(ledger.acquire("cycle", f"p{n}", NOW, MINUTE))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(lease is not None for lease in got) == 1


def _queued(ledger, config, count=3):
    ledger.record(decide(ledger.load_state(config, NOW), [signal(n) for n in range(count)], config, NOW), {}, NOW)
    state = ledger.load_state(config, NOW)
    ledger.record(decide(state, [], config, NOW + MINUTE), {}, NOW + MINUTE)
    return ledger.due(NOW + MINUTE)


def test_a_claim_is_taken_once_and_put_back_as_uncertain_when_its_holder_died(ledger, config):
    first = _queued(ledger, config)[0]
    assert ledger.claim(first.id, NOW) and not ledger.claim(first.id, NOW)
    assert first.id not in {m.id for m in ledger.due(NOW + MINUTE)}
    assert ledger.recover_claims() == 1
    again = next(m for m in ledger.due(NOW + MINUTE) if m.id == first.id)
    assert (again.attempts, again.uncertain) == (1, 1)
    assert ledger.outbox_counts()["possible_duplicates"] == 1


def test_a_failed_message_waits_and_a_delivered_one_is_gone(ledger, config):
    first, *_ = _queued(ledger, config)
    ledger.claim(first.id, NOW)
    ledger.failed(first.id, NOW, "down", retry_at=NOW + 10 * MINUTE)
    assert first.id not in {m.id for m in ledger.due(NOW + 9 * MINUTE)}
    assert first.id in {m.id for m in ledger.due(NOW + 10 * MINUTE)}
    ledger.claim(first.id, NOW)
    ledger.delivered(first.id, NOW)
    assert first.id not in {m.id for m in ledger.due(NOW + 99 * MINUTE)}


def _lease(ledger, holder, at=NOW):
    found = ledger.acquire("cycle", holder, at, MINUTE)
    assert found is not None
    return found


def test_a_claim_needs_the_lease(ledger, config):
    first = _queued(ledger, config)[0]
    slow = _lease(ledger, "slow")
    _lease(ledger, "other", NOW + 2 * MINUTE)
    with pytest.raises(LeaseLost):
        ledger.claim(first.id, NOW + 2 * MINUTE, slow.fenced)
    assert first.id in {m.id for m in ledger.due(NOW + 2 * MINUTE)}


@pytest.mark.parametrize("how", ["fails", "gives up"])
def test_a_slow_sender_that_lost_its_claim_takes_no_delivery_back(ledger, config, how):
    first = _queued(ledger, config)[0]
    slow = _lease(ledger, "slow")
    ledger.claim(first.id, NOW, slow.fenced)
    other = _lease(ledger, "other", NOW + 2 * MINUTE)
    ledger.recover_claims()
    ledger.claim(first.id, NOW + 2 * MINUTE, other.fenced)
    retry = NOW + 3 * MINUTE if how == "fails" else None
    assert not ledger.failed(first.id, NOW + 2 * MINUTE, "too late", retry_at=retry, lease=slow.fenced)
    assert ledger.delivered(first.id, NOW + 2 * MINUTE, "", other.fenced)
    assert not ledger.failed(first.id, NOW + 2 * MINUTE, "too late", retry_at=retry, lease=slow.fenced)
    assert ledger.outbox_counts()["delivered"] == 1 and ledger.outbox_counts()["possible_duplicates"] == 1


def test_a_delivery_that_is_told_late_ends_a_message_that_still_waits(ledger, config):
    first = _queued(ledger, config)[0]
    slow = _lease(ledger, "slow")
    ledger.claim(first.id, NOW, slow.fenced)
    _lease(ledger, "other", NOW + 2 * MINUTE)
    ledger.recover_claims()
    assert not ledger.delivered(first.id, NOW + 2 * MINUTE, "", slow.fenced)
    assert first.id not in {m.id for m in ledger.due(NOW + 99 * MINUTE)}


def test_a_lost_lease_is_not_taken_again_by_keeping_it(ledger):
    mine = _lease(ledger, "me")
    assert ledger.renew(mine, NOW + MINUTE / 2, MINUTE) is not None
    other = _lease(ledger, "other", NOW + 2 * MINUTE)
    assert ledger.renew(mine, NOW + 2 * MINUTE, MINUTE) is None
    ledger.release(mine, NOW + 2 * MINUTE)
    assert ledger.lease("cycle").holder == "other"
    ledger.release(other, NOW + 2 * MINUTE)
    assert ledger.renew(mine, NOW + 2 * MINUTE, MINUTE) is None
    assert ledger.acquire("cycle", "third", NOW + 2 * MINUTE, MINUTE) is not None, "nobody holds it"


def test_a_retry_that_was_set_under_a_later_clock_is_due(ledger, config):
    first = _queued(ledger, config)[0]
    ledger.claim(first.id, NOW)
    ledger.failed(first.id, NOW + timedelta(days=1), "down", retry_at=NOW + timedelta(days=1, minutes=2))
    assert first.id in {m.id for m in ledger.due(NOW + MINUTE)}


NASTY = {
    "NUL": "a\0b",
    "half a surrogate": "a\ud83db",
    "long": "x" * 100_000,
    "long and not ASCII": "é" * 5000 + "\0",
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_whatever_text_comes_in_is_stored_cleaned_and_cut(ledger, text):
    fields = ("pipeline", "asset", "partition", "check", "run_id", "batch_id", "failure_class", "message", "domain")
    given = dict.fromkeys((*fields, "evidence_ref", "occurrence"), text)
    nasty = signal(labels={"file": text, text: "1"}, owners=(text,), assets=(text,), **given)
    assert ledger.append([signal(2), nasty, signal(3)], {"events": text}) == 3
    [(_, stored)] = [item for item in ledger.signals_after(0, 9) if item[1].asset not in ("gold/t2", "gold/t3")]
    assert stored.fingerprint == next(
        iter(ledger.latest("asset.failure").keys() - {signal(2).fingerprint, signal(3).fingerprint})
    )
    assert "\0" not in stored.message and len(stored.message) <= 10_000
    assert ledger.append([nasty]) == 0, "it is the same signal when it comes again"


def test_two_names_that_differ_only_behind_the_cut_stay_two(ledger):
    ledger.append([signal(asset="x" * 300 + end) for end in "ab"])
    assert len(ledger.latest("asset.failure")) == 2


def test_what_a_service_answers_can_be_stored(ledger, config):
    first = _queued(ledger, config)[0]
    ledger.claim(first.id, NOW)
    ledger.failed(first.id, NOW, "500 \0\ud83d" + "x" * 100_000, retry_at=NOW + MINUTE)
    assert "500" in ledger.outbox_list("pending", 9)[-1]["last_error"]


def test_silences_end_early_or_by_themselves(ledger):
    number = ledger.add_silence(
        [Matcher.parse('asset="x"')], starts_at=NOW, ends_at=NOW + MINUTE, owner="engineer-a", reason="why", now=NOW
    )
    assert [s.number for s in ledger.silences(NOW)] == [number]
    assert ledger.silences(NOW + MINUTE) == []
    assert ledger.expire_silence(number, NOW + MINUTE / 2) and not ledger.expire_silence(number, NOW + MINUTE / 2)
    assert ledger.silences(NOW + MINUTE / 2) == [] and len(ledger.silences(NOW, expired=True)) == 1


def test_verdicts_are_kept_and_counted_by_rule(ledger, config):
    ledger.record(decide(ledger.load_state(config, NOW), [signal(1), signal(2)], config, NOW), {}, NOW)
    ledger.give_verdict(1, "false-positive", "late by design", "engineer-a", NOW)
    ledger.give_verdict(1, "true-positive", "no, it was real", "engineer-a", NOW)
    [verdict] = ledger.verdicts()
    assert (verdict["verdict"], verdict["rule"], verdict["asset"]) == ("true-positive", "asset_failure", "gold/t1")
    assert ledger.fired_by_rule() == {"asset_failure": 2}


def test_a_message_waits_for_the_older_ones_of_its_group_to_the_same_recipient(ledger, config):
    def keys(at):
        return [message.key for message in ledger.due(at)]

    def page(key, group="g1", severity="high", recipient=""):
        return Notification(
            key=key,
            kind="alert",
            receiver="on-call",
            channel="on-call/2-pagerduty",
            recipient=recipient,
            severity=severity,
            reason=AlertReason.FIRST_NOTIFICATION,
            created_at=NOW,
            payload={},
            group=group,
        )

    sent = [
        page("trigger"),
        page("acknowledge", severity="critical"),
        page("other group", "g2"),
        page("other recipient", recipient="engineer-a"),
        page("notice", group=""),
        page("second notice", group=""),
    ]
    ledger.record(Decision(State(), notifications=sent), {}, NOW)
    free = ["trigger", "other group", "other recipient", "notice", "second notice"]
    assert keys(NOW) == free
    trigger = ledger.due(NOW)[0].id
    ledger.claim(trigger, NOW)
    assert keys(NOW) == free[1:], "while it is being sent"
    ledger.failed(trigger, NOW, "down", retry_at=NOW + MINUTE)
    assert keys(NOW) == free[1:], "while it is retried"
    ledger.claim(trigger, NOW + MINUTE)
    ledger.failed(trigger, NOW + MINUTE, "down", retry_at=None)
    assert keys(NOW + MINUTE) == ["acknowledge", *free[1:]], "what was given up holds up nothing"


def test_many_signals_go_in_at_once_and_come_back_as_they_were_in_their_order(ledger):
    text = 'a\tb\nc\\d\r"e" \\N {} €'
    many = [
        signal(
            n, occurrence=str(n), message=f"{text} {n}", labels={"k": text}, value=None if n % 2 else n / 3, total=1.0
        )
        for n in range(300)
    ]
    assert ledger.append([*many, many[0]]) == 300
    assert ledger.append([*many, signal(300)]) == 1
    stored = [item for _, item in ledger.signals_after(0, 999)]
    assert stored == [*many, signal(300)]
    assert [item.fingerprint for item in stored] == [item.fingerprint for item in [*many, signal(300)]]


def test_what_a_person_writes_may_be_long(ledger):
    """The name of the person who closed an alert was longer than its column in PostgreSQL."""
    long = "x" * 400
    ledger.resolve(1, long, long * 40, NOW)
    ledger.acknowledge(1, long, long * 40, NOW)
    given = ledger.resolutions()[1]
    assert given.by.startswith("x" * 100) and given.why == long * 40
    assert ledger.acknowledgements()[1].by == long
