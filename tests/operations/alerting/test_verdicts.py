"""The dates of a false alarm are excluded from the training of the volume check and the anomaly models, and from
their judgement.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import duckdb

from ops_project import catalog
from ops_project.defs.operations import snapshot_observer
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.alerting.false_alarms import exclude
from ops_project.operations.alerting.observers.observer import Observer
from ops_project.operations.ledger import Ledger, open_ledger
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.pipeline.landing.write.tables import ensure_tables
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_the_dates_of_a_false_alarm_are_written_for_the_checks_and_those_of_a_true_one_are_not(tmp_path, monkeypatch):
    settings = Settings.load(home=tmp_path)
    config = alert_config(settings, catalog.load(settings), Lineage())
    signals = [
        Signal(
            "check.failure",
            FIRING,
            NOW,
            NOW,
            "1",
            1.0,
            asset="bronze/orders",
            check="volume",
            labels={"dates": "2026-03-02,2026-03-03"},
        ),
        Signal(
            "check.failure",
            FIRING,
            NOW,
            NOW,
            "1",
            1.0,
            asset="bronze/products",
            check="volume",
            labels={"dates": "2026-03-02"},
        ),
        Signal(
            "landing.finding",
            FIRING,
            NOW,
            NOW,
            "1",
            1.0,
            asset="bronze/customers",
            partition="2026-03-01",
            check="source_partial",
        ),
    ]
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.record(decide(ledger.load_state(config, NOW), signals, config, NOW), {}, NOW)
        numbers = {alert.asset: alert.number for alert in ledger.alerts()}
        ledger.give_verdict(numbers["bronze/orders"], "false-positive", "holiday", "engineer-a", NOW)
        ledger.give_verdict(numbers["bronze/products"], "true-positive", "cut off", "engineer-a", NOW)
        ledger.give_verdict(numbers["bronze/customers"], "noise", "small shop", "engineer-a", NOW)
    with duckdb.connect() as connection:
        ensure_tables(connection, [])
        assert exclude(connection, settings) == 3
        assert exclude(connection, settings) == 3, "again is the same"
        rows = connection.execute("SELECT asset, business_date FROM ops.excluded_points ORDER BY ALL").fetchall()
        assert rows == [
            ("bronze/customers", date(2026, 3, 1)),
            ("bronze/orders", date(2026, 3, 2)),
            ("bronze/orders", date(2026, 3, 3)),
        ]
        # If the ledger cannot be reached, no run stops, and nothing is removed.
        monkeypatch.setenv("OPS_LEDGER_URL", "postgresql://nobody@127.0.0.1:1/none")
        assert exclude(connection, settings) is None
        assert len(connection.execute("SELECT * FROM ops.excluded_points").fetchall()) == 3


# Thirteen days. The tenth sold three times as much, which is an alarm. The last sold a quarter less, which the tenth
# day hides.
DAYS = [date(2026, 2, 19) + timedelta(days=n) for n in range(13)]
ORDERS = [(300 if n == 9 else 75 if n == 12 else 100) + 5 * (n % 3 - 1) for n in range(13)]


class Home:
    """A home with revenue by day: each night the anomalies are built from it, and the cycle looks at them."""

    def __init__(self, tmp_path) -> None:
        self.settings = Settings.load(home=tmp_path / "home", environ={})
        self.catalog = catalog.load(self.settings)
        self.ledger = open_ledger(self.settings)
        self.nights = 0

    def night(self) -> dict[date, str]:
        """Status by day, as gold says after the run."""
        self.nights += 1
        now = NOW + timedelta(days=self.nights)
        with writer(self.settings, self.catalog.platform, owner="test", now=now, run=f"r{self.nights}") as warehouse:
            connection = warehouse.connection()
            ensure_tables(connection, [])
            connection.execute("CREATE SCHEMA IF NOT EXISTS gold; CREATE SCHEMA IF NOT EXISTS silver")
            connection.execute(
                "CREATE OR REPLACE TABLE gold.daily_revenue AS SELECT unnest(?::DATE[]) AS order_date, "
                "unnest(?::BIGINT[]) AS total_orders, 1000::DECIMAL(18, 4) AS gross_revenue",
                [DAYS, ORDERS],
            )
            connection.execute(
                "CREATE OR REPLACE TABLE silver.int_delivered_days AS SELECT order_date AS business_date, "
                "true AS is_delivered, true AS is_complete FROM gold.daily_revenue"
            )
            exclude(connection, self.settings)
            with self.settings.exported():
                invocation = dbt_runner.build(
                    dbt_manifest.load(), self.settings, select=["data_anomalies"], as_of=now, command="run"
                )
                for _ in invocation:
                    pass
            assert not invocation.result.errors
            found = dict(
                warehouse.connection().execute("SELECT order_date, status FROM gold.data_anomalies").fetchall()
            )
            snapshots.take(warehouse, run_id=f"r{self.nights}", as_of=now, commit="")
        run_once(self.settings, self.catalog, now, observers=[Observer("snapshot", snapshot_observer.look)])
        return found


def test_a_false_alarm_of_the_anomaly_model_ends_and_no_longer_hides_a_drop(tmp_path):
    home = Home(tmp_path)
    found = home.night()
    assert [day for day, status in found.items() if status == "Anomaly Detected"] == [DAYS[9]]
    [alert] = [alert for alert in home.ledger.alerts("open") if alert.rule == "anomaly_detected"]
    assert alert.labels["dates"] == str(DAYS[9]) and str(DAYS[9]) in alert.summary
    home.ledger.give_verdict(alert.number, "false-positive", "flash sale", "engineer-a", NOW)

    found = home.night()
    assert found[DAYS[9]] == "Judged Normal"
    assert found[DAYS[12]] == "Anomaly Detected", "without the sale in its baseline the drop is seen"
    [alert] = [alert for alert in home.ledger.alerts("open") if alert.rule == "anomaly_detected"]
    assert str(DAYS[12]) in alert.summary

    home.ledger.give_verdict(alert.number, "true-positive", "the shop was closed", "engineer-a", NOW)
    assert home.night()[DAYS[9]] == "Anomaly Detected", "a verdict that is taken back holds no more"
