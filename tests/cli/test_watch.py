"""`ops watch` outlives the loss of its ledger."""

from __future__ import annotations

import threading

from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.operations.alerting.stages.under_way import CycleReport
from ops_project.operations.alerting.watch import Watch


def test_the_watcher_goes_on_when_the_ledger_was_away(tmp_path, monkeypatch):
    """The watcher used to end at the first lost connection, although it is needed most then."""
    answers = [ConnectionError("server closed the connection"), ConnectionError("server closed the connection"), None]

    def look(_self, *_args):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Watch, "look", look)
    done = CliRunner().invoke(cli, ["--home", str(tmp_path), "watch", "--every", "0.1", "--looks", "3"])
    assert done.exit_code == 0, done.output
    assert done.output.count("the check failed: ConnectionError: server closed the connection") == 1
    assert "checking again" in done.output and answers == []


def test_a_look_that_does_not_return_is_said_and_not_begun_again(tmp_path, monkeypatch):
    """The server of the ledger had stopped without closing its connections. The watcher used to wait for the server
    without a message.
    """
    free, began = threading.Event(), []

    def look(_self, *_args):
        began.append(1)
        free.wait()

    monkeypatch.setattr(Watch, "look", look)
    monkeypatch.setattr("ops_project.cli.watch.LONGEST_SECONDS", 0.05)
    try:
        done = CliRunner().invoke(cli, ["--home", str(tmp_path), "watch", "--every", "0.1", "--looks", "3"])
    finally:
        free.set()
    assert done.exit_code == 0, done.output
    assert done.output.count("a look has not returned for 0.05 s") == 1 and len(began) == 1


def test_a_look_that_hangs_keeps_no_watcher_of_another_home_from_looking(tmp_path, monkeypatch):
    free, looked = threading.Event(), []

    def look(watcher, *_args):
        looked.append(watcher.settings.home.name)
        if watcher.settings.home.name == "hangs":
            free.wait()

    monkeypatch.setattr(Watch, "look", look)
    monkeypatch.setattr("ops_project.cli.watch.LONGEST_SECONDS", 0.05)
    try:
        for name in ("hangs", "works"):
            (tmp_path / name).mkdir()
            words = ["--home", str(tmp_path / name), "watch", "--every", "0.1", "--looks", "1"]
            done = CliRunner().invoke(cli, words)
            assert done.exit_code == 0, done.output
    finally:
        free.set()
    assert looked == ["hangs", "works"]


def test_a_watcher_that_cannot_decide_says_so_and_why(tmp_path, monkeypatch):
    """The watcher used to say that it ran the cycle, although nobody was told anything."""
    why = "cannot decide: alerts are decided with --config /etc/ops, which is not there"
    answers = [None, CycleReport(skipped=why), CycleReport(skipped=why), CycleReport(), None]
    monkeypatch.setattr(Watch, "look", lambda *_: answers.pop(0))
    done = CliRunner().invoke(cli, ["--home", str(tmp_path), "watch", "--every", "0.1", "--looks", "5"])
    said = [line.partition(" UTC ")[2] for line in done.output.splitlines() if "orchestrator" in line]
    assert said == [
        f"the orchestrator is down: {why}",
        "the orchestrator is down: running the cycle here",
        "the orchestrator is back",
    ]
