"""What one failed delivery delays: the messages to its own recipient, or those of the whole service if the service is
down.
"""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from ops_project.model.alerting.receiver import EmailChannel, Receiver, SlackChannel, WebhookChannel
from ops_project.operations.alerting.delivery import Deliverer
from ops_project.operations.channels.registry import lacks, missing
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.schema import outbox
from ops_project.settings import Settings
from tests.operations.channels.http import http_server
from tests.operations.channels.messages import message
from tests.operations.channels.smtp import free_port, smtp_server

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RECEIVERS = {
    "team": Receiver(
        title="Team",
        channels=(
            EmailChannel(type="email", to="owners"),
            SlackChannel(type="slack"),
            WebhookChannel(type="webhook", url_env="TEST_HOOK", token_env="TEST_TOKEN"),
        ),
    )
}


@pytest.fixture
def place(tmp_path):
    settings = Settings.load(home=tmp_path)
    payload = message(tmp_path).payload
    keys = itertools.count()
    with Ledger.open(settings.ledger_url) as ledger:

        def put(channel: str, *recipients: str) -> None:
            with ledger.write() as connection:
                for name in recipients:
                    connection.execute(
                        outbox.insert(),
                        {
                            "key": f"{next(keys):016d}",
                            "kind": "alert",
                            "receiver": "team",
                            "channel": channel,
                            "recipient": name,
                            "severity": "high",
                            "rank": 2,
                            "reason": "first_notification",
                            "group_key": "g",
                            "firing": [1],
                            "resolved": [],
                            "payload": payload,
                            "created_at": NOW.timestamp(),
                            "state": "pending",
                            "attempts": 0,
                            "uncertain": 0,
                            "next_attempt_at": NOW.timestamp(),
                            "last_error": "",
                        },
                    )

        def deliver(at=NOW):
            return Deliverer(ledger, RECEIVERS, settings).deliver(lambda: at)

        yield put, deliver, ledger


