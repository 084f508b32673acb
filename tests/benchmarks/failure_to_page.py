"""Seconds from a scheduled run's failure to its delivered page under a real `dagster dev`, and how they are divided
among the steps.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass, fields
from typing import Any

from sqlalchemy import select

from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.schema import alerts, outbox, signals
from ops_project.settings import PROJECT_ROOT, Settings
from tests import dagster_dev

CHANNEL = "on-call/0-file"
PATIENCE_SECONDS = 60.0
WANTED_P95 = 6.0
FAILING_RUN = """
import dagster as dg, sys
from tests.operations.alerting import small_site
small_site.BROKEN['bronze/streams'] = 'no such file'
name = sys.argv[1]
jobs = [dg.define_asset_job(name, selection=dg.AssetSelection.all())]
site = dg.Definitions(assets=small_site.ASSETS, jobs=jobs, executor=dg.in_process_executor)
tags = {'dagster/schedule_name': 'nightly'}
site.resolve_job_def(name).execute_in_process(instance=dg.DagsterInstance.get(), raise_on_error=False, tags=tags)
"""


@dataclass(frozen=True)
class Page:
    """Seconds of one page, from the failure event of its run on."""

    seen: float
    """A cycle began that saw the event."""
    queued: float
    """The page was put into the outbox."""
    claimed: float
    delivered: float


def latency(failures: int) -> dict[str, Any]:
    """Let `failures` runs fail one after the other, at moments that are spread over the five seconds of the daemon's
    loop.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load(home=folder)
        with dagster_dev.running(settings), Ledger.open(settings.ledger_url) as ledger:
            dagster_dev.wait_for_a_cycle(ledger)
            for n in range(failures):
                time.sleep((n * 1.7) % 5)
                subprocess.run(
                    [sys.executable, "-c", FAILING_RUN, f"pipeline_{n}"],
                    cwd=PROJECT_ROOT,
                    env=dagster_dev.environment(settings),
                    check=True,
                    capture_output=True,
                )
            pages: list[Page] = []
            until = time.monotonic() + PATIENCE_SECONDS
            while len(pages) < failures and time.monotonic() < until:
                time.sleep(0.5)
                pages = delivered(ledger)
    return {"failures": failures, "paged": len(pages), **_figures(pages)}


def delivered(ledger: Ledger) -> list[Page]:
    """The first page of each failed job that was delivered to the file, the slowest first."""
    with ledger.read() as connection:
        failed = {
            row.number: row.fired_at
            for row in connection.execute(select(alerts.c.number, alerts.c.fired_at, alerts.c.rule))
            if row.rule == "job_failure"
        }
        looked = {
            row.event_at: row.observed_at
            for row in connection.execute(
                select(signals.c.event_at, signals.c.observed_at)
                .where(signals.c.kind == "run.failure")
                .order_by(signals.c.observed_at.desc())
            )
        }
        sent = connection.execute(
            select(outbox).where(outbox.c.channel == CHANNEL, outbox.c.delivered_at.is_not(None)).order_by(outbox.c.id)
        ).all()
    found: dict[int, Page] = {}
    for message in sent:
        for number in message.firing:
            if number in failed and number not in found:
                at = failed[number]
                times = (looked.get(at, at), message.created_at, message.claimed_at, message.delivered_at)
                found[number] = Page(*(time - at for time in times))
    return sorted(found.values(), key=lambda page: page.delivered, reverse=True)


def _figures(pages: list[Page]) -> dict[str, Any]:
    """The slowest pages are shown one by one, because they show why a bound is missed."""
    if not pages:
        return {"seconds_median": None, "seconds_p95": None, "seconds_max": None}
    taken = sorted(page.delivered for page in pages)
    return {
        "seconds_median": statistics.median(taken),
        "seconds_p95": taken[min(len(taken) - 1, int(len(taken) * 0.95))],
        "seconds_max": taken[-1],
        "slowest": [
            {field.name: round(value, 2) for field, value in zip(fields(page), astuple(page), strict=True)}
            for page in pages[: max(len(pages) // 4, 1)]
        ],
    }


def measure(rounds: int = 3, large: bool = False) -> dict[str, Any]:
    """Twenty failures (sixty at full size), compared with the bound."""
    figures = latency(60 if large else 20)
    in_time = figures["paged"] == figures["failures"] and figures["seconds_p95"] <= WANTED_P95
    return {**figures, "wanted_p95_at_most": WANTED_P95, "holds": in_time}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))  # noqa: T201
