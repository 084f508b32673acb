"""A daemon or a watcher that has ended no longer decides about alerts. A daemon that is slow, or cannot be seen from
here, still decides.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from dagster._daemon.controller import DagsterDaemonController

from ops_project.cli import cli, dagster_daemon
from ops_project.cli.stopping import record_end
from ops_project.dagster_bridge.dev import OURS
from ops_project.operations.alerting import authority
from ops_project.operations.alerting.observers.observer import Observation, Observer
from ops_project.operations.alerting.watch import Watch
from ops_project.process.processes import current
from ops_project.settings import Settings
from tests.operations.alerting.deciding import FAILED, NOW, Place


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("OPS_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("OPS_SMTP_PORT", "9")
    return Place(tmp_path)


def test_a_daemon_that_was_stopped_leaves_the_decision_to_the_next_command_at_once(place):
    """The next command used to say for a minute that the daemon decides, and no alert was made."""
    place.cycle(place.theirs, NOW, daemon=True)
    assert place.cycle(place.plain, NOW + timedelta(seconds=5)).skipped
    authority.stopped(place.ledger, authority.DAEMON, NOW + timedelta(seconds=6))
    place.ledger.append([FAILED])
    report = place.cycle(place.plain, NOW + timedelta(seconds=10))
    assert report.skipped == "" and place.rules() == {"job_failure"}


def test_the_end_of_one_daemon_is_not_the_end_of_another_whose_clock_is_behind(place):
    place.cycle(place.theirs, NOW, daemon=True)
    authority.stopped(place.ledger, authority.DAEMON, NOW + timedelta(seconds=6))
    place.cycle(place.theirs, NOW - timedelta(seconds=30), daemon=True)
    assert "the daemon decides" in place.cycle(place.plain, NOW + timedelta(seconds=10)).skipped


def test_a_watcher_that_was_stopped_leaves_the_decision_too(place, monkeypatch):
    place.cycle(place.theirs, NOW, role=authority.WATCH)
    assert place.cycle(place.plain, NOW + timedelta(seconds=5)).skipped
    monkeypatch.setattr(Watch, "look", lambda *_: None)
    done = CliRunner().invoke(cli, ["--home", str(place.plain.home), "watch", "--looks", "1"])
    assert done.exit_code == 0, done.output
    assert place.cycle(place.plain, NOW + timedelta(seconds=10)).skipped == ""


def test_an_end_that_cannot_be_recorded_is_said_with_what_follows(tmp_path, capsys):
    settings = Settings(home=tmp_path / "home", as_of=NOW)
    (settings.home / "ledger" / "ledger.db").mkdir(parents=True)
    record_end(settings, authority.DAEMON)
    said = capsys.readouterr().err
    assert "was not recorded" in said and "ops cycle" in said and "Traceback" not in said


def test_a_daemon_that_begins_after_the_stop_decides_again(place):
    place.cycle(place.theirs, NOW, daemon=True)
    authority.stopped(place.ledger, authority.DAEMON, NOW + timedelta(seconds=6))
    place.cycle(place.theirs, NOW + timedelta(seconds=12), daemon=True)
    assert "the daemon decides" in place.cycle(place.plain, NOW + timedelta(seconds=20)).skipped


def test_a_daemon_in_a_long_cycle_is_alive(place):
    seen = []
    clock = [NOW]

    def slow(_view):
        clock[0] += timedelta(seconds=59)
        seen.append(authority.alive(place.ledger, clock[0], "cycle"))
        return Observation()

    place.cycle(
        place.plain, NOW, daemon=True, observers=[Observer(str(n), slow) for n in range(4)], clock=lambda: clock[0]
    )
    assert [found.role for found in seen if found] == ["daemon"] * 4


HERE = current()


@pytest.mark.parametrize(
    ("boot", "believed"),
    [(HERE.boot, False), (f"{HERE.boot.partition('.')[0]}.1", True), ("another-machine.1", True)],
    ids=["here", "another container", "another machine"],
)
def test_a_daemon_whose_process_is_gone_is_not_waited_for_however_it_ended(place, boot, believed):
    """`kill -9` records no end. A process that cannot be seen from here is believed until its heartbeat is old."""
    place.cycle(place.theirs, NOW, daemon=True, holder=str(replace(HERE, pid=999_999_999, boot=boot)))
    assert bool(place.cycle(place.plain, NOW + timedelta(seconds=5)).skipped) is believed
    assert not place.cycle(place.plain, NOW + timedelta(minutes=2)).skipped


def test_the_daemon_records_its_end_although_the_rest_of_dagster_goes_on(place, monkeypatch):
    """The daemon records its end before it waits for its threads, some of which sleep."""
    monkeypatch.setattr(DagsterDaemonController, "__exit__", lambda *_: said.append(next_command()))
    monkeypatch.setattr(dagster_daemon.Settings, "load", lambda: place.theirs)
    said, stopped, sensors = [], Event(), Thread(target=lambda: stopped.wait(5))
    controller = SimpleNamespace(_daemon_shutdown_event=stopped, _daemon_threads={"SENSOR": sensors})

    def next_command() -> str:
        return place.cycle(place.plain, NOW + timedelta(seconds=5)).skipped

    def work() -> None:
        place.cycle(place.theirs, NOW, daemon=True)
        said.append(next_command())
        DagsterDaemonController.__exit__(controller, None, None, None)

    sensors.start()
    monkeypatch.setattr(dagster_daemon.daemon, "run", work)
    assert OURS["dagster._daemon"] == dagster_daemon.__name__
    dagster_daemon.run()
    assert "the daemon decides" in said[0] and said[1:] == [""]
    assert not sensors.is_alive()
