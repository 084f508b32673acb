"""docs/guides/your-dagster-project.md as its reader follows it. Its Dagster runs happen in this process, and a tick of
its sensor after each of them stands for the daemon.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.defs.operations import sensors as alert_sensors
from ops_project.operations.alerting.listener import Listener, Pace
from tests.docs.guides import blocks

GUIDE = "your-dagster-project"
EXECUTE = "dagster job execute -f bookshop.py -j nightly"


@dataclass
class Reader:
    folder: Path
    listener: Listener
    said: dict[str, list[str]] = field(default_factory=dict)
    """Command of `ops` → what it said, each time."""
    outcomes: list[bool] = field(default_factory=list)
    """Whether each run succeeded."""

    def follow(self) -> None:
        guide = blocks(GUIDE)
        for block in guide:
            if block.file:
                block.written_to(self.folder)
        for block in guide:
            for line in block.commands("/tmp/bookshop", self.folder):
                self._do(line)

    def _do(self, line: str) -> None:
        words = shlex.split(line)
        if words[0] == "export":
            os.environ.update(word.split("=", 1) for word in words[1:] if not word.startswith("PATH="))
        elif words[0] == "ops":
            done = CliRunner().invoke(cli, words[1:])
            assert done.exit_code == 0, f"{line}\n{done.output}"
            self.said.setdefault(line, []).append(done.output)
        elif line.startswith(EXECUTE):
            self._execute(may_fail=line.endswith("|| true"))
        else:
            subprocess.run(line, shell=True, check=True, cwd=self.folder)

    def _execute(self, *, may_fail: bool) -> None:
        defs = self.definitions
        with dg.DagsterInstance.get() as instance:
            done = defs.resolve_job_def("nightly").execute_in_process(instance=instance, raise_on_error=False)
            self.outcomes.append(done.success)
            assert done.success or may_fail
            cycle: Any = next(sensor for sensor in defs.sensors or () if sensor.name == "alert_cycle")
            told = cycle(dg.build_sensor_context(instance=instance, definitions=defs)).skip_message
            assert "new signals" in told, told

    @property
    def definitions(self) -> dg.Definitions:
        spec = importlib.util.spec_from_file_location("bookshop_of_the_guide", self.folder / "bookshop.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        defs: dg.Definitions = module.defs
        return defs


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    # The commands export their settings for their children. The next test must not inherit them.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.delitem(os.environ, "OPS_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    listener = Listener(Pace(patience=20.0, look=0.01))
    monkeypatch.setattr(alert_sensors, "Listener", lambda: listener)
    yield Reader(tmp_path, listener)
    listener.leave()


def test_the_alert_names_owner_downstream_promise_and_runbook_and_the_incident_closes(reader: Reader) -> None:
    reader.follow()
    assert reader.outcomes == [True, False, True]
    before, after = reader.said["ops status"]
    assert "titles" not in before and "titles" in after
    open_then, open_at_last = reader.said["ops alerts list"]
    assert "titles, on which the shop depends, was not built" in open_then
    assert open_at_last.strip() == "No open alert."
    (alert,) = reader.said["ops alerts show 1"]
    for words in (
        "Intake (team)",
        "board, turnover",
        "The board, every day when the shop opens",
        "the publisher's server",
    ):
        assert words in alert
    (incident,) = reader.said["ops incidents show 1"]
    assert "P1, triggered" in incident and "ladder owners, step 1 (owner): ida" in incident
    (ended,) = reader.said["ops incidents list --all"]
    assert "resolved" in ended
    assert reader.said["ops owners lint"][0].startswith("warning: oncall.yaml: there is no schedule")