def test_one_full_mailbox_holds_up_nobody_else(place, monkeypatch):
    put, deliver, ledger = place
    everybody = [f"{n:02d}@example.com" for n in range(21)]
    put("team/0-email", *everybody)
    with smtp_server() as (mailbox, port):
        monkeypatch.setenv("OPS_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("OPS_SMTP_PORT", str(port))
        mailbox.full = {everybody[0]}
        report = deliver()
    assert (report.delivered, report.failed, report.postponed) == (20, 1, 0)
    assert {m.envelope_to[0] for m in mailbox.messages} == set(everybody[1:])
    [waiting] = ledger.outbox_list("pending", 99)
    assert waiting["recipient"] == everybody[0] and "452" in waiting["last_error"]


def test_a_full_mailbox_and_a_server_that_shuts_down_on_one_channel(place, monkeypatch):
    put, deliver, ledger = place
    everybody = [f"{n}@example.com" for n in range(5)]
    put("team/0-email", *everybody)
    with smtp_server() as (mailbox, port):
        monkeypatch.setenv("OPS_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("OPS_SMTP_PORT", str(port))
        mailbox.full, mailbox.last = {everybody[1]}, {everybody[3]}
        first = deliver()
        assert (first.delivered, first.failed, first.postponed) == (2, 2, 1), "only the shutdown stops the channel"
        mailbox.last = set()
        second = deliver(NOW + MINUTE)
    assert (second.delivered, second.failed) == (2, 1)
    assert {m.envelope_to[0] for m in mailbox.messages} == {*everybody} - {everybody[1]}
    assert "452" in ledger.failing_channels(NOW + 6 * MINUTE, 5 * MINUTE)["team/0-email"]


def test_whom_a_mail_server_refuses_for_ever_is_named_though_the_others_have_the_message(place, monkeypatch):
    put, deliver, ledger = place
    put("team/0-email", "a@example.com,b@example.com,c@example.com")
    with smtp_server() as (mailbox, port):
        monkeypatch.setenv("OPS_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("OPS_SMTP_PORT", str(port))
        mailbox.unknown, mailbox.full = {"a@example.com"}, {"b@example.com"}
        assert deliver().failed == 1
        mailbox.full = set()
        report = deliver(NOW + MINUTE)
    assert [m.envelope_to for m in mailbox.messages] == [["c@example.com"], ["b@example.com"]]
    assert report.delivered == 1 and "a@example.com: 550" in report.errors["team/0-email"]
    assert "a@example.com: 550" in ledger.refused_since(NOW - MINUTE)["team/0-email"]
    [sent] = ledger.outbox_list("delivered", 9)
    assert "550" in sent["last_error"]


def test_a_server_that_is_down_is_asked_once(place, monkeypatch):
    put, deliver, _ = place
    put("team/0-email", "a@example.com", "b@example.com")
    monkeypatch.setenv("OPS_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("OPS_SMTP_PORT", str(free_port()))
    report = deliver()
    assert (report.failed, report.postponed) == (1, 1)


def test_a_service_that_asks_for_a_year_is_asked_again_within_minutes(place, monkeypatch):
    put, deliver, _ = place
    put("team/2-webhook", "")
    with http_server() as endpoint:
        monkeypatch.setenv("TEST_HOOK", endpoint.url)
        endpoint.answers = [(429, b"", {"Retry-After": "31536000"})]
        assert deliver().failed == 1
        assert deliver(NOW + 4 * MINUTE).delivered == 0
        assert deliver(NOW + 6 * MINUTE).delivered == 1


def test_no_secret_is_stored_or_told(place, monkeypatch):
    put, deliver, ledger = place
    put("team/1-slack", "")
    put("team/2-webhook", "")
    with http_server() as endpoint:
        monkeypatch.setenv("OPS_SLACK_WEBHOOK", f"{endpoint.url}/services/T000/SECRETSECRET42")
        monkeypatch.setenv("TEST_HOOK", f"{endpoint.url}/in?key=ANOTHERSECRET99")
        monkeypatch.setenv("TEST_TOKEN", "t0ken-t0ken-t0ken")
        # A service that repeats what it was sent.
        endpoint.answers = [
            (500, b"no route for /services/T000/SECRETSECRET42 at " + endpoint.url.encode(), {}),
            (500, b"bad token t0ken-t0ken-t0ken for /in?key=ANOTHERSECRET99", {}),
        ]
        report = deliver()
    assert report.failed == 2
    with ledger.read() as connection:
        stored = json.dumps([list(map(str, row)) for row in connection.execute(outbox.select())])
        stored += json.dumps(
            [list(map(str, row)) for row in connection.exec_driver_sql("SELECT * FROM deliveries").fetchall()]
        )
    for secret in ("SECRETSECRET42", "ANOTHERSECRET99", "t0ken-t0ken"):
        assert secret not in stored and secret not in json.dumps(report.errors)
    assert "***" in stored


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OPS_SLACK_WEBHOOK", "hooks.example.com/T0/SECRET", "https://"),
        ("OPS_SLACK_WEBHOOK", "https://hooks.example.com/T0 /SECRET", "blank"),
        ("OPS_SMTP_PORT", "smtp", "not a port"),
        ("OPS_SMTP_HOST", "mail example", "not a host name"),
        ("TEST_HOOK", "https://", "names no host"),
    ],
)
def test_an_address_that_cannot_be_used_is_seen_before_anything_is_sent(monkeypatch, tmp_path, name, value, words):
    for known in ("OPS_SMTP_HOST", "TEST_HOOK", "OPS_SLACK_WEBHOOK"):
        monkeypatch.setenv(known, "https://example.com/x" if known != "OPS_SMTP_HOST" else "mail")
    monkeypatch.setenv(name, value)
    settings = Settings.load(home=tmp_path)
    found = [lacks(item) for channel in RECEIVERS["team"].channels if (item := missing(channel, settings))]
    assert len(found) == 1 and name in found[0] and words in found[0] and "SECRET" not in found[0]
