"""The console's answers on a large home: 100,000 past alerts, 1,000 assets, 50 open incidents.

`python -m tests.benchmarks console`. Times are the server's, without a browser: the second answer of each page, because
the first one reads what is kept afterwards.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
from starlette.testclient import TestClient

from ops_project.console.app import create_app
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.ledger.lineage_document import remember
from tests.operations.incidents.world import IncidentWorld

PAST, ASSETS, OPEN = 100_000, 1_000, 50
PAGES = (
    "/",
    "/incidents",
    "/incidents/1",
    "/alerts",
    "/assets",
    "/boards/operational",
    "/boards/quality",
    "/boards/cost",
    "/reports",
    "/oncall",
)
LIMIT_MS = {"/": 150.0, "/boards/operational": 500.0, "/boards/quality": 500.0, "/boards/cost": 500.0}


def home(folder: Path, past: int = PAST, assets: int = ASSETS, incidents: int = OPEN) -> IncidentWorld:
    """A home with that much in its ledger."""
    day = IncidentWorld(folder, "2026-03-04 04:10")
    facts = [
        AssetFacts(
            f"gold/table_{n}",
            (f"gold/table_{n - 1}",) if n % 20 else (),
            ("team:investor-metrics",),
            "investor",
            "gold",
            "1",
        )
        for n in range(assets)
    ]
    day.lineage = Lineage.of([*day.lineage.assets.values(), *facts])
    remember(day.ledger, day.lineage, day.now)
    _past(day, past)
    for n in range(incidents):
        day.signal("asset.failure", FIRING, asset=f"gold/table_{n * 20}", domain="investor", run_id=f"run{n}")
    day.cycle()
    return day


def _past(day: IncidentWorld, count: int) -> None:
    """Alerts that fired and ended, as the engine keeps them, with their signals and messages."""
    day.job_fails(pipeline="old_pipeline")
    day.cycle()
    [alert] = day.ledger.alerts("open")
    day.job_succeeds(pipeline="old_pipeline")
    day.advance("1h", timedelta(minutes=30))
    from sqlalchemy import insert

    from ops_project.operations.ledger.alert_rows import alert_row
    from ops_project.operations.ledger.schema import alert_events, alerts, outbox

    rows, events, messages = [], [], []
    for n in range(count):
        at = day.now - timedelta(minutes=5 * (count - n) / 10)
        old = replace(
            alert,
            number=1_000 + n,
            key=f"k{n}",
            status="resolved",
            starts_at=at,
            fired_at=at,
            updated_at=at,
            resolved_at=at + timedelta(minutes=3),
            labels={**alert.labels, "domain": ("investor", "ecommerce", "insurance")[n % 3]},
        )
        rows.append(alert_row(old, False))
        events += [
            {"alert": old.number, "at": at.timestamp(), "reason": reason, "detail": ""}
            for reason in ("condition_true", "condition_false")
        ]
        messages.append(
            {
                "key": f"m{n}",
                "kind": "alert",
                "receiver": "data-team",
                "channel": "data-team/0-file",
                "recipient": "x",
                "severity": "high",
                "rank": 3,
                "reason": "first_notification",
                "group_key": "g",
                "firing": [old.number],
                "resolved": [],
                "payload": {},
                "created_at": at.timestamp(),
                "state": "delivered",
                "attempts": 1,
                "uncertain": 0,
                "next_attempt_at": at.timestamp(),
                "delivered_at": at.timestamp(),
                "last_error": "",
            }
        )
    with day.ledger.write() as connection:
        for start in range(0, count, 10_000):
            connection.execute(insert(alerts), rows[start : start + 10_000])
            connection.execute(insert(alert_events), events[2 * start : 2 * start + 20_000])
            connection.execute(insert(outbox), messages[start : start + 10_000])
    day.ledger.append(
        [
            Signal(
                "run.failure",
                OK,
                day.now - timedelta(minutes=n),
                day.now,
                str(n),
                value=0.0,
                pipeline=f"p{n % 9}",
                domain="investor",
            )
            for n in range(count // 10)
        ],
        now=day.now,
    )


def pages(day: IncidentWorld) -> dict[str, tuple[float, float, int]]:
    """Page → (milliseconds of wall time, of CPU, bytes) of its second answer."""
    found = {}
    with TestClient(
        create_app(day.settings, clock=lambda: day.now), base_url="http://localhost", client=("127.0.0.1", 1)
    ) as client:
        for path in PAGES:
            assert client.get(path).status_code == 200, path
            began, cpu = time.perf_counter(), time.process_time()
            answer = client.get(path)
            found[path] = (
                (time.perf_counter() - began) * 1000,
                (time.process_time() - cpu) * 1000,
                len(answer.content),
            )
    return found


def measure(rounds: int, large: bool) -> dict[str, object]:
    """Milliseconds of each page's second answer. The size is always the full one, and one round is enough."""
    del rounds, large
    with tempfile.TemporaryDirectory(prefix="ops-console-bench-") as folder:
        day = home(Path(folder))
        found = pages(day)
        return {
            "alerts": day.ledger.count_alerts(),
            "open_incidents": len(day.ledger.incidents("open", 1000)),
            "assets": len(day.lineage.assets),
            "memory_mb": round(psutil.Process().memory_info().rss / 1e6),
            "memory_mb_with": "the bench's own data; asked of the server alone: at most 300",
            "pages": {
                path: {
                    "wall_ms": round(wall, 1),
                    "cpu_ms": round(cpu, 1),
                    "bytes": size,
                    "bound_ms": LIMIT_MS.get(path),
                }
                for path, (wall, cpu, size) in found.items()
            },
        }
