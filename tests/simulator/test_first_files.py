"""The first files of a new home come from a process of their own, once, and a run that was killed is followed by one
that delivers the rest."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ops_project.catalog import load
from ops_project.settings import Settings
from ops_project.simulator import SIMULATED, first_files, own_files
from ops_project.simulator.faults.request import Request
from ops_project.simulator.outbox import Outbox, Staged
from ops_project.simulator.plans import Asked, SimulationError
from ops_project.simulator.simulation import simulate

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
DOMAINS = ("investor", "insurance")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", as_of=NOW)


def wanted(settings: Settings) -> first_files.Wanted | None:
    return first_files.wanted(settings, load(settings), DOMAINS, days=2, now=NOW)


def files(settings: Settings) -> dict[str, bytes]:
    return {
        path.relative_to(settings.inbound).as_posix(): path.read_bytes()
        for path in settings.inbound.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.parts[-2:])
    }


def test_a_new_home_gets_what_one_call_of_the_simulator_delivers_also_after_a_kill(
    settings: Settings, tmp_path: Path
) -> None:
    other = Settings(home=tmp_path / "other", as_of=NOW)
    simulate(other, load(other), NOW, Asked(domains=DOMAINS, days=2))
    asked = wanted(settings)
    assert asked == first_files.Wanted(DOMAINS, 2, date(2026, 3, 3))
    with pytest.raises(KeyboardInterrupt), first_files.delivered(settings, asked, NOW) as arrived:
        assert arrived("investor") == 8
        assert arrived("ecommerce") == 0, "not asked for"
        raise KeyboardInterrupt
    later = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
    left = first_files.wanted(settings, load(settings), DOMAINS, days=30, now=later)
    assert left is not None and left.domains[-1] == "insurance" and (left.days, left.end) == (2, asked.end)
    with first_files.delivered(settings, left, later):
        pass
    assert files(settings) == files(other)
    assert wanted(settings) is None


def test_a_home_that_has_had_a_file_gets_none(settings: Settings) -> None:
    (settings.archive / "shop").mkdir(parents=True)
    (settings.archive / "shop" / "a.csv").write_text("a\n")
    assert wanted(settings) is None


def test_what_another_command_has_delivered_meanwhile_is_not_delivered_again(settings: Settings) -> None:
    asked = first_files.Wanted(("insurance",), 2, date(2026, 3, 3))
    first_files._keep(settings.home, asked)
    told: list[dict[str, object]] = []
    for _ in range(2):
        first_files._deliver(settings, asked, NOW, told.append)
    assert told == [{"domain": "insurance", "files": 4}, {"domain": "insurance", "files": 0}]


def test_a_domain_that_was_given_files_meanwhile_is_left_out(settings: Settings) -> None:
    first_files._keep(settings.home, first_files.Wanted(("insurance", "investor", "streaming"), 2, date(2026, 3, 3)))
    simulate(settings, load(settings), NOW, Asked(domains=("insurance",), days=1))
    (settings.inbound / "investor").mkdir(parents=True)
    (settings.inbound / "investor" / "transactions_20260303.csv").write_text("a\n")
    left = wanted(settings)
    assert left is not None and left.domains == ("insurance", "streaming")
    (settings.inbound / "insurance" / "mine.csv").write_text("a\n")
    left = wanted(settings)
    assert left is not None and left.domains == ("streaming",)


@pytest.mark.parametrize("domain", SIMULATED)
def test_the_rest_of_each_source_is_delivered_after_a_kill_in_the_middle(
    settings: Settings, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of each source are known as simulated, at whatever hour they arrive."""
    first_files._keep(settings.home, first_files.Wanted((domain,), 2, date(2026, 3, 3)))
    publish = Outbox.publish

    def killed(outbox: Outbox) -> list[Staged]:
        publish(outbox)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Outbox, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            simulate(settings, load(settings), NOW, Asked(domains=(domain,), days=2, end=date(2026, 3, 3), scale=0.02))
    assert files(settings)
    left = wanted(settings)
    assert left is not None and left.domains == (domain,)
    own = next(path for path in (settings.inbound / domain).iterdir() if path.is_file())
    own.write_bytes(own.read_bytes() + b"mine\n")
    assert wanted(settings) is None, "a user has replaced a simulated file"
    assert not list(settings.home.glob("simulator-*")), "with the request, its record ends"


def test_a_kill_while_the_record_is_written_costs_no_other_line(settings: Settings) -> None:
    first_files._keep(settings.home, first_files.Wanted(("insurance",), 2, date(2026, 3, 3)))
    (settings.home / own_files.RECORD).write_text('["insurance", "polic')
    simulate(settings, load(settings), NOW, Asked(domains=("insurance",), days=1, scale=0.02))
    left = wanted(settings)
    assert left is not None and left.domains == ("insurance",)


def test_simulated_files_that_a_fault_has_broken_are_no_users_files(settings: Settings) -> None:
    first_files._keep(settings.home, first_files.Wanted(("insurance", "investor"), 2, date(2026, 3, 3)))
    simulate(settings, load(settings), NOW, Asked(domains=("insurance", "investor"), days=1, scale=0.02))
    (settings.inbound / "investor" / "mine.csv").write_text("a\n")
    faults = [Request.parse(text) for text in ("truncated:policies", "truncated:transactions")]
    simulate(settings, load(settings), NOW, Asked(faults=faults, inbound_only=True))
    left = wanted(settings)
    assert left is not None and left.domains == ("insurance",), "a user's file in the folder stays a user's file"


def test_a_home_without_an_unfinished_request_keeps_no_record(settings: Settings) -> None:
    simulate(settings, load(settings), NOW, Asked(domains=("insurance",), days=1, scale=0.02))
    assert not (settings.home / own_files.RECORD).exists()


def test_a_domain_whose_contracts_were_replaced_is_left_out(settings: Settings) -> None:
    first_files._keep(settings.home, first_files.Wanted(("insurance",), 2, date(2026, 3, 3)))
    replaced = dataclasses.replace(load(settings), feeds={})
    assert first_files.wanted(settings, replaced, DOMAINS, days=2, now=NOW) is None
    assert not (settings.home / first_files.FILE_NAME).exists()


def test_a_process_that_dies_is_told_with_what_to_do(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = wanted(settings)
    assert asked is not None
    begun: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def popen(*words: object, **options: object) -> subprocess.Popen[bytes]:
        begun.append(start([sys.executable, "-c", "import time; time.sleep(60)"], **options))  # type: ignore[call-overload]  # as given
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    with (
        pytest.raises(SimulationError, match="before the files of insurance were there; run the command again"),
        first_files.delivered(settings, asked, NOW) as arrived,
    ):
        os.kill(begun[0].pid, signal.SIGKILL)
        arrived("insurance")


def test_what_cannot_be_simulated_is_told_with_its_domain(settings: Settings) -> None:
    asked = first_files.Wanted(("insurance",), 2, date(1999, 1, 2))
    first_files._keep(settings.home, asked)
    told: list[dict[str, object]] = []
    first_files._deliver(settings, asked, NOW, told.append)
    (answer,) = told
    assert str(answer["error"]).startswith("the files of insurance could not be simulated: 1999-01-01 lies before")


def test_a_damaged_record_is_told_with_its_file(settings: Settings) -> None:
    settings.home.mkdir()
    (settings.home / first_files.FILE_NAME).write_text('{"domains": 3}')
    with pytest.raises(SimulationError, match=r"simulator-unfinished\.json is damaged .* Remove it"):
        wanted(settings)
