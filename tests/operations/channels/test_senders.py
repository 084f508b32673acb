"""Each receiver against a real server on loopback."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from ops_project.model.alerting.receiver import EmailChannel
from ops_project.operations.channels.console import ConsoleSender
from ops_project.operations.channels.email import EmailSender, missing
from ops_project.operations.channels.file import FileSender
from ops_project.operations.channels.pagerduty import PagerDutySender
from ops_project.operations.channels.protocol import DeliveryError
from ops_project.operations.channels.slack import SlackTokenSender, SlackWebhookSender
from ops_project.operations.channels.webhook import WebhookSender
from ops_project.settings import Settings
from tests.operations.channels.http import http_server
from tests.operations.channels.messages import message
from tests.operations.channels.smtp import free_port, smtp_server

SAID = (
    "bronze/transactions was not built",
    "2026-03-03",
    "2026-03-04 07:10 UTC",
    "high",
    "Investor Metrics (team)",
    "silver/fact_transactions",
    "gold/kpi_aggregate_profit",
    "investor report",
    "Investor metrics, daily by 08:00 ET",
    "data_invalid",
    "Open the run at the failed step",
    "ops runbook show pipeline-failure",
    "/runs/0123456789abcdef",
)
HIDDEN = ("jane.doe", "hunter2", "secret@db")


def _mailer(port: int) -> EmailSender:
    return EmailSender("127.0.0.1", port, sender="ops@example.com", user=None, password=None, tls="auto")


def test_an_email_says_everything_in_text_and_html_and_gives_no_personal_data_away(tmp_path):
    with smtp_server() as (mailbox, port):
        _mailer(port).send(message(tmp_path, recipient="a@example.com,b@example.com"))
    [email] = mailbox.messages
    assert email.envelope_to == ["a@example.com", "b@example.com"]
    assert email["Subject"] == "[HIGH] bronze/transactions was not built"
    text, html = (email.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for part in (text, html):
        assert [said for said in SAID if said.lower() not in part.lower()] == []
        assert [hidden for hidden in HIDDEN if hidden in part] == []
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_a_repeated_email_keeps_its_message_id_and_a_group_is_one_thread(tmp_path):
    with smtp_server() as (mailbox, port):
        sender = _mailer(port)
        sender.send(message(tmp_path))
        sender.send(message(tmp_path, uncertain=1))
        sender.send(message(tmp_path, "resolved"))
    first, again, resolved = mailbox.messages
    assert first["Message-ID"] == again["Message-ID"]
    assert first["References"] == resolved["References"]
    assert resolved["Subject"].startswith("[RESOLVED]")


def test_a_mail_server_that_is_down_or_defers_is_tried_again_and_one_that_refuses_is_not(tmp_path):
    with pytest.raises(DeliveryError) as down:
        _mailer(free_port()).send(message(tmp_path))
    assert not down.value.permanent
    with smtp_server() as (mailbox, port):
        mailbox.refuse = "451 try later"
        with pytest.raises(DeliveryError) as deferred:
            _mailer(port).send(message(tmp_path))
        mailbox.refuse = "554 never"
        with pytest.raises(DeliveryError) as refused:
            _mailer(port).send(message(tmp_path))
    assert not deferred.value.permanent and refused.value.permanent


def test_slack_by_webhook_and_by_token(tmp_path):
    with http_server() as endpoint:
        SlackWebhookSender(endpoint.url + "/hook").send(message(tmp_path))
        endpoint.body = json.dumps({"ok": True, "channel": "C1", "ts": "1.2"}).encode()
        SlackTokenSender("xoxb-1", "#team", endpoint.url + "/api/").send(message(tmp_path, recipient="#own"))
    (hook, _, posted), (api, headers, by_token) = endpoint.requests
    assert hook == "/hook" and api == "/api/chat.postMessage" and headers["Authorization"] == "Bearer xoxb-1"
    assert by_token["channel"] == "#own"
    text = json.dumps(posted, ensure_ascii=False)
    assert [said for said in SAID if said.lower() not in text.lower() and "/runs/" not in said] == []
    assert [hidden for hidden in HIDDEN if hidden in text] == []
    assert "<script>" not in text
    assert all(len(b["text"]["text"]) <= 3000 for b in posted["blocks"] if "text" in b) and len(posted["blocks"]) <= 50


def test_slack_says_when_to_come_back(tmp_path):
    with http_server() as endpoint:
        endpoint.answers = [(429, b"rate_limited", {"Retry-After": "7"})]
        with pytest.raises(DeliveryError) as limited:
            SlackWebhookSender(endpoint.url).send(message(tmp_path))
    assert limited.value.retry_after == timedelta(seconds=7) and not limited.value.permanent


def _accepted(body):
    return json.dumps({"status": "success", "dedup_key": body["dedup_key"]}).encode()


def test_pagerduty_triggers_acknowledges_and_resolves_under_one_key(tmp_path):
    with http_server() as endpoint:
        endpoint.answers = [(202, _accepted, {})] * 3
        sender = PagerDutySender("R0UTINGKEY", endpoint.url)
        sender.send(message(tmp_path))
        sender.send(message(tmp_path, kind="acknowledge"))
        sender.send(message(tmp_path, "resolved"))
    bodies = [body for _, _, body in endpoint.requests]
    assert [body["event_action"] for body in bodies] == ["trigger", "acknowledge", "resolve"]
    assert len({body["dedup_key"] for body in bodies}) == 1
    assert {body["routing_key"] for body in bodies} == {"R0UTINGKEY"}
    payload = bodies[0]["payload"]
    assert payload["severity"] == "error" and payload["source"] == "bronze/transactions"
    assert bodies[0]["links"][0]["href"].endswith("/runs/0123456789abcdef")


@pytest.mark.parametrize(("status", "permanent"), [(400, True), (429, False), (500, False)])
def test_pagerduty_errors(tmp_path, status, permanent):
    with http_server() as endpoint:
        endpoint.answers = [(status, b"{}", {})]
        with pytest.raises(DeliveryError) as failed:
            PagerDutySender("KEY", endpoint.url).send(message(tmp_path))
        assert len(endpoint.requests) == 1, "the outbox retries, not the client"
    assert failed.value.permanent is permanent


def test_a_webhook_carries_alertmanagers_fields_an_idempotency_key_and_the_token(tmp_path):
    with http_server() as endpoint:
        WebhookSender(endpoint.url, "t0ken").send(message(tmp_path))
    [(_, headers, body)] = endpoint.requests
    assert headers["Idempotency-Key"] == "abcdef0123456789" and headers["Authorization"] == "Bearer t0ken"
    assert (body["version"], body["status"]) == ("4", "firing")
    assert body["alerts"][0]["labels"]["alertname"] == "asset_failure"


def test_a_file_is_written_once_though_the_message_comes_twice(tmp_path):
    sender = FileSender(tmp_path / "alerts")
    sender.send(message(tmp_path))
    sender.send(message(tmp_path, uncertain=1))
    lines = (tmp_path / "alerts" / "alerts.jsonl").read_text().splitlines()
    assert len(lines) == 1
    page = (tmp_path / "alerts" / "alert-000001.md").read_text()
    assert [said for said in SAID if said not in page] == []


def test_a_file_that_cannot_be_written_is_a_delivery_error(tmp_path):
    (tmp_path / "alerts").write_text("in the way")
    with pytest.raises(DeliveryError):
        FileSender(tmp_path / "alerts").send(message(tmp_path))


def test_the_console_gets_one_line_for_each_alert(tmp_path):
    stream = io.StringIO()
    ConsoleSender(stream).send(message(tmp_path))
    assert stream.getvalue() == "ALERT #1 high: bronze/transactions was not built [Investor Metrics (team)]\n"


def test_a_page_on_the_console_says_whom_it_interrupts(tmp_path):
    stream = io.StringIO()
    paged = message(tmp_path)
    paged.payload.update(page=True, to=["Engineer A"])
    ConsoleSender(stream).send(paged)
    assert stream.getvalue() == (
        "PAGE #1 high: bronze/transactions was not built [Investor Metrics (team)] → Engineer A\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OPS_SMTP_FROM", "ops@example.com\r\nBcc: eve@example.com", "line break"),
        ("OPS_SMTP_FROM", "nobody", "it is not an address"),
        ("OPS_SMTP_FROM", "Jörg <jörg@example.com>", "it is not an address"),
        ("OPS_SMTP_FROM", "Jörg <ops@example.com>", ""),
        ("OPS_SMTP_FROM", "ops@localhost", ""),
        ("OPS_SMTP_PASSWORD", "geheim-ü", "not ASCII"),
        ("OPS_SMTP_USER", "jörg", "not ASCII"),
        ("OPS_SMTP_PASSWORD", "secret", ""),
    ],
)
def test_a_variable_of_the_mail_server_that_cannot_work_is_named_before_anything_is_sent(
    name: str, value: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the variable were used, each message would fail, again and again, with an error of the library."""
    monkeypatch.setenv("OPS_SMTP_HOST", "localhost")
    monkeypatch.setenv(name, value)
    channel = EmailChannel(type="email", to=("ada@example.com",))
    found = missing(channel, Settings.load(home=tmp_path))
    assert len(found) == bool(said)
    assert all(one.startswith(f"{name} (") and said in one for one in found)
    assert value not in "".join(found)
