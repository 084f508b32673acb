"""What a person who was woken sees: the subject, the preview, what to do, the message, and a list if there are many
alerts.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from ops_project.operations.alerting.decide.recipients import of_owners
from ops_project.operations.alerting.rendering.email import as_html, preview
from ops_project.operations.alerting.rendering.lines import as_text, facts
from ops_project.operations.alerting.rendering.slack import as_slack
from tests.operations.channels.messages import message
from tests.scenarios.world import World

GRAPH = {f"gold/t{n:03d}": {} for n in range(150)}


@pytest.fixture
def world(monkeypatch, tmp_path):
    return lambda **options: World(monkeypatch, tmp_path, **options)


def test_what_to_do_and_what_it_said_stand_before_everything_else(tmp_path):
    payload = message(tmp_path).payload
    names = [name for name, _ in facts(payload["alerts"][0], payload)]
    assert names[:2] == ["First response", "Error"]
    assert names[-1] == "Commands"
    assert preview(payload).startswith("ValueError: ") and "Do first: Open the run at the failed step" in preview(
        payload
    )
    html = as_html(payload)
    shown = html[html.index("max-width") :]
    assert shown.index("Do first:") < shown.index("could not cast") < shown.index("Owners")
    assert "2026-03-04 07:10 UTC (02:10 EST)" in html, "the clock of whoever reads it, too"


def test_a_repaired_alert_says_how_long_it_lasted_and_asks_for_nothing(tmp_path):
    payload = message(tmp_path, "resolved").payload
    told = dict(facts(payload["alerts"][0], payload))
    assert told["Since"].endswith("after 1 min") and "It was" in told
    assert not {"First response", "Error", "SLA at risk"} & set(told)
    assert "ack" not in told["Commands"] and preview(payload) == "Well again after 1 min."


def _many(world, count: int):
    day = world(graph=GRAPH)
    for n in range(count):
        day.fails("asset.failure", asset=f"gold/t{n:03d}", message="```" + "<x> & y " * 900)
    day.advance("1m")
    return next(n for n in day.inbox if n.channel == "data-team/2-email").payload


def test_a_hundred_failures_are_a_number_three_cards_and_a_list_within_slacks_limits(world):
    payload = json.loads(json.dumps(_many(world, 150)))
    text, html, blocks = as_text(payload), as_html(payload), as_slack(payload)["blocks"]
    assert payload["subject"] == "[HIGH] gold/t000 was not built and 149 more"
    for shown in (text, html):
        assert "150 open" in shown and "gold/t102 was not built" in shown and "gold/t103 was not built" not in shown
        assert "and 47 more" in shown
        assert shown.count("Open the run at the failed step") <= 4
    assert len(blocks) <= 50 and len(blocks[0]["text"]["text"]) <= 150
    assert max(len(block["text"]["text"]) for block in blocks if "text" in block) <= 3000
    assert len(html) < 102_000, "Gmail cuts a message off there"
    # A code fence or a bracket in the error does not end the block.
    card = blocks[2]["text"]["text"]
    assert card.count("```") == 2 and "<x>" not in card


def _listed(count: int, **fields):
    alert = {
        "status": "firing",
        "severity": "high",
        "owners": ["Team E-commerce Data Engineering (team)"],
        "until": None,
        "since": "2026-03-04T15:00:00+00:00",
        "response": "r",
        "message": "m",
        "assets": ["a"],
        "partition": "",
        "labels": {},
        "check": "",
        "pipeline": "",
        "failure_class": "",
        "runbook": "",
        "run_id": "",
        "batch_id": "",
        "silent_under_it": [],
        "flaps": 0,
        "blast_radius": {"slas": [], "exposures": [], "asset_count": 0, "assets": []},
    }
    alerts = [
        {
            **alert,
            "number": 100 + n,
            "summary": f"Check control_total of silver/fact_order_items_{n:02d} failed",
            **fields,
        }
        for n in range(count)
    ]
    return {"subject": "[HIGH] many", "alerts": alerts, "digest": False, "ui_url": "", "status": "firing"}


def _seen_in_slack(payload):
    blocks = as_slack(payload)["blocks"]
    texts = [block["text"]["text"] for block in blocks if "text" in block]
    assert len(blocks) <= 50 and all(0 < len(text) <= 3000 for text in texts)
    return "\n".join(texts)


@pytest.mark.parametrize("count", [4, 23, 103, 250])
@pytest.mark.parametrize("summary", ["x", "A check of ninety characters " * 3, "y" * 400, "<&>" * 900, "z" * 3500])
def test_slack_shows_every_alert_or_says_how_many_it_leaves_out(count, summary):
    text = _seen_in_slack(_listed(count, summary=summary))
    shown = sum(f"#{100 + n} " in text for n in range(count))
    more = re.search(r"and (\d+) more: `ops alerts list`", text)
    assert shown + (int(more[1]) if more else 0) == count
    if len(summary) < 100:
        assert shown == min(count, 103)
    # No reserved character is cut in two.
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)


def test_the_list_of_the_others_is_opened_in_the_home_of_the_message():
    payload = _listed(250) | {"ops": "ops --home /srv/a", "at": "2026-03-04T07:10:00+00:00"}
    for told in (as_text(payload), as_html(payload), _seen_in_slack(payload)):
        assert re.search(r"and \d+ more: (`|<code>)?ops --home /srv/a alerts list", told)


def test_slack_loses_no_fact_and_no_end_of_a_fence_to_a_long_one():
    text = _seen_in_slack(_listed(1, message="&" * 5000, assets=["bronze/" + "t" * 2800], partition="2026-03-04"))
    assert text.count("```") == 2 and "*Partition:* 2026-03-04" in text and "ops alerts ack 100" in text
    notice = {
        **_listed(0),
        "text": "\n".join(f"line {n:03d} " + "w" * 90 for n in range(60)),
        "facts": [(f"fact {n}", "v" * 200) for n in range(30)],
    }
    text = _seen_in_slack(notice)
    assert all(f"line {n:03d} " in text for n in range(60)) and all(f"fact {n}:" in text for n in range(30))
    endless = _seen_in_slack({**_listed(250), "text": "\n".join(f"line {n} " + "w" * 900 for n in range(900))})
    assert "more lines" in endless and "ops alerts list" in endless and "#100 " in endless


def test_a_digest_is_a_line_for_each_alert(world):
    day = world(graph=GRAPH, at="2026-03-04 08:00")
    day.reads("storage.bytes", 120e9, check="archive")
    day.advance("40m", timedelta(minutes=1))
    payload = next(n for n in day.inbox if n.channel == "digest/1-email").payload
    assert "#1 LOW The home's archive takes 120 GB – Infrastructure (team)" in as_text(payload)
    assert "First response" not in as_text(payload) and "1 open" in as_html(payload)


def test_an_alert_about_no_asset_belongs_to_its_rules_team_or_its_pipelines_first_owner(world):
    day = world(graph=GRAPH)
    day.reads("resource.disk_percent", 95.0, check="home")
    day.fails("run.failure", pipeline="streaming_pipeline", domain="streaming", labels={"scheduled": "false"})
    day.advance("1m")
    owners = {a.rule: a.owners for a in day.state.alerts.values()}
    assert owners == {"disk_full": ("team:infrastructure",), "job_failure_manual": ("team:streaming-data",)}
    mails = [n.recipient for n in day.inbox if n.channel.endswith("-email")]
    assert mails.count("infrastructure@example.com") == 1 and "" not in mails


def test_what_is_about_nothing_that_anybody_owns_is_somebodys_all_the_same(world):
    day = world(graph=GRAPH)
    day.fails("delivery.failure", check="business-team/1-email")
    day.fails("schedule.tick_missed", check="somebodys_schedule")
    day.advance("1m")
    assert {a.owners for a in day.state.alerts.values()} == {("team:data-engineering",)}
    mails = [n for n in day.inbox if n.channel.endswith("-email")]
    assert all(n.recipient for n in mails), "a page to nobody was refused, and that became an alert of its own"
    told = [n.recipient for n in mails for alert in n.payload["alerts"] if alert["rule"] == "delivery_failing"]
    assert told.count("data-team@example.com") == 1
    assert [n.recipient for n in mails if n.receiver == "on-call"] == ["engineer.a@example.com"]


def test_no_mail_goes_to_nobody(world):
    config = world(graph=GRAPH).config
    [mail] = [channel for channel in config.receivers["owners"].channels if channel.type == "email"]
    assert of_owners(mail, (), config) == []
