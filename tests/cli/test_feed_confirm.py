"""`ops feed confirm`: a person confirms a delivered day; the doubt and its alert are closed, and the confirmation is
kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.defs.operations import snapshot_observer
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers.observer import Observer
from ops_project.operations.ledger import open_ledger
from ops_project.pipeline import landing
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import Warehouse
from ops_project.settings import PROJECT_ROOT, Settings

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
DAY = "2026-03-03"
HEAD = "sale_id,shop,product,sold_on,pieces,price\n"


def rows(count: int) -> str:
    return HEAD + "".join(f"{number},North,Rye bread,{DAY},1,4.20\n" for number in range(count))


@pytest.fixture
def doubtful(tmp_path: Path) -> Settings:
    """A home in which a correction has taken most of a day's sales away, and the alert about it is open."""
    settings = Settings(home=tmp_path / "home", overlay=PROJECT_ROOT / "examples" / "bakery", as_of=NOW)
    found = catalog.load(settings)
    for folder in (settings.inbound / "bakery", settings.warehouse.parent):
        folder.mkdir(parents=True)
    warehouse = Warehouse(settings, found.platform)
    landing.ensure_tables(warehouse.connection(), found.feeds.values())
    for text in (rows(40), rows(2)):
        (settings.inbound / "bakery" / f"sales_{DAY}.csv").write_text(text, encoding="utf-8")
        landing.land(
            warehouse.connection(),
            found.feeds["bakery_sales"],
            inbound=settings.inbound,
            archive=settings.archive,
            now=NOW,
            run_id="run",
        )
    snapshots.take(warehouse, domain="bakery", window=None, good=True, models={}, run_id="run", as_of=NOW, commit="")
    warehouse.close()
    run_once(settings, found, NOW, observers=[Observer("snapshot", snapshot_observer.look)], flush_now=True)
    return settings


def confirm(settings: Settings, *more: str) -> tuple[int, str]:
    words = ["--home", str(settings.home), "--config", str(settings.overlay), "--as-of", NOW.isoformat()]
    done = CliRunner().invoke(cli, [*words, "feed", "confirm", "bakery_sales", "--date", DAY, *more])
    return done.exit_code, done.output


def test_the_alert_closes_and_the_word_is_kept(doubtful: Settings) -> None:
    ledger = open_ledger(doubtful)
    (before,) = [alert for alert in ledger.alerts("open", limit=10) if alert.rule == "file_incomplete"]
    code, said = confirm(doubtful, "--why", "the shops were shut", "--by", "engineer-a")
    assert code == 0, said
    assert "Confirmed by engineer-a" in said
    after = ledger.alert(before.number)
    assert after is not None
    assert after.status == "resolved"
    (line,) = ledger.audit_log()
    assert (line["who"], line["action"], line["outcome"]) == ("engineer-a", "confirm delivery", "done")
    assert "the shops were shut" in line["detail"]
    assert f"bakery_sales {DAY}" in line["subject"]
    with duckdb.connect(str(doubtful.warehouse)) as connection:
        kept = connection.execute("SELECT feed, confirmed_by, why FROM ops.confirmations").fetchall()
    assert kept == [("bakery_sales", "engineer-a", "the shops were shut")]


def test_a_day_without_a_doubt_and_an_empty_reason_are_refused(doubtful: Settings) -> None:
    code, said = confirm(doubtful, "--why", " ")
    assert code == 2
    assert "--why is empty" in said
    assert confirm(doubtful, "--why", "yes")[0] == 0
    code, said = confirm(doubtful, "--why", "again")
    assert code == 1
    assert f"nothing of bakery_sales is in doubt for {DAY}" in said
