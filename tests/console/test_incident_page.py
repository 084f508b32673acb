"""An incident on one page: everything that is known, and everything that can be done, with the audit of the shell."""

from __future__ import annotations

from tests.console.visit import Visit


def test_the_page_has_every_fact(visit, told):
    text = visit.text("/incidents/1")
    for words in (
        "P1 critical",
        "triggered",
        "nobody has it yet",
        "silver/fact_transactions",
        "gold/kpi_aggregate_profit",
        "<code>amount</code>",
        "Investor metrics, daily by 08:00 ET",
        "Runbook: ",
        "engineer on call",
        "/incidents/1/postmortem",
    ):
        assert words in text, words
    reasons = told.timeline()
    assert all(reason.replace("_", " ") in text for reason in reasons)


def test_the_post_mortem_draft_is_a_page(visit):
    assert "Root cause analysis" in visit.text("/incidents/1/postmortem")


def test_an_incident_that_is_not_there(visit):
    for path in ("/incidents/99", "/incidents/none", "/incidents/٣", "/incidents?state=lost"):
        assert visit.get(path).status_code == 404


def test_lists_by_state(visit):
    assert "/incidents/1" in visit.text("/incidents")
    assert "/incidents/1" not in visit.text("/incidents?state=resolved")


def test_acknowledge_take_over_give_back_note_resolve(fresh):
    with Visit(fresh) as visit:
        visit.act_as("engineer-b")
        assert "Acknowledged by engineer-b" in visit.done("/incidents/1/ack", note="on it")
        assert (fresh.incident().status, fresh.incident().responder) == ("acknowledged", "engineer-b")
        assert "already" in visit.done("/incidents/1/ack")
        visit.act_as("engineer-c")
        assert "engineer-c works on it now" in visit.done("/incidents/1/take")
        assert "the escalation ladder continues" in visit.done("/incidents/1/give-back")
        assert fresh.incident().status == "triggered"
        assert "Noted." in visit.done("/incidents/1/note", words="the source renamed a column")
        assert "Nothing was changed" in visit.done("/incidents/1/resolve", cause="", reason="")
        assert "Resolved by engineer-c" in visit.done(
            "/incidents/1/resolve", cause="renamed", reason="contract changed"
        )
    assert fresh.incident().status == "resolved"
    entries = [(e["who"], e["action"], e["outcome"]) for e in reversed(fresh.ledger.audit_log())]
    assert entries == [
        ("engineer-b", "acknowledge", "done"),
        ("engineer-b", "acknowledge", "refused"),
        ("engineer-c", "take over", "done"),
        ("engineer-c", "give back", "done"),
        ("engineer-c", "note", "done"),
        ("engineer-c", "resolve", "refused"),
        ("engineer-c", "resolve", "done"),
    ]
    assert all(e["source"].startswith("console (loopback), 127.0.0.1") for e in fresh.ledger.audit_log())


def test_silence_and_hold(fresh):
    with Visit(fresh) as visit:
        visit.act_as("engineer-a")
        assert "1 silence until" in visit.done("/incidents/1/silence", span="4h", reason="known")
        assert "at most 7 days" in visit.done("/incidents/1/silence", span="30d", reason="known")
        assert "did you mean silver/fact_transactions" in visit.done(
            "/incidents/1/hold", subject="silver/fact_transaction", why="wrong"
        )
        assert "is on hold" in visit.done("/incidents/1/hold", subject="silver/fact_transactions", why="wrong")
    [silence] = fresh.ledger.silences(fresh.now)
    assert silence.owner == "engineer-a" and silence.reason == "known"
    [hold] = fresh.ledger.holds()
    assert (hold.subject, hold.incident, hold.made_by) == ("silver/fact_transactions", 1, "engineer-a")
    assert "downstream_held" in fresh.timeline()


def test_a_step_of_the_runbook_runs_and_its_output_is_kept(fresh):
    asked: list[list[str]] = []

    def run(_settings, words):
        asked.append(words)
        return True, "what the step <printed>"

    with Visit(fresh, run=run) as visit:
        visit.act_as("engineer-a")
        answer = visit.send("/incidents/1/steps/1", headers={"hx-request": "true"})
        assert answer.status_code == 200 and "what the step &lt;printed&gt;" in answer.text
        assert "<html" not in answer.text
        assert visit.send("/incidents/1/steps/99").status_code == 404
        assert "what the step" in visit.text("/incidents/1")
    assert asked and asked[0][0] in ("alerts", "sql", "status", "incidents")
    [kept] = fresh.ledger.evidence(1)
    assert kept["by"] == "engineer-a" and "step 1" in kept["title"]
    assert "runbook_run" in fresh.timeline()
