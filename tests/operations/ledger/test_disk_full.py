"""The disk under the ledger is full: recorded facts stay, runs report that alerts are not recorded, and work
continues.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.exc import OperationalError

from ops_project.cli import cli
from ops_project.cli.run import UNRECORDED
from ops_project.failures import classify
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings
from tests.empty_home import NOW
from tests.small_disk import fill, free, small_disk


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", as_of=NOW)


@pytest.fixture
def disk(settings: Settings) -> Iterator[Path]:
    with small_disk(settings.home / "ledger", 16 * 1024 * 1024) as found:
        yield found


def failures(count: int, at: int) -> list[Signal]:
    moment = NOW + timedelta(minutes=at)
    return [
        Signal("asset.failure", FIRING, moment, moment, "1", 1.0, asset=f"gold/t{at}_{n}", message="x" * 400)
        for n in range(count)
    ]


def recorded(ledger: Ledger) -> set[str | None]:
    return {signal.asset for signal in ledger.latest("asset.failure").values()}


def test_what_does_not_fit_is_refused_whole_and_what_was_recorded_stays(disk: Path, settings: Settings) -> None:
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append(failures(3, at=0), {"cursor": "first"}, NOW)
        fill(disk)
        with pytest.raises(OperationalError, match="full") as raised:
            ledger.append(failures(500, at=1), {"cursor": "second"}, NOW)
        assert classify(raised.value).failure_class == "storage_full"
        assert recorded(ledger) == {"gold/t0_0", "gold/t0_1", "gold/t0_2"}
        assert ledger.cursors()["cursor"] == "first", "the next look begins where the last recorded one ended"
        free(disk)
        ledger.append(failures(500, at=1), {"cursor": "second"}, NOW)
        assert len(recorded(ledger)) == 503


def ops(settings: Settings, *words: str) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(settings.home), "--as-of", NOW.isoformat(), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def test_a_run_says_that_alerts_are_not_recorded(disk: Path, settings: Settings) -> None:
    Ledger.open(settings.ledger_url).close()
    fill(disk)
    run = ops(settings, "run")
    assert run.exit_code == UNRECORDED, run.output
    assert "alerts were not recorded" in run.stderr
    assert "full" in run.stderr and str(settings.home / "ledger") in run.stderr
