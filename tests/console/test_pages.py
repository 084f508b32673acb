"""Every page of the console answers, and shows what is known and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops_project.column_lineage import Column, ColumnLineage, Origin
from ops_project.console.graph import drawing
from ops_project.console.pages.feeds import expected
from ops_project.console.pages.incidents import blast_of
from ops_project.lineage import AssetFacts, Lineage
from tests.console.visit import Visit


def test_alerts_are_listed_filtered_and_shown(visit):
    text = visit.text("/alerts")
    assert "Scheduled job investor_pipeline failed" in text and 'href="/incidents/1"' in text
    assert "investor_pipeline" not in visit.text("/alerts?domain=marketing")
    assert visit.get("/alerts?severity=dreadful").status_code == 404
    one = visit.text("/alerts/1")
    for words in ("job_failure", "run.failure", "engineer-a", "Where does it go, and why?", "condition true"):
        assert words in one, words


def test_a_verdict_is_kept_with_its_author(fresh):
    with Visit(fresh) as visit:
        visit.act_as("engineer-b")
        assert "Recorded: noise" in visit.done("/alerts/1/verdict", verdict="noise", why="a rehearsal")
        assert visit.send("/alerts/1/verdict", verdict="wrong", why="x").status_code == 422
    [verdict] = fresh.ledger.verdicts()
    assert (verdict["verdict"], verdict["by"], verdict["why"]) == ("noise", "engineer-b", "a rehearsal")


def test_a_silence_is_added_checked_and_ended(fresh):
    with Visit(fresh) as visit:
        visit.act_as("engineer-b")
        refused = {
            'asset="silver/fact_transactons"': "nearest: silver/fact_transactions",
            'asset=~".*"': "match every alert",
            "asset": "",
        }
        for matchers, words in refused.items():
            answer = visit.send("/silences", matchers=matchers, span="1h", reason="x")
            assert answer.status_code == 422 and words in answer.text
        assert visit.send("/silences", matchers='domain="investor"', span="8d", reason="x").status_code == 422
        assert visit.send("/silences", matchers='domain="investor"', span="1h", reason="").status_code == 422
        text = visit.done("/silences", matchers='domain="investor"', span="4h", reason="known since <yesterday>")
        assert "It silences 1 of the alerts that fire now" in text and "known since &lt;yesterday&gt;" in text
        assert "silent: engineer-b" in visit.text("/alerts")
        assert "Silence 1 has ended" in visit.done("/silences/1/end")
        assert visit.send("/silences/1/end").status_code == 404
    assert fresh.ledger.silences(fresh.now) == []


def test_an_alert_that_has_ended_is_not_shown_as_silent(fresh):
    with Visit(fresh) as visit:
        visit.act_as("engineer-b")
        visit.done("/silences", matchers='domain="investor"', span="4h", reason="known")
        assert "silent: engineer-b" in visit.text("/alerts?state=all")
        assert "Silence 1 of engineer-b" in visit.text("/alerts/1")
        fresh.job_succeeds()
        fresh.advance("1m")
        assert "silent: engineer-b" not in visit.text("/alerts?state=all")
        assert "Silence 1 of engineer-b" not in visit.text("/alerts/1")


def test_an_alert_says_why_nobody_was_told_with_the_words_of_the_shell(fresh):
    fresh.asset_fails("silver/fact_transactions")
    fresh.cycle()
    [number] = [alert.number for alert in fresh.ledger.alerts("open", None) if alert.asset]
    with Visit(fresh) as visit:
        assert "Nobody was told. Its group is sent at most 30 s after it fired" in visit.text(f"/alerts/{number}")
        visit.act_as("engineer-b")
        visit.done("/silences", matchers='asset="silver/fact_transactions"', span="4h", reason="known")
        assert "Nobody was told. It is silent: silence 1 of engineer-b" in visit.text(f"/alerts/{number}")


def test_a_route_is_explained_with_the_words_of_the_shell(visit, told):
    text = visit.text("/routes?rule=job_failure&domain=investor")
    assert "on-call/0-file" in text and "engineer-a" in text and "not told" in text
    assert "there is no rule" in visit.text("/routes?rule=none")
    assert "not understood" in visit.text("/routes?rule=job_failure&at=soon")


def test_a_changed_rule_is_replayed_by_the_command(told):
    asked = []

    def run(_settings, words):
        asked.append(words)
        assert "severity: medium" in (Path(words[5]) / "rules.d" / "zz-change.yaml").read_text()
        return True, (
            '{"days": 3, "signals": 9, "notifications": 4, "pages": 2, "notifications_after": 3, "pages_after": 0,'
            '"added": {"notifications": 0, "pages": 0}, "removed": {"notifications": 1, "pages": 2}, "changes": [],'
            '"left_out": {"on-call/2-pagerduty": "OPS_PAGERDUTY_ROUTING_KEY is not set"}}'
        )

    with Visit(told, run=run) as visit:
        change = "rules:\n  job_failure:\n    severity: medium\n"
        answer = visit.send("/routes/replay", change=change, days="3")
        assert answer.status_code == 200 and "instead of 4" in answer.text
        assert "on-call/2-pagerduty is left out, but counted here: OPS_PAGERDUTY_ROUTING_KEY is not set" in answer.text
        for wrong in (
            {"change": "- 1", "days": "3"},
            {"change": change, "days": "99"},
            {"change": "a: [", "days": "1"},
        ):
            assert visit.send("/routes/replay", **wrong).status_code == 422
    assert asked[0][:4] == ["rules", "replay", "--days", "3"]


def test_feeds_say_unknown_where_nothing_was_landed(visit):
    text = visit.text("/feeds")
    assert "Nothing has been landed yet" in text and "transactions" in text
    one = visit.text("/feeds/orders")
    assert "Unknown: there is no snapshot yet." in one and "order_id" in one and "every day" in one
    assert visit.get("/feeds/none").status_code == 404
    assert visit.get("/batches/none").status_code == 404


def test_assets_are_searched_and_shown(visit):
    assert "silver/fact_transactions" in visit.text("/assets")
    part = visit.get("/assets?q=profit", **{"hx-request": "true"}).text
    assert "gold/kpi_aggregate_profit" in part and "fact_transactions" not in part and "<html" not in part
    one = visit.text("/assets/silver/fact_transactions")
    assert "1 upstream, 1 downstream" in one and "team:investor-metrics" in one and "<svg" in one
    assert "Unknown: there is no snapshot yet." in one
    assert visit.get("/assets/gold/none").status_code == 404


def test_the_way_of_a_column_is_drawn_with_links(fresh):
    field, amount = Column("inbound/transactions", "amt"), Column("bronze/transactions", "amount")
    profit = Column("gold/kpi_aggregate_profit", "profit<b>")
    origins = {
        field: Origin("proven"),
        amount: Origin("proven", (field,), personal=True),
        profit: Origin("unknown", (amount,), reason="a <macro> that is not read"),
    }
    fresh.ledger.keep_columns(ColumnLineage(origins, "v1"), "c0ffee", fresh.now)
    with Visit(fresh) as visit:
        page = visit.text("/assets/gold/kpi_aggregate_profit?column=profit%3Cb%3E")
        assert "Where gold.kpi_aggregate_profit.profit&lt;b&gt; comes from" in page and "profit<b>" not in page
        assert '<svg xmlns="http://www.w3.org/2000/svg"' in page and "<style>" not in page, "the page has the styles"
        assert "a &lt;macro&gt; that is not read" in page and 'href="/feeds/transactions"' in page
        assert 'href="/assets/bronze/transactions?column=amount&amp;direction=up#column"' in page
        down = visit.text("/assets/bronze/transactions?column=amount&direction=down")
        assert "Where bronze.transactions.amount goes to" in down and "1 other table." in down
        refused = visit.get("/assets/bronze/transactions?column=none")
        assert refused.status_code == 404 and "columns: amount" in refused.text


def test_the_rota_and_a_swap(fresh):
    with Visit(fresh) as visit:
        text = visit.text("/oncall")
        assert "The next eight weeks" in text and "Score, a year ahead" in text
        shifts = re.findall(r'<option value="(\d{4}-\d\d-\d\d)">[^<]*, (Engineer [A-D])', text)
        mine = next(day for day, who in shifts if who == "Engineer A")
        other = next(day for day, who in shifts if who == "Engineer B")
        visit.act_as("engineer-a")
        assert "engineer-b has to agree" in visit.done("/oncall/swaps", shift=mine, other=other, why="holiday")
        assert "Nothing was changed" in visit.done("/oncall/swaps/1/accept")
        visit.act_as("engineer-b")
        assert "Swap 1 is valid now" in visit.done("/oncall/swaps/1/accept")
        assert "Swap 1 has ended" in visit.done("/oncall/swaps/1/end")
        assert visit.send("/oncall/swaps", shift="soon", other=other).status_code == 422
    assert [e["action"] for e in fresh.ledger.audit_log()] == ["end swap", "accept swap", "accept swap", "ask swap"]


def test_every_link_of_every_page_leads_somewhere(visit):
    seen, waiting = set(), ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.startswith("/static"):
            continue
        seen.add(path)
        text = visit.text(path)
        found = re.findall(r'href="(/[^"#]*)"', text)
        waiting += [link.replace("&amp;", "&") for link in found if _of_interest(link)]
    assert len(seen) > 20


def _of_interest(link: str) -> bool:
    """One example of each kind, if there are many."""
    if link.startswith("/runbooks/"):
        return link.endswith("pipeline-failure")
    if link.startswith("/figures/"):
        return link.startswith("/figures/operational")
    if link.startswith("/feeds/"):
        return link.endswith("/orders")
    return not link.startswith("/boards/queries-")


@pytest.mark.parametrize(
    ("roots", "up", "columns"),
    [
        (["b"], True, {"a": 0, "b": 1, "c": 2, "d": 3}),
        (["a"], False, {"a": 0, "b": 1, "c": 2, "d": 3}),
        (["d"], False, {"d": 0}),
    ],
)
def test_the_graph_is_drawn_from_left_to_right(roots, up, columns):
    lineage = Lineage.of(
        [AssetFacts("a"), AssetFacts("b", ("a",)), AssetFacts("c", ("b",)), AssetFacts("d", ("c", "a"))]
    )
    found = drawing(lineage, roots, up=up, wrong={"b"})
    lefts = sorted({node.x for node in found.nodes})
    assert {node.key: lefts.index(node.x) for node in found.nodes} == columns
    assert all("wrong" in node.kinds for node in found.nodes if node.key == "b")
    assert len({(node.x, node.y) for node in found.nodes}) == len(found.nodes)


def test_a_large_graph_says_what_it_leaves_out():
    lineage = Lineage.of([AssetFacts("root"), *(AssetFacts(f"t{n}", ("root",)) for n in range(200))])
    found = drawing(lineage, ["root"])
    assert len(found.nodes) == 60 and found.left_out == 141


def test_what_several_alerts_reach_is_counted_together():
    lineage = Lineage.of([AssetFacts("a"), AssetFacts("b"), AssetFacts("c", ("a",)), AssetFacts("d", ("b", "c"))])
    nothing = {"exposures": [], "slas": [], "slas_at_risk": []}
    facts = [{"assets": [start], "blast_radius": nothing} for start in ("a", "b")]
    assert blast_of(lineage, facts)["assets"] == 2
    assert blast_of(lineage, [])["assets"] == 0


def test_when_a_feed_is_expected_is_said_in_words(told):
    from ops_project.catalog import load

    assert {expected(feed) for feed in load(told.settings).feeds.values()} <= {
        "every day",
        "on its weekdays",
        "once a month",
        "by its calendar",
        "whenever it comes",
    }
