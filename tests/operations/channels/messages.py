"""A message in the form in which the outbox stores it, for tests of outgoing messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ops_project import catalog
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.state import State
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.ledger.outbox import Message
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 7, 10, tzinfo=UTC)
GRAPH = Lineage.of(
    [
        AssetFacts("bronze/transactions", owners=("team:investor-metrics",), domain="investor", tier="1"),
        AssetFacts("silver/fact_transactions", ("bronze/transactions",), ("team:investor-metrics",), "investor"),
        AssetFacts(
            "gold/kpi_aggregate_profit",
            ("silver/fact_transactions",),
            ("team:investor-metrics",),
            "investor",
            exposures=("investor report",),
        ),
        AssetFacts("bronze/orders", owners=("team:ecommerce-data",), domain="ecommerce"),
    ]
)
ERROR = (
    "ValueError: <script>alert(1)</script> row 17 of jane.doe@example.com: password=hunter2, "
    "postgresql://ops:secret@db/x | could not cast '12,5' to DECIMAL"
)


def message(
    tmp_path: Path,
    status: str = "firing",
    uncertain: int = 0,
    recipient: str = "team@example.com",
    kind: str = "alert",
    remaining: tuple[str, ...] = (),
) -> Message:
    """A page about a failed asset, with all facts that a message can have. If `status` is resolved, the asset was
    repaired.
    """
    settings = Settings.load(home=tmp_path)
    config = replace(alert_config(settings, catalog.load(settings), GRAPH), ui_url="http://localhost:3000")
    signals = [
        Signal(
            "asset.failure",
            FIRING,
            NOW,
            NOW,
            "1",
            1.0,
            domain="investor",
            pipeline="investor_pipeline",
            asset="bronze/transactions",
            partition="2026-03-03",
            owners=("team:investor-metrics",),
            run_id="0123456789abcdef",
            batch_id="b-7",
            failure_class="data_invalid",
            message=ERROR,
        ),
        Signal(
            "check.failure",
            FIRING,
            NOW,
            NOW,
            "2",
            1.0,
            domain="investor",
            asset="gold/kpi_aggregate_profit",
            check="reconciles",
            owners=("team:investor-metrics",),
        ),
    ]
    first = decide(State(), signals, config, NOW)
    later = NOW.replace(minute=11)
    second = decide(first.state, [], config, later)
    if status == "resolved":
        mended = [
            Signal(s.kind, OK, later, later, s.occurrence, 0.0, asset=s.asset, partition=s.partition, check=s.check)
            for s in signals
        ]
        second = decide(second.state, mended, config, later.replace(minute=30))
    note = next(n for n in second.notifications if n.payload["status"] == status)
    return Message(
        7,
        "abcdef0123456789",
        kind,
        note.receiver,
        note.channel,
        recipient,
        note.severity,
        note.group,
        dict(note.payload),
        NOW,
        0,
        uncertain,
        remaining,
    )


def namespace(**values: Any) -> SimpleNamespace:
    return SimpleNamespace(**values)
