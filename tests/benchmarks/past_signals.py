"""An idle cycle over a million past signals, beside one over ten thousand, on each store."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import create_engine, func, insert, select, text

from ops_project import catalog
from ops_project.catalog import Catalog
from ops_project.dagster_bridge.home import ensure
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.schema import signals as table
from ops_project.operations.ledger.signal_rows import INSERTED
from ops_project.settings import Settings
from tests import postgres
from tests.benchmarks.alerts import CHUNK, IDLE_CYCLES, graph, signals
from tests.benchmarks.ticks_past import fill

FEW, MANY = 10_000, 1_000_000
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MOST = 1.2
"""The largest ratio of the two that is asked for."""


@dataclass(frozen=True)
class _Home:
    settings: Settings
    loaded: Catalog
    instance: dg.DagsterInstance

    def cycle(self, at: datetime) -> tuple[float, float]:
        """Milliseconds of an idle cycle: elapsed time, and CPU time."""
        began, busy = time.perf_counter(), time.process_time()
        report = run_once(self.settings, self.loaded, at, self.instance, lineage=graph(), daemon=True)
        took = (time.perf_counter() - began) * 1000, (time.process_time() - busy) * 1000
        assert not report.observer_errors, report.observer_errors
        return took


@contextlib.contextmanager
def _home(past: int, url: str | None) -> Iterator[_Home]:
    """A home whose ledger has `past` signals, all of them decided on, beside a day of ticks."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        settings = Settings.load(home=folder, environ=dict(os.environ) | ({"OPS_LEDGER_URL": url} if url else {}))
        loaded = catalog.load(settings)
        with Ledger.open(settings.ledger_url) as ledger:
            _store(ledger, past)
            # A cycle keeps facts only about the newest signals of each series, which are among the last.
            ledger.set_cursor("decided", str(past - FEW), NOW)
        assert run_once(settings, loaded, NOW, observers=()).decided == FEW
        ensure(settings)
        with settings.exported():
            instance = held.enter_context(dg.DagsterInstance.from_config(str(settings.dagster_home)))
        fill(instance, NOW)
        yield _Home(settings, loaded, instance)


def _store(ledger: Ledger, past: int) -> None:
    """Store ten thousand signals, and then copies of them with later and later times. So the newest signals come last,
    as in a ledger that has grown.
    """
    span, copies = FEW / 100, past // FEW
    made = signals(FEW, NOW - timedelta(seconds=span * (copies - 1)))
    for start in range(0, FEW, CHUNK):
        ledger.append(made[start : start + CHUNK])
    for n in range(1, copies):
        other: dict[str, Any] = {
            "id": func.substr(table.c.id, 1, 11).concat(f"-{n}"),
            "occurrence": table.c.occurrence.concat(f"-{n}"),
            "event_at": table.c.event_at + span * n,
            "observed_at": table.c.observed_at + span * n,
        }
        again = select(*(other.get(column.name, column) for column in INSERTED)).where(table.c.seq <= FEW)
        with ledger.write() as connection:
            names = [column.name for column in INSERTED]
            connection.execute(insert(table).from_select(names, again.order_by(table.c.seq)))
    with ledger.read() as connection:
        assert connection.execute(select(func.count()).select_from(table)).scalar() == past


def compare(cycles: int = IDLE_CYCLES, urls: tuple[str | None, str | None] = (None, None)) -> dict[str, Any]:
    """Idle cycles of both homes by turns, so that a busy machine slows down both."""
    with ExitStack() as held:
        held.enter_context(contextlib.redirect_stderr(held.enter_context(Path(os.devnull).open("w"))))
        few, many = (held.enter_context(_home(past, url)) for past, url in zip((FEW, MANY), urls, strict=True))
        homes = {"few": few, "many": many}
        first: dict[str, float] = {}
        clock: dict[str, list[float]] = {name: [] for name in homes}
        busy: dict[str, list[float]] = {name: [] for name in homes}
        for n in range(-cycles // 4, cycles):
            for name in sorted(homes, reverse=bool(n % 2)):
                took, used = homes[name].cycle(NOW + timedelta(hours=1, seconds=5 * n))
                first.setdefault(name, took)
                if n >= 0:
                    clock[name].append(took)
                    busy[name].append(used)
    return _figures(first, clock, busy)


def _figures(first: dict[str, float], clock: dict[str, list[float]], busy: dict[str, list[float]]) -> dict[str, Any]:
    median = {name: statistics.median(values) for name, values in clock.items()}
    p95 = {name: sorted(values)[int(len(values) * 0.95)] for name, values in clock.items()}
    cpu = {name: statistics.median(values) for name, values in busy.items()}
    growth = median["many"] / median["few"]
    return {
        "past_signals": {"few": FEW, "many": MANY},
        "idle_ms_median": median,
        "idle_ms_p95": p95,
        "idle_cpu_ms_median": cpu,
        "first_cycle_ms": first,
        "growth_of_the_median": growth,
        "growth_of_the_p95": p95["many"] / p95["few"],
        "growth_of_the_cpu_median": cpu["many"] / cpu["few"],
        "wanted_at_most": MOST,
        "holds": growth <= MOST,
    }


def in_postgres(cycles: int = IDLE_CYCLES) -> dict[str, Any] | None:
    """The figures of `compare` with two databases of one PostgreSQL server; None if the machine has none."""
    if postgres.binaries() is None:
        return None
    with tempfile.TemporaryDirectory() as folder, postgres.running(Path(folder)) as url:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE many"))
        engine.dispose()
        return compare(cycles, (url, f"{url.rpartition('/')[0]}/many"))


def measure(rounds: int = 1, large: bool = False) -> dict[str, Any]:
    """The idle cycle's growth from ten thousand past signals to a million."""
    return {"sqlite": compare(), "postgresql": in_postgres()}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))  # noqa: T201
