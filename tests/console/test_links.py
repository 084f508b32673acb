"""A link acts once, for a while, and only with its signature; opening it changes nothing."""

from __future__ import annotations

import json
import secrets
import stat
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from ops_project.console.app import create_app
from ops_project.operations.incidents.links import KeyExposed, Link, LinkRefused, key, sign, verify
from tests.operations.incidents.world import IncidentWorld


@pytest.fixture
def day(tmp_path):
    world = IncidentWorld(tmp_path, "2026-03-04 04:10")
    world.job_fails()
    world.advance("1m")
    return world


def _client(day) -> TestClient:
    return TestClient(create_app(day.settings, clock=lambda: day.now))


def _links(day, recipient: str = "engineer-a") -> dict[str, str]:
    """label → path, as in the message that was sent."""
    lines = (day.settings.home / "alerts" / "alerts.jsonl").read_text().splitlines()
    text = next(json.loads(line)["text"] for line in lines if json.loads(line)["recipient"] == recipient)
    found = [line.split(": http", 1) for line in text.splitlines() if "/act/" in line]
    return {label: "/act/" + url.rsplit("/act/", 1)[1] for label, url in found}


def test_the_page_that_was_sent_acknowledges_with_a_button_and_not_when_it_is_opened(day):
    link = _links(day)["Acknowledge"]
    client = _client(day)
    for _ in range(3):  # a mail scanner opens the link
        opened = client.get(link)
        assert opened.status_code == 200 and "<button" in opened.text
        client.head(link)
    assert day.incident().status == "triggered"
    assert day.ledger.audit_log() == []
    done = client.post(link, headers={"user-agent": "telephone"})
    assert done.status_code == 200 and "Acknowledged by engineer-a" in done.text
    assert (day.incident().status, day.incident().responder) == ("acknowledged", "engineer-a")
    [entry] = day.ledger.audit_log()
    assert (entry["who"], entry["action"], entry["outcome"], entry["subject"]) == (
        "engineer-a",
        "acknowledge",
        "done",
        "incident 1",
    )
    assert "telephone" in entry["source"] and "testclient" in entry["source"]


def test_a_link_holds_once(day):
    link = _links(day)["Take over"]
    client = _client(day)
    assert client.post(link).status_code == 200
    again = client.post(link)
    assert again.status_code == 410 and "used already" in again.text
    assert client.get(link).status_code == 410
    assert [e["outcome"] for e in day.ledger.audit_log()] == ["refused", "done"]


def test_it_expires(day):
    link = _links(day)["Acknowledge"]
    day.now += timedelta(hours=25)
    refused = _client(day).post(link)
    assert refused.status_code == 403 and "expired" in refused.text
    assert day.incident().status == "triggered"


@pytest.mark.parametrize("damage", ["", "x", "x.y", "é.é", "{}.{}", "A" * 5000])
def test_without_a_valid_signature_nothing_changes(day, damage):
    path = "/act/" + (damage or "AAAA")
    client = _client(day)
    assert client.get(path).status_code in (403, 404)
    assert client.post(path).status_code in (403, 404)
    assert day.incident().status == "triggered"


def test_every_changed_character_is_refused(day):
    path = _links(day)["Acknowledge"]
    token = path.removeprefix("/act/")
    secret = key(day.settings.links)
    verify(token, secret, day.now)
    for index in range(0, len(token) - 1, 7):
        changed = token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :]
        with pytest.raises(LinkRefused):
            verify(changed, secret, day.now)
    other = sign(replace(verify(token, secret, day.now), incident=2), b"0" * 32)
    assert _client(day).post(f"/act/{other}").status_code == 403


def test_resolving_asks_for_cause_and_reason_and_the_link_is_not_spent_before(day):
    link = _links(day)["Resolve"]
    client = _client(day)
    assert client.post(link).status_code == 422
    assert day.incident().status == "triggered"
    done = client.post(
        link,
        data="cause=a+bad+release&reason=rolled+back",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert done.status_code == 200
    assert (day.incident().status, day.incident().cause) == ("resolved", "a bad release")


def test_silencing_for_an_hour_silences_what_fires_and_nothing_else(day):
    client = _client(day)
    assert client.post(_links(day)["Silence for one hour"]).status_code == 200
    [silence] = day.ledger.silences(day.now)
    assert silence.ends_at - silence.starts_at == timedelta(hours=1)
    assert {str(m) for m in silence.matchers} == {'alertname="job_failure"', 'pipeline="investor_pipeline"'}


def test_a_reader_who_is_not_one_person_says_who_acts(day):
    secret = key(day.settings.links)
    text = sign(Link("acknowledge", 1, "", day.now + timedelta(hours=1), "shared"), secret)
    client = _client(day)
    assert "Who are you?" in client.get(f"/act/{text}").text
    assert client.post(f"/act/{text}").status_code == 422
    header = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post(f"/act/{text}", data="who=nobody", headers=header).status_code == 422
    assert client.post(f"/act/{text}", data="who=engineer-b", headers=header).status_code == 200
    assert day.incident().responder == "engineer-b"


def test_the_key_is_the_homes_own_and_nobody_else_reads_it(day):
    path = day.settings.links / "links.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(KeyExposed, match="read by others"):
        key(day.settings.links)
    assert _client(day).get("/act/x.y").status_code == 403


def test_a_kill_while_the_key_is_made_leaves_no_half_of_it(tmp_path, monkeypatch):
    def killed(_: int) -> bytes:
        assert not (tmp_path / "links.key").exists(), "no other process reads it yet"
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(secrets, "token_bytes", killed)
        key(tmp_path)
    assert len(key(tmp_path)) == 32 and key(tmp_path) == key(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["links.key"]
    assert stat.S_IMODE((tmp_path / "links.key").stat().st_mode) == 0o600


def test_what_came_from_outside_is_escaped_and_no_script_runs(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    day.signal(
        "run.failure", "firing", pipeline="<script>alert(1)</script>", domain="investor", labels={"scheduled": "true"}
    )
    day.advance("1m")
    text = sign(Link("acknowledge", 1, "engineer-a", day.now + timedelta(hours=1), "x"), key(day.settings.links))
    answer = _client(day).get(f"/act/{text}")
    assert "<script>alert" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_every_runbook_is_a_page(day):
    client = _client(day)
    listed = client.get("/runbooks")
    assert listed.status_code == 200 and "/runbooks/pipeline-failure" in listed.text
    shown = client.get("/runbooks/pipeline-failure")
    assert "<h2>Diagnosis</h2>" in shown.text
    assert client.get("/runbooks/../owners").status_code == 404
    assert client.get("/runbooks/none").status_code == 404
    assert client.get("/health").text == "ok\n"


def test_more_pages_can_be_given_to_the_application(day):
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def more(_request):
        return PlainTextResponse("more")

    assert TestClient(create_app(day.settings, routes=[Route("/more", more)])).get("/more").text == "more"
