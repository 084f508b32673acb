"""Every kind of finding has exactly one alert rule, and the words of that rule fit the subject of the finding.

A finding about a model is not about a file: before, a model that was not promoted was reported as a file that waits in
the inbound folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from ops_project import catalog
from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import Alert
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.model.failure_class import FAILURE_CLASSES
from ops_project.model.finding import FileFindingKind, ModelFindingKind
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.state import State
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.pipeline.learning.judge import gate
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
CATCH_ALL = "finding_without_a_rule"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Catalog]]:
    settings = Settings.load(home=Path(tmp_path_factory.mktemp("home")), environ={})
    yield settings, catalog.load(settings)


def told(shipped: tuple[Settings, Catalog], kind: str, feed: str) -> list[Alert]:
    """The alerts that one open finding of this kind raises; `feed` is empty if it is about a model."""
    signal = Signal(
        kind="landing.finding",
        state=FIRING,
        value=1.0,
        event_at=NOW,
        observed_at=NOW,
        occurrence=f"f1:{kind}",
        asset=f"bronze/{feed}" if feed else "gold/customer_churn_predictions",
        check=kind,
        failure_class=kind,
        message="what happened",
        labels={"finding": kind, "feed": feed},
    )
    settings, shipped_catalog = shipped
    decision = decide(State(), [signal], alert_config(settings, shipped_catalog, Lineage()), NOW + timedelta(minutes=1))
    return list(decision.state.alerts.values())


@pytest.mark.parametrize("kind", get_args(FileFindingKind))
def test_a_finding_about_a_file_has_one_rule_of_its_own(shipped: tuple[Settings, Catalog], kind: str) -> None:
    [alert] = told(shipped, kind, "orders")
    assert alert.rule != CATCH_ALL
    assert "model" not in alert.summary.lower()


@pytest.mark.parametrize("kind", get_args(ModelFindingKind))
def test_a_finding_about_a_model_has_one_rule_that_speaks_of_no_file(
    shipped: tuple[Settings, Catalog], kind: str
) -> None:
    [alert] = told(shipped, kind, "")
    assert alert.rule != CATCH_ALL
    assert "gold/customer_churn_predictions" in alert.summary
    rule = shipped[1].rules.rules[alert.rule]
    assert not {"file", "inbound"} & set((alert.summary + " " + rule.response).lower().replace(",", " ").split())


@pytest.mark.parametrize("feed", ["orders", ""], ids=["file", "model"])
@pytest.mark.parametrize("kind", [*FAILURE_CLASSES, "a_kind_of_tomorrow"])
def test_no_kind_is_silent_and_none_is_told_twice(shipped: tuple[Settings, Catalog], kind: str, feed: str) -> None:
    [alert] = told(shipped, kind, feed)
    assert (alert.rule == CATCH_ALL) == (kind not in get_args(FileFindingKind if feed else ModelFindingKind))


def test_a_model_that_is_not_promoted_says_so(shipped: tuple[Settings, Catalog]) -> None:
    for kind in gate.FAILURE_CLASS.values():
        [alert] = told(shipped, kind, "")
        assert alert.rule == "model_not_promoted"
        assert "was not promoted" in alert.summary
