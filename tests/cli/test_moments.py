"""A moment that a person reads has no fractions of seconds and no offset, whichever command shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.settings import Settings
from tests.cli.test_every_command import READERS, filled
from tests.operations.incidents.world import IncidentWorld

RAW = re.compile(r"\d{2}:\d{2}:\d{2}(\.\d+|[+-]\d{2}:\d{2})")
LEFT_OUT = (["sql"], ["metadata", "generate"], ["serve"])
"""These commands print stored values unchanged, write files, or serve until they are stopped."""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IncidentWorld]:
    """An incident whose moments have fractions of seconds, as those of the real clock have."""
    day = IncidentWorld(tmp_path_factory.mktemp("day"), "2026-03-04 04:10")
    day.now += timedelta(seconds=47, microseconds=518_518)
    day.job_fails(assets=("gold/kpi_aggregate_profit",))
    day.advance("1m")
    assert day.ledger.incident(1) is not None
    with patch.object(Settings, "now", lambda _: day.now):
        yield day


@pytest.mark.parametrize("words", [words for words in READERS if words not in LEFT_OUT], ids=" ".join)
def test_a_moment_is_shown_to_the_minute_or_the_second(day: IncidentWorld, words: list[str], tmp_path: Path) -> None:
    shown = CliRunner().invoke(cli, ["--home", str(day.settings.home), *filled(words, tmp_path)]).output
    assert not RAW.search(shown), shown
