"""However a service behaves, a sender returns within its time, follows no redirect and reads no more than it needs."""

from __future__ import annotations

import resource
import socket
import time
from datetime import timedelta

import pytest

from ops_project.operations.channels.email import EmailSender
from ops_project.operations.channels.http import ANSWER_BYTES, post
from ops_project.operations.channels.pagerduty import PagerDutySender
from ops_project.operations.channels.protocol import DeliveryError
from ops_project.operations.channels.slack import SlackTokenSender, SlackWebhookSender
from ops_project.operations.channels.webhook import WebhookSender
from tests.operations.channels.http import http_server
from tests.operations.channels.messages import message
from tests.operations.channels.misbehaving import HTTP, SMTP, misbehaving
from tests.operations.channels.smtp import smtp_server

SECONDS = 0.4
SILENT_SECONDS = 0.2
"""The limit where the service lets it pass. Its drops come every 20 ms."""
SLACK = 1.0
"""Additional time for a busy machine."""
SENDERS = {
    "webhook": lambda url, seconds=SECONDS: WebhookSender(url, "t0ken", seconds),
    "slack webhook": lambda url, seconds=SECONDS: SlackWebhookSender(url, seconds),
    "slack token": lambda url, seconds=SECONDS: SlackTokenSender("xoxb-1", "#team", url, seconds),
    "pagerduty": lambda url, seconds=SECONDS: PagerDutySender("KEY", url, seconds),
}


def _fails(sender, tmp_path, seconds=SECONDS, **fields) -> DeliveryError:
    written = message(tmp_path, **fields)
    began = time.monotonic()
    with pytest.raises(DeliveryError) as failed:
        sender.send(written)
    assert time.monotonic() - began < seconds + SLACK
    return failed.value


@pytest.fixture(scope="module", autouse=True)
def _read_once(tmp_path_factory):
    """Send a first message, so that templates are read and libraries are imported. This time must not count as the time
    of the service.
    """
    with http_server() as endpoint:
        SENDERS["webhook"](endpoint.url).send(message(tmp_path_factory.mktemp("first")))


@pytest.mark.parametrize("way", HTTP)
@pytest.mark.parametrize("sender", SENDERS)
def test_a_sender_comes_back_in_time(tmp_path, sender, way):
    with misbehaving(HTTP[way]) as server:
        error = _fails(SENDERS[sender](server.url, SILENT_SECONDS), tmp_path, SILENT_SECONDS)
    assert error.service_down and not error.permanent


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_is_no_delivery(tmp_path, sender, status):
    with http_server() as elsewhere, http_server() as endpoint:
        endpoint.answers = [(status, b"moved", {"Location": elsewhere.url})] * 2
        error = _fails(SENDERS[sender](endpoint.url), tmp_path)
        assert elsewhere.requests == [] and len(endpoint.requests) == 1
    assert "redirect" in str(error) and not error.permanent


