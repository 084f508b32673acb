"""Reports: what happened, what it meant, what to do. A past date gives the same bytes, and each reader gets a report
once.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.cli.report import stamped
from ops_project.console.drawn_reports import due, mails, report, send
from ops_project.console.site import Site
from ops_project.operations.alerting.rendering.email import as_html as mail_html
from ops_project.operations.reports import document, kept
from ops_project.operations.reports.judge import judge
from ops_project.operations.reports.kinds import KINDS
from ops_project.operations.reports.period import NotOver, check_over, newest, of
from ops_project.queries.boards import REPORTS, figures
from tests.console import browser
from tests.console.visit import Visit
from tests.operations.incidents.world import IncidentWorld

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """A home in which a pipeline failed on 4 March and was mended on 5 March."""
    day = IncidentWorld(tmp_path_factory.mktemp("past"), "2026-03-04 04:10")
    day.job_fails(message="a <b>bold</b> | claim")
    day.advance("1m")
    day.now = datetime(2026, 3, 5, 15, tzinfo=UTC)
    day.job_succeeds()
    day.advance("1h", timedelta(minutes=30))
    day.now = datetime(2026, 3, 6, 15, tzinfo=UTC)
    return day


@pytest.fixture
def site(past):
    found = Site(past.settings, lambda: past.now)
    yield found
    found.reader.close()


@pytest.mark.parametrize(
    ("kind", "day", "first", "last", "before"),
    [
        ("day", "2026-03-04", "2026-03-04", "2026-03-04", "2026-03-03"),
        ("week", "2026-03-04", "2026-02-23", "2026-03-01", "2026-02-16"),
        ("week", "2026-03-08", "2026-03-02", "2026-03-08", "2026-02-23"),
        ("month", "2026-03-30", "2026-02-01", "2026-02-28", "2026-01-01"),
        ("month", "2026-03-31", "2026-03-01", "2026-03-31", "2026-02-01"),
        ("quarter", "2026-03-30", "2025-10-01", "2025-12-31", "2025-07-01"),
        ("quarter", "2026-12-31", "2026-10-01", "2026-12-31", "2026-07-01"),
    ],
)
def test_the_last_whole_period_before_a_day(kind, day, first, last, before):
    found = of(kind, date.fromisoformat(day), NEW_YORK)
    assert (str(found.first), str(found.last)) == (first, last)
    assert found.before.astimezone(NEW_YORK).date() == date.fromisoformat(before)
    assert found.end.astimezone(NEW_YORK).hour == found.start.astimezone(NEW_YORK).hour == 0
    assert found.end - found.start >= timedelta(hours=23)


@pytest.mark.parametrize("kind", KINDS)
def test_before_the_first_run_nothing_was_watched(site, past, kind):
    """No line says that all was well: no incident and no missed deadline could also mean that nothing was watched."""
    found = report(site, KINDS[kind], date(2025, 12, 31), past.now)
    assert found.figures and all(figure.unknown and not figure.rows for figure in found.figures)
    text = document.as_markdown(found)
    assert "Not everything is known." in text
    assert not re.search(r"^- (No |0 |All )", text, re.MULTILINE), text
    assert "- Nothing is known of this period. `ops status` shows how things stand now." in text


def test_a_period_that_is_not_over_is_refused():
    now = datetime(2026, 3, 5, 2, tzinfo=UTC)  # In New York it is still the fourth.
    assert newest("day", now, NEW_YORK).last == date(2026, 3, 3)
    with pytest.raises(NotOver, match="not over before 2026-03-05 05:00"):
        check_over(of("day", date(2026, 3, 4), NEW_YORK), now)


def test_a_report_tells_what_was_known_at_the_end_of_its_period(site, past):
    facts = report(site, KINDS["daily"], date(2026, 3, 4), past.now)
    text = document.as_markdown(facts)
    assert "1 incident, 1 of them open at the end." in text
    assert "P1 #1 is not resolved" in text and "`ops incidents show 1`" in text
    after = document.as_markdown(report(site, KINDS["daily"], date(2026, 3, 5), past.now))
    assert "1 incident, 0 of them open at the end." in after


def test_a_past_date_gives_the_same_bytes_whatever_happened_since(site, past):
    first = document.as_html(report(site, KINDS["daily"], date(2026, 3, 4), past.now))
    past.job_fails()
    later = report(site, KINDS["daily"], date(2026, 3, 4), past.now + timedelta(days=9))
    assert document.as_html(later) == first
    assert kept.load(past.settings, "daily", date(2026, 3, 4)) == later


def test_the_facts_that_were_kept_first_hold(tmp_path, site, past):
    facts = report(site, KINDS["daily"], date(2026, 3, 4), past.now)
    assert kept.keep(past.settings, replace(facts, title="another")).title == facts.title
    assert not list((past.settings.home / "reports" / "daily").glob("*.partial"))


def test_unknown_is_neither_well_nor_wrong(site, past):
    facts = report(site, KINDS["quality-trend"], date(2026, 3, 1), past.now)
    assert judge(facts).state == "unknown"
    text = document.as_markdown(facts)
    assert "**Not everything is known.**" in text and "No snapshot of that time is kept." in text


def test_what_is_due_is_drawn_up_once_and_nothing_of_before_the_home_began(site, past):
    made = {facts.kind: facts.last for facts in due(site, past.now)}
    assert made == {} or set(made) <= {"daily"}, "weeks and months ended before anything ran here"
    assert list(due(site, past.now)) == []
    assert {facts.kind for facts in due(site, datetime(2026, 4, 2, tzinfo=UTC))} == set(KINDS)


def test_readers_get_a_report_once_with_its_figures_in_the_mail(site, past, monkeypatch):
    monkeypatch.setenv("OPS_SMTP_HOST", "mail.example")
    facts = report(site, KINDS["cost"], date(2026, 3, 31), datetime(2026, 4, 2, tzinfo=UTC))
    count = send(site, facts, past.now)
    assert count >= 1 and send(site, facts, past.now) == 0
    rows = [row for row in past.ledger.outbox_list(None, 100) if row["kind"] == "report"]
    assert any(row["channel"].startswith("business-team/") for row in rows)
    [first, *_] = mails(facts, site.engine, past.now)
    assert "<table>" in mail_html(first.payload) or "Unknown" in mail_html(first.payload)
    assert first.payload["subject"].endswith("Cost per metric, 2026-03-31")


def test_the_command_prints_writes_lists_and_refuses(past, tmp_path):
    def ops(*words: str):
        front = ["--home", str(past.settings.home), "--as-of", "2026-03-06T15:00:00+00:00"]
        return CliRunner().invoke(cli, [*front, "report", *words], prog_name="ops", standalone_mode=True)

    printed = ops("daily", "--date", "2026-03-04")
    assert printed.exit_code == 0 and printed.output.startswith("# Daily status: 2026-03-04")
    written = ops("daily", "--date", "2026-03-04", "--format", "html", "--out", str(tmp_path / "r.html"))
    assert written.exit_code == 0 and written.stdout == ""
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert f"{tmp_path / 'r.html'}: the daily report until 2026-03-04" in written.stderr.replace("\n", "")
    assert json.loads(ops("list", "--json").output)[0]["kind"] in KINDS
    assert json.loads(ops("daily", "--date", "2026-03-04", "--json").output)["first"] == "2026-03-04"
    for words in (("daily", "--date", "2026-03-06"), ("daily", "--format", "pdf"), ("hourly",)):
        assert ops(*words).exit_code != 0


def test_a_pdf_has_the_reports_time_and_keeps_its_length():
    pdf = b"%PDF-1.4 /CreationDate (D:20261126010203+00'00') /ModDate (D:20261126010203+00'00') xref"
    found = stamped(pdf, datetime(2026, 3, 5, 5, tzinfo=UTC))
    assert len(found) == len(pdf) and found.count(b"D:20260305050000") == 2


@pytest.mark.soak
def test_a_pdf_is_printed_by_a_real_browser_and_is_the_same_each_time(past, tmp_path):
    if browser.binary() is None:
        pytest.skip(browser.MISSING)

    def printed(name: str) -> bytes:
        front = ["--home", str(past.settings.home), "--as-of", "2026-03-06T15:00:00+00:00"]
        words = ["report", "daily", "--date", "2026-03-04", "--format", "pdf", "--out", str(tmp_path / name)]
        done = CliRunner().invoke(cli, [*front, *words])
        assert done.exit_code == 0, done.output
        return (tmp_path / name).read_bytes()

    first, second = printed("a.pdf"), printed("b.pdf")
    assert first == second and first.startswith(b"%PDF-") and first.rstrip().endswith(b"%%EOF")
    assert b"/Title (Daily status, 2026-03-04)" in first and b"D:20260305050000" in first
    pages = re.search(rb"/Count (\d+)", first)
    assert pages is not None and 1 <= int(pages[1]) <= 4, "a busy person reads it in a minute"


def test_without_a_browser_a_pdf_is_refused_with_what_to_install(past, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    front = ["--home", str(past.settings.home), "--as-of", "2026-03-06T15:00:00+00:00", "report", "daily"]
    done = CliRunner().invoke(
        cli, [*front, "--date", "2026-03-04", "--format", "pdf", "--out", str(tmp_path / "r.pdf")]
    )
    assert done.exit_code == 1 and "apt-get install chromium" in done.output and not (tmp_path / "r.pdf").exists()


def test_the_console_lists_and_shows_what_is_kept(site, past):
    report(site, KINDS["daily"], date(2026, 3, 4), past.now)
    with Visit(past) as visit:
        assert "/reports/daily/2026-03-04" in visit.text("/reports")
        one = visit.text("/reports/daily/2026-03-04")
        assert "What it meant" in one and "from incidents" in one
        assert visit.text("/reports/daily/2026-03-04/md").startswith("# Daily status")
        for path in ("/reports/daily/2026-03-99", "/reports/hourly/2026-03-04", "/reports/daily/2026-03-04/pdf"):
            assert visit.get(path).status_code == 404


def test_every_figure_of_every_report_exists():
    known = {item.name for item in figures(REPORTS)}
    assert {name for kind in KINDS.values() for name in kind.figures} == known
