"""A false alarm's dates leave the training of the volume check, and the check's judgement."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb

from ops_project import catalog
from ops_project.model.signal import FIRING, Signal
from ops_project.operations.deciding import decide
from ops_project.operations.lineage import Lineage
from ops_project.runtime.alert_config import alert_config
from ops_project.runtime.ledger import Ledger
from ops_project.runtime.verdicts import exclude
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_the_dates_of_a_false_alarm_are_written_for_the_checks_and_those_of_a_true_one_are_not(tmp_path):
    settings = Settings.load(home=tmp_path)
    config = alert_config(settings, catalog.load(settings), Lineage())
    signals = [
        Signal("check.failure", FIRING, NOW, NOW, "1", 1.0, asset="bronze/orders", check="volume",
               labels={"dates": "2026-03-02,2026-03-03"}),
        Signal("check.failure", FIRING, NOW, NOW, "1", 1.0, asset="bronze/products", check="volume", labels={"dates": "2026-03-02"}),
        Signal("landing.finding", FIRING, NOW, NOW, "1", 1.0, asset="bronze/customers", partition="2026-03-01", check="source_partial"),
    ]  # fmt: skip
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.record(decide(ledger.load_state(config, NOW), signals, config, NOW), {}, NOW)
        numbers = {alert.asset: alert.number for alert in ledger.alerts()}
        ledger.give_verdict(numbers["bronze/orders"], "false-positive", "holiday", "engineer-a", NOW)
        ledger.give_verdict(numbers["bronze/products"], "true-positive", "cut off", "engineer-a", NOW)
        ledger.give_verdict(numbers["bronze/customers"], "noise", "small shop", "engineer-a", NOW)
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA ops")
        assert exclude(connection, settings.ledger_url) == 3
        assert exclude(connection, settings.ledger_url) == 3, "again is the same"
        rows = connection.execute("SELECT asset, business_date FROM ops.excluded_points ORDER BY ALL").fetchall()
        assert rows == [
            ("bronze/customers", date(2026, 3, 1)), ("bronze/orders", date(2026, 3, 2)), ("bronze/orders", date(2026, 3, 3)),
        ]  # fmt: skip
        # A ledger that cannot be reached stops no run, and takes nothing away.
        assert exclude(connection, "postgresql://nobody@127.0.0.1:1/none") is None
        assert len(connection.execute("SELECT * FROM ops.excluded_points").fetchall()) == 3