def test_of_a_huge_answer_only_the_beginning_is_read():
    def huge(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(10_000):
            connection.sendall(b"x" * 100_000)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with misbehaving(huge) as server:
        answer = post("webhook", server.url, {}, seconds=5)
    assert answer.ok and len(answer.text) == ANSWER_BYTES
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize("words", ["-5", "nan", "1e9", "soon", "Wed, 21 Oct 2099 07:28:00 GMT", "٣"])
def test_a_retry_after_that_cannot_be_used_is_none(tmp_path, words):
    with http_server() as endpoint:
        endpoint.answers = [(429, b"", {"Retry-After": words.encode().decode("latin-1")})] * 4
        for make in SENDERS.values():
            assert _fails(make(endpoint.url), tmp_path).retry_after is None


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"a":' * 10_000, b'{"error":' + b"9" * 5_000 + b"}", b"\xff\x00"])
def test_an_answer_that_cannot_be_read_is_a_delivery_error(tmp_path, body):
    with http_server() as endpoint:
        endpoint.answers = [(503, body, {})] * 4
        for make in SENDERS.values():
            assert _fails(make(endpoint.url), tmp_path)


@pytest.mark.parametrize("words", ["31536000", "9" * 5_000])
def test_what_a_service_asks_for_is_bounded(tmp_path, words):
    with http_server() as endpoint:
        endpoint.answers = [(503, b"", {"Retry-After": words})]
        assert _fails(WebhookSender(endpoint.url, None, SECONDS), tmp_path).retry_after <= timedelta(days=1)


@pytest.mark.parametrize("address", ["hooks.example.com/T0/SECRETPART", "https://hooks.example.com/T0 /SECRETPART", ""])
def test_an_address_that_is_none_is_refused_and_not_repeated(tmp_path, address):
    for sender in ("webhook", "slack webhook"):
        error = _fails(SENDERS[sender](address), tmp_path)
        assert "address" in str(error) and "SECRETPART" not in str(error)


def mail_sender(port: int, tls: str, seconds: float) -> EmailSender:
    """A sender that signs in to a mail server of this machine."""
    known = {"sender": "ops@example.com", "user": "user", "password": "p4ssword"}
    return EmailSender("127.0.0.1", port, **known, tls=tls, seconds=seconds)


@pytest.mark.parametrize("way", SMTP)
@pytest.mark.parametrize("tls", ["auto", "implicit"])
def test_a_mail_server_that_misbehaves_does_not_hold_the_sender_up(tmp_path, way, tls):
    with misbehaving(SMTP[way]) as server:
        error = _fails(mail_sender(server.port, tls, SILENT_SECONDS), tmp_path, SILENT_SECONDS)
    assert error.service_down and not error.permanent


def test_a_password_is_not_sent_in_clear_unless_that_is_asked_for_by_name(tmp_path):
    said = []

    def plain(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        while line := connection.recv(4096):
            said.append(line)
            answer = b"250-hi\r\n250 AUTH PLAIN\r\n" if line.startswith(b"ehlo") else b"235 ok\r\n"
            connection.sendall(answer)

    for tls, sent in (("auto", False), ("starttls", False), ("none", True)):
        said.clear()
        with misbehaving(plain) as server:
            error = _fails(mail_sender(server.port, tls, SECONDS), tmp_path)
        assert any(line.startswith(b"AUTH") for line in said) is sent, tls
        if tls == "auto":
            assert "no encryption" in str(error) and "tls: none" in str(error) and "p4ssword" not in str(error)


def test_whoever_a_mail_server_defers_gets_it_later_and_the_others_once(tmp_path):
    with smtp_server() as (mailbox, port):
        mailbox.full = {"b@example.com"}
        sender = EmailSender("127.0.0.1", port, sender="ops@example.com", user=None, password=None, tls="auto")
        with pytest.raises(DeliveryError) as part:
            sender.send(message(tmp_path, recipient="a@example.com,b@example.com"))
        assert part.value.remaining == ("b@example.com",) and not part.value.service_down
        mailbox.full = set()
        sender.send(message(tmp_path, recipient="a@example.com,b@example.com", remaining=part.value.remaining))
    assert [m.envelope_to for m in mailbox.messages] == [["a@example.com"], ["b@example.com"]]


def test_nobody_is_forgotten_if_the_server_closes_between_two_recipients(tmp_path):
    """The first is refused for ever, the second is accepted, and at the third the server closes the connection."""
    answers = {b"a@": b"550 unknown\r\n", b"b@": b"250 ok\r\n", b"c@": b"421 shutting down\r\n"}

    def leaves(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        while line := connection.recv(65_536):
            connection.sendall(next((said for name, said in answers.items() if name in line), b"250 ok\r\n"))

    everybody = "a@example.com,b@example.com,c@example.com,d@example.com"
    with misbehaving(leaves) as server:
        sender = EmailSender(
            "127.0.0.1", server.port, sender="ops@localhost", user=None, password=None, tls="auto", seconds=SECONDS
        )
        error = _fails(sender, tmp_path, recipient=everybody)
    assert error.service_down and not error.permanent
    assert error.remaining == tuple(everybody.split(","))


def test_a_mail_that_was_taken_is_delivered_whatever_the_server_does_then(tmp_path):
    def rude(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        data = False
        while line := connection.recv(65_536):
            if data:
                connection.sendall(b"250 taken\r\n" if line.endswith(b"\r\n.\r\n") else b"")
                data = not line.endswith(b"\r\n.\r\n")
            elif line.lower().startswith(b"data"):
                data = True
                connection.sendall(b"354 go on\r\n")
            elif line.lower().startswith(b"quit"):
                connection.sendall(b"500 no\r\n")
            else:
                connection.sendall(b"250 ok\r\n")

    with misbehaving(rude) as server:
        sender = EmailSender(
            "127.0.0.1", server.port, sender="ops@example.com", user=None, password=None, tls="auto", seconds=5
        )
        assert sender.send(message(tmp_path)).startswith("accepted")
