"""`ops watch` outlives the loss of its ledger."""

from __future__ import annotations

from click.testing import CliRunner

from ops_project.cli import cli
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
