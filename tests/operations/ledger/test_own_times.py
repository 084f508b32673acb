"""The notification log keeps a time for an alert that the last message did not name. The migration of an older ledger
adds these times.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner
from sqlalchemy import text

from ops_project.cli import cli
from ops_project.defs.shared.held import held_now
from ops_project.model.alerting.matcher import Matcher
from ops_project.model.alerting.silence import Silence
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.state import State
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.store import MIGRATIONS
from ops_project.operations.ledger.unusable import LedgerNewer
from ops_project.settings import Settings
from tests.operations.ledger.test_ledger import NOW, config, signal

__all__ = ["config"]
TOLD = NOW + timedelta(minutes=10)
REPEATED = TOLD + timedelta(hours=4, minutes=6)
SILENCED = (Matcher.parse('check="one"'),)


@pytest.fixture
def alerts_config(config):
    return replace(config, unconfigured=frozenset(), flush_now=True)


def _cycle(ledger: Ledger, config, at, signals=(), silenced: bool = False) -> tuple[State, set[tuple[int, ...]]]:
    """The state after a cycle, and the numbers that its messages name as firing."""
    state = ledger.load_state(config, at)
    if silenced:
        state.silences[1] = Silence(1, SILENCED, NOW, at + timedelta(minutes=1), "engineer-a", "known", NOW)
    decision = decide(state, list(signals), replace(config, flush_now=bool(signals)), at)
    ledger.record(decision, {}, at)
    return decision.state, {message.firing for message in decision.notifications if message.kind == "alert"}


def _failures():
    return [signal(1, kind="check.failure", check=name, at=TOLD) for name in ("one", "two")]


def test_a_log_entry_of_an_earlier_version_is_read_as_it_stands_and_goes_on(ledger, alerts_config):
    written, told = _cycle(ledger, alerts_config, TOLD, _failures())
    assert told == {(1, 2)}
    with ledger.write(marked=False) as connection:
        older = Config()
        older.set_main_option("script_location", str(MIGRATIONS))
        older.attributes["connection"] = connection
        command.downgrade(older, "0007")
    with ledger.read() as connection:
        columns = set(connection.execute(text("SELECT * FROM notification_log")).keys())
    assert "own_times" not in columns
    with Ledger.open(ledger.engine.url.render_as_string(hide_password=False)) as opened:
        read = opened.load_state(alerts_config, TOLD)
        assert read.log == written.log
        assert {entry.told_at(1) for entry in read.log.values()} == {TOLD}
        assert _cycle(opened, alerts_config, REPEATED)[1] == {(1, 2)}


def test_a_ledger_that_a_newer_version_has_migrated_is_told_and_does_not_stop_data(ledger, tmp_path, monkeypatch):
    with ledger.write(marked=False) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    url = ledger.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("OPS_LEDGER_URL", url)
    settings = Settings(home=tmp_path / "home", as_of=NOW)
    (tmp_path / "home").mkdir()
    with pytest.raises(LedgerNewer, match="migrated it to 0099, and this version knows 00"):
        Ledger.open(url)
    assert held_now(settings) == {}
    ended = CliRunner().invoke(cli, ["--home", str(settings.home), "alerts", "list"])
    assert ended.exit_code == 1 and "Use the newer version" in ended.output
    assert "fault of the program" not in ended.output


def test_the_time_of_an_alert_that_was_silent_is_kept_and_its_repeat_comes_with_the_end_of_the_silence(
    ledger, alerts_config
):
    _cycle(ledger, alerts_config, TOLD, _failures())
    assert _cycle(ledger, alerts_config, REPEATED, silenced=True)[1] == {(2,)}
    ledger.kept = None
    read = ledger.load_state(alerts_config, REPEATED)
    assert read.log
    for entry in read.log.values():
        assert (entry.told_at(1), entry.told_at(2)) == (TOLD, REPEATED)
    after = REPEATED + timedelta(minutes=6)
    state, told = _cycle(ledger, alerts_config, after)
    assert told == {(1, 2)}
    assert all(not entry.own_times and entry.at == after for entry in state.log.values())
