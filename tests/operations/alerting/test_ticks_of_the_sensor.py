"""The sensor of the alert path, tick by tick, over a home whose ledger is locked or replaced."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from ops_project import catalog
from ops_project.dagster_bridge import home as dagster_home
from ops_project.defs.operations import definitions
from ops_project.defs.operations import sensors as alert_sensors
from ops_project.defs.shared.site import Site
from ops_project.operations.alerting import spare
from ops_project.operations.alerting.listener import Listener, Pace
from ops_project.operations.alerting.stages.under_way import CycleReport
from ops_project.operations.ledger import open_ledger
from ops_project.operations.ledger.schedules_document import DOCUMENT as SCHEDULES
from ops_project.operations.ledger.silent import silent
from ops_project.operations.ledger.unusable import LedgerUnusable
from ops_project.settings import Settings

Tick = Callable[[], str]
OVERRUN = pytest.mark.parametrize("patience", [0.1])
"""For a cycle that outlasts any patience: the tick need not wait long for it."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    settings = Settings.load(home=tmp_path / "home", environ={})
    dagster_home.ensure(settings)
    return cast(Site, SimpleNamespace(settings=settings, catalog=catalog.load(settings)))


@pytest.fixture
def patience() -> float:
    """How long a tick waits for its cycle, in seconds."""
    return 2.0


@pytest.fixture
def tick(site: Site, patience: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tick]:
    """One tick of the sensor. Returns the text in the tick history."""
    listener = Listener(Pace(patience=patience, look=0.01))
    monkeypatch.setattr(alert_sensors, "Listener", lambda: listener)
    monkeypatch.setattr(definitions, "remember_columns", lambda *_: None)
    monkeypatch.setitem(os.environ, "DAGSTER_HOME", str(site.settings.dagster_home))
    sensor: Any = alert_sensors.sensors(definitions.watch_of(site))[0]

    @dg.op
    def nothing() -> None: ...

    @dg.job
    def nightly() -> None:
        nothing()

    defs = dg.Definitions(schedules=[dg.ScheduleDefinition(job=nightly, cron_schedule="0 3 * * *")])
    with dg.DagsterInstance.from_config(str(site.settings.dagster_home)) as instance:
        yield lambda: sensor(dg.build_sensor_context(instance=instance, definitions=defs)).skip_message
        listener.leave()


@OVERRUN
def test_a_cycle_that_has_not_ended_does_not_prove_that_the_ledger_is_back(
    site: Site, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a cycle may wait for the lock of the ledger, and fail later. The alert about the ledger used to end and fire
    in turns.
    """
    locked = threading.Event()

    def cycle(*_: object, **__: object) -> CycleReport:
        locked.wait()
        return CycleReport()

    monkeypatch.setattr(alert_sensors, "run_once", cycle)
    spare.tell(site.settings, site.catalog, site.settings.now(), "database is locked", alert_sensors._wall)
    try:
        assert "has not ended" in tick()
        assert spare.told(site.settings)
    finally:
        locked.set()
    until = time.monotonic() + 20
    while "has not ended" in (said := tick()) and time.monotonic() < until:
        time.sleep(0.01)
    assert "new signals" in said
    assert not spare.told(site.settings)


@OVERRUN
def test_a_ledger_whose_server_answers_nobody_is_told_without_it(
    site: Site, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine of the server accepts connections, and the server never answers. The cycle waits, and no error comes."""
    answers = threading.Event()

    def cycle(*_: object, **__: object) -> CycleReport:
        answers.wait()
        return CycleReport()

    monkeypatch.setattr(alert_sensors, "run_once", cycle)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://ops:secret@127.0.0.1:{server.getsockname()[1]}/ledger"
        monkeypatch.setattr(alert_sensors, "silent", lambda _: silent(url, seconds=0.1))
        try:
            assert "has not ended" in tick()
        finally:
            answers.set()
    assert spare.told(site.settings)
    [told] = [json.loads(line) for file in site.settings.home.rglob("alerts.jsonl") for line in file.open()][:1]
    assert "has not answered for 0.1 s" in json.dumps(told) and "secret" not in json.dumps(told)


def test_a_ledger_that_takes_the_place_of_another_gets_the_schedules_as_well(
    site: Site, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger of a restored home lacks the schedules. Without them, nobody would notice a job that does not start."""
    monkeypatch.setattr(alert_sensors, "run_once", lambda *_, **__: CycleReport())
    tick()
    before = open_ledger(site.settings).document(SCHEDULES)
    file = Path(site.settings.ledger_url.removeprefix("sqlite:///"))
    for left in file.parent.glob(f"{file.name}*"):
        left.unlink()
    tick()
    assert before is not None and open_ledger(site.settings).document(SCHEDULES) == before


@pytest.mark.parametrize("is_damaged", [True, False])
def test_an_error_that_a_damaged_ledger_causes_is_told_without_it(
    site: Site, tick: Tick, monkeypatch: pytest.MonkeyPatch, is_damaged: bool
) -> None:
    """A damaged page gives values that no reader expects, and SQLite itself reports no error."""
    open_ledger(site.settings).close()
    file = Path(site.settings.ledger_url.removeprefix("sqlite:///"))

    def cycle(*_: object, **__: object) -> CycleReport:
        if is_damaged:
            with file.open("r+b") as opened:
                opened.seek(20_000)
                opened.write(b"\xa5" * 20_000)
        raise ValueError("year -4713 is out of range")

    monkeypatch.setattr(alert_sensors, "run_once", cycle)
    with pytest.raises(LedgerUnusable if is_damaged else ValueError):
        tick()
    assert spare.told(site.settings) is is_damaged
