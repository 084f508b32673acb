"""In a storm of alerts, each one costs as much as a single alert, because opening an incident does not look through the
others.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.stages.act import incidents
from ops_project.operations.alerting.stages.decide import decide_and_record
from ops_project.operations.incidents.decide import decide
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
FOLDER = str(Path(decide.__file__).parent)


def _lines(home: Path, count: int) -> int:
    """Lines of the decision about incidents that run while `count` jobs fail at once, and in the cycle after it."""
    settings = Settings.load(home=home)
    loaded, ran = catalog.load(settings), 0

    def follow(frame: FrameType, what: str, _argument: Any) -> Any:
        nonlocal ran
        if not frame.f_code.co_filename.startswith(FOLDER):
            return None
        ran += what == "line"
        return follow

    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append(
            [
                Signal("run.failure", FIRING, NOW, NOW, str(n), 1.0, pipeline=f"job_{n}", labels={"scheduled": "true"})
                for n in range(count)
            ]
        )
        before = sys.gettrace()
        sys.settrace(follow)
        try:
            for _ in range(2):
                run_once(settings, loaded, NOW, observers=(), stages=(decide_and_record, incidents))
        finally:
            sys.settrace(before)
        assert len(ledger.incidents("open", 1000)) == count
    return ran


def test_four_times_the_alerts_are_four_times_the_work(tmp_path):
    few, many = _lines(tmp_path / "few", 20), _lines(tmp_path / "many", 80)
    assert few > 20
    assert many / few <= 4.4
