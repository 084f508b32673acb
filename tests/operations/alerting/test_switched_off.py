"""A domain that is switched off leaves no alert behind. When it is switched on again, it has alerts again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_alerts_of_a_domain_that_is_switched_off_end_in_the_next_cycle(tmp_path):
    overlay = tmp_path / "mine"
    (overlay / "domains.d").mkdir(parents=True)
    switch = overlay / "domains.d" / "off.yaml"
    switch.write_text("domains:\n  investor: {enabled: false}\n")
    settings = Settings.load(home=tmp_path / "home")
    loaded, without = catalog.load(settings), catalog.load(Settings.load(home=tmp_path / "home", overlay=overlay))
    job = loaded.domains.main_job("investor")
    scheduled = {"scheduled": "true"}
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append(
            [
                Signal("run.failure", FIRING, NOW, NOW, "1", 1.0, domain="investor", pipeline=job, labels=scheduled),
                Signal("run.failure", FIRING, NOW, NOW, "2", 1.0, pipeline="master_pipeline", labels=scheduled),
                Signal("asset.failure", FIRING, NOW, NOW, "3", 1.0, domain="investor", asset="gold/kpi"),
                Signal("asset.failure", FIRING, NOW, NOW, "4", 1.0, domain="ecommerce", asset="gold/other"),
            ]
        )

        def open_at(minute: int, configured: catalog.Catalog) -> set[str]:
            run_once(settings, configured, NOW + minute * MINUTE, observers=(), take_over=True)
            return {alert.asset or alert.labels["pipeline"] for alert in ledger.alerts("open")}

        everything = {job, "master_pipeline", "gold/kpi", "gold/other"}
        assert open_at(0, loaded) == everything
        assert open_at(1, without) == {"master_pipeline", "gold/other"}
        assert open_at(2, without) == {"master_pipeline", "gold/other"}
        assert open_at(3, loaded) == everything, "it still fails"
