"""A line is measured, or asks a person and keeps the answer; a gap is an alert; unknown is neither."""

from __future__ import annotations

import json
from datetime import timedelta

from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.pipeline.landing import ensure_tables
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from tests.operations.incidents.world import IncidentWorld


def _ops(day: IncidentWorld, *words: str):
    return CliRunner().invoke(cli, ["--home", str(day.settings.home), "--as-of", day.now.isoformat(), *words])


def _judged(day: IncidentWorld, name: str) -> dict[str, dict]:
    return {line["line"]: line for line in json.loads(_ops(day, "checklist", "run", name, "--json").output)["lines"]}


def _open(day: IncidentWorld) -> list[str]:
    return sorted(a.labels["check"] for a in day.ledger.alerts("open") if a.rule == "checklist_gap")


def test_the_daily_list_measures_asks_and_raises_an_alert_for_a_gap(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 09:00")
    first = _judged(day, "daily")
    assert first["critical"]["state"] == "well" and first["critical"]["value"] == "0 (at most 0)"
    assert first["findings"]["state"] == "unknown", "there is no snapshot: never green"
    assert first["quality"]["state"] == "unknown"
    assert first["handover"]["state"] == "waits"

    day.job_fails()
    day.advance("1m")
    ended = _ops(day, "checklist", "run", "daily")
    assert ended.exit_code == 1
    day.advance("1m")
    assert {"daily.critical", "daily.jobs", "daily.incidents"} <= set(_open(day))
    day.job_succeeds()
    day.advance("1m")
    assert _judged(day, "daily")["jobs"]["state"] == "well"
    day.advance("1m")
    assert "daily.jobs" not in _open(day)


def test_a_low_score_is_a_gap_and_a_score_that_is_not_known_is_named(tmp_path):
    """A known gap counts as a gap, even if something else is unknown. Otherwise the line names the tables about which
    nothing is known.
    """
    day = IncidentWorld(tmp_path, "2026-03-04 09:00")
    for name in ("a", "b", "c", "d"):
        day.signal("quality.score", "unknown", asset=f"silver/{name}", domain="ecommerce", value=None)
    day.signal("quality.score", "ok", asset="gold/kpi", domain="ecommerce", value=99.0)
    line = _judged(day, "daily")["quality"]
    assert line["state"] == "unknown"
    assert line["value"] == "99 (at least 85), but unknown for silver/a, silver/b, silver/c and 1 more"
    day.signal("quality.score", "firing", asset="gold/daily", domain="ecommerce", value=71.5)
    line = _judged(day, "daily")["quality"]
    assert (line["state"], line["value"]) == ("gap", "71.5 (at least 85)")


def test_a_question_that_nobody_answered_is_a_gap_when_its_day_is_over(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 09:00")
    _judged(day, "daily")
    kept = _ops(day, "checklist", "answer", "daily", "handover", "nothing open", "--by", "l2-operator")
    assert kept.exit_code == 0, kept.output
    shown = _judged(day, "daily")["handover"]
    assert (shown["state"], shown["value"], shown["by"]) == ("answered", "nothing open", "l2-operator")
    day.now += timedelta(days=1)
    assert "was not answered for 2026-03-04" in _judged(day, "daily")["dashboard"]["value"]
    day.advance("1m")
    assert _open(day) == ["daily.dashboard"]


def test_what_is_not_there_is_named(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 09:00")
    refused = _ops(day, "checklist", "run", "dayly")
    assert refused.exit_code == 2 and "valid: daily, weekly, monthly" in refused.output
    refused = _ops(day, "checklist", "answer", "daily", "jobs", "fine")
    assert refused.exit_code == 2 and "it asks: dashboard, handover" in refused.output


def test_weeks_and_months_have_their_own_periods(tmp_path):
    day = IncidentWorld(tmp_path, "2027-01-01 09:00")
    for name, period in (("weekly", "2026-W53"), ("monthly", "2027-01")):
        assert json.loads(_ops(day, "checklist", "run", name, "--json").output)["period"] == period


def test_the_gap_of_a_line_or_a_list_that_was_removed_ends(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 09:00")
    for check in ("daily.no such line", "no such list.line"):
        day.signal("checklist.gap", "firing", check=check)
    day.advance("1m")
    assert len(_open(day)) == 2
    _ops(day, "checklist", "run", "weekly")
    day.advance("1m")
    assert "daily.no such line" not in _open(day) and "no such list.line" not in _open(day)


def test_a_domain_that_is_switched_off_leaves_no_gap_behind(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 09:00")
    overlay = tmp_path / "overlay"
    (overlay / "domains.d").mkdir(parents=True)
    (overlay / "domains.d" / "off.yaml").write_text("domains:\n  streaming: {enabled: false}\n")
    loaded = catalog.load(day.settings)
    with writer(day.settings, loaded.platform, owner="test", now=day.now) as warehouse:
        ensure_tables(warehouse.connection(), loaded.feeds.values())
        warehouse.connection().execute(
            "INSERT INTO ops.findings BY NAME SELECT unnest(['f1', 'f2']) AS finding_id, unnest(['songs', 'orders']) "
            "AS feed, 'source_missing' AS kind, 'open' AS state, 'no file' AS message, now() AS observed_at"
        )
        snapshots.take(warehouse, run_id="run-1", as_of=day.now, commit="c0ffee")
    day.signal("quality.score", "firing", asset="silver/int_song_days", domain="streaming", value=60.0)
    day.signal("quality.score", "ok", asset="gold/kpi", domain="ecommerce", value=99.0)
    first = _judged(day, "daily")
    assert (first["quality"]["state"], first["findings"]["value"]) == ("gap", "2 (at most 0)")
    without = json.loads(_ops(day, "--config", str(overlay), "checklist", "run", "daily", "--json").output)["lines"]
    after = {line["line"]: line for line in without}
    assert (after["quality"]["state"], after["quality"]["value"]) == ("well", "99 (at least 85)")
    assert after["findings"]["value"] == "1 (at most 0)", "what another domain owes still counts"
