"""A real home of one domain, for stories in a browser. Its files, runs, checks and snapshots are made by the
product.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.applications import Starlette

from ops_project.cli.serve import _run
from ops_project.console.app import create_app
from ops_project.settings import Settings

FIRST = datetime(2026, 3, 4, 11, tzinfo=UTC)
SECONDS = 480
"""The time limit of one command. On a busy machine a run of 15 s takes minutes."""


@dataclass
class House:
    """A home with the investor domain, and a clock that is moved by hand."""

    settings: Settings
    now: datetime

    def ops(self, *words: str) -> str:
        """The output of a command."""
        front = replace(self.settings, as_of=self.now).options()
        command = [sys.executable, "-m", "ops_project.cli", *front, *words]
        environ = {**os.environ, "COLUMNS": "160"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=environ)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return done.stdout

    def console(self) -> Starlette:
        """The console of this home, with the clock of this home. Commands run in processes of their own, as under `ops
        serve`.
        """
        return create_app(
            self.settings,
            clock=lambda: self.now,
            run_command=lambda settings, words: _run(replace(settings, as_of=self.now), words),
        )

    def next_morning(self) -> None:
        self.now = self.now.replace(hour=FIRST.hour, minute=0) + timedelta(days=1)


def built(folder: Path) -> House:
    """A home in which six days have been delivered and built, and nothing is wrong."""
    found = House(Settings.load(home=folder, environ={}), FIRST)
    found.ops("simulate", "--domain", "investor", "--days", "6", "--end", "2026-03-03", "--scale", "0.05")
    assert "succeeded" in found.ops("run", "--domain", "investor")
    return found


def copied(whole: Path, folder: Path) -> House:
    """A copy of a home that `built` has made, which a story may break."""
    shutil.copytree(whole, folder, symlinks=True)
    return House(Settings.load(home=folder, environ={}), FIRST)
