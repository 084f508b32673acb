"""The level of each series survives a restart. An older ledger gets the levels from its signals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from ops_project import catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.decide.state import State
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.store import MIGRATIONS
from ops_project.settings import PROJECT_ROOT, Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings.load(home=tmp_path / "home")


def _run(state: str, minute: int, scheduled: str) -> Signal:
    at = NOW + minute * MINUTE
    return Signal("run.failure", state, at, at, str(minute), pipeline="master", labels={"scheduled": scheduled})


def _levels(ledger: Ledger, settings: Settings) -> dict[str, tuple[list[str], bool]]:
    """Series → the occurrences that fire, and whether an ok is known."""
    state = State()
    ledger.load_levels(state, alert_config(settings, catalog.load(settings), Lineage()))
    return {
        level.signals[0].kind + level.signals[0].asset: ([s.occurrence for s in level.firing], level.ok is not None)
        for level in state.levels.values()
    }


STORY = [
    _run(FIRING, 0, "true"),
    _run(OK, 1, "true"),
    _run(FIRING, 2, "true"),
    _run(FIRING, 3, "false"),
    Signal("check.failure", FIRING, NOW, NOW, "a", asset="gold/t", check="c"),
    Signal("check.failure", OK, NOW + MINUTE, NOW, "b", asset="gold/t", check="c"),
    # This signal was read last, but is older than the known state.
    Signal("check.failure", FIRING, NOW + MINUTE / 2, NOW, "c", asset="gold/t", check="c"),
]
WANTED = {"run.failure": (["2", "3"], True), "check.failuregold/t": ([], True)}


def test_a_cycle_keeps_the_level_of_each_series(settings):
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append(STORY)
        run_once(settings, catalog.load(settings), NOW + 5 * MINUTE, observers=())
        assert _levels(ledger, settings) == WANTED
        assert [a.rule for a in ledger.alerts("open")] == ["job_failure_manual", "job_failure"]


def test_a_ledger_from_before_levels_is_given_them_and_its_open_alerts_stay_open(settings):
    loaded = catalog.load(settings)
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append(STORY)
        run_once(settings, loaded, NOW + 5 * MINUTE, observers=())
        with ledger.write() as connection:
            connection.execute(text("DELETE FROM cursors WHERE name = 'rules_version'"))
            older = Config()
            older.set_main_option("script_location", str(MIGRATIONS))
            older.attributes["connection"] = connection
            command.downgrade(older, "0004")
    with Ledger.open(settings.ledger_url) as ledger:
        assert _levels(ledger, settings) == WANTED
        run_once(settings, loaded, NOW + 6 * MINUTE, observers=())
        assert [a.rule for a in ledger.alerts("open")] == ["job_failure_manual", "job_failure"]


def test_a_rule_that_was_switched_off_for_a_while_tells_of_what_is_still_broken_after_a_restart(settings, tmp_path):
    loaded = catalog.load(settings)
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    shipped = (PROJECT_ROOT / "ops_project/config/rules.yaml").read_text()
    (overlay / "rules.yaml").write_text(
        shipped.replace("  check_failed:\n", "  check_failed:\n    enabled: false\n", 1)
    )
    without = catalog.load(Settings.load(home=settings.home, overlay=overlay))
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append([Signal("check.failure", FIRING, NOW, NOW, "a", asset="gold/t", check="c")])
        run_once(settings, loaded, NOW, observers=())
        run_once(settings, without, NOW + MINUTE, observers=())
        assert ledger.alerts("open") == []
        run_once(settings, loaded, NOW + 2 * MINUTE, observers=())
        assert [a.rule for a in ledger.alerts("open")] == ["check_failed"]
