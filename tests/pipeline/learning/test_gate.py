"""A candidate serves only if it is better on the same held-out rows, beyond their noise."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from ops_project.pipeline.learning import artifact, frames
from ops_project.pipeline.learning.candidates import Spoil
from ops_project.pipeline.learning.judge import gate
from ops_project.pipeline.learning.judge.gate import GateReason
from ops_project.pipeline.learning.judge.metrics import Floats
from ops_project.pipeline.learning.registry import Registry
from ops_project.pipeline.learning.training import train
from tests.pipeline.learning.shop import findings, shipped, training

GATE, GUARDS = shipped().gate, shipped().guards
COLUMN = {name: index for index, name in enumerate(frames.FEATURES)}


def losses(mean: float, rows: int = 500, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(mean, 0.5, rows)


def test_a_clear_gain_promotes_and_names_what_it_beat() -> None:
    decision = gate.decide(losses(1.0), losses(0.8), GATE, serving="3")
    assert (decision.promote, decision.reason) == (True, GateReason.BETTER)
    assert "version 3" in decision.message
    assert gate.decide(losses(1.0), losses(0.8), GATE, serving=None).reason is GateReason.FIRST


@pytest.mark.parametrize("candidate", [losses(1.0), losses(0.995, seed=2), losses(1.2)], ids=["same", "noise", "worse"])
def test_no_gain_beyond_noise_promotes_nothing(candidate: Floats) -> None:
    decision = gate.decide(losses(1.0), candidate, GATE, serving="3")
    assert (decision.promote, decision.reason) == (False, GateReason.NOT_BETTER)


def test_equal_models_are_promoted_no_more_often_than_the_confidence_allows() -> None:
    few = GATE.model_copy(update={"resamples": 200})
    promoted = [
        gate.decide(losses(1, 200, 2 * i), losses(1, 200, 2 * i + 1), few, serving="1").promote for i in range(600)
    ]
    # In 600 comparisons, a rate of 2 % has a standard error of 0.6 %.
    assert np.mean(promoted) <= 1 - GATE.confidence + 2 * 0.006


def test_the_same_losses_give_the_same_decision() -> None:
    one, two = (gate.decide(losses(1.0), losses(0.9), GATE, serving="1") for _ in range(2))
    assert one == two


def test_a_separation_that_is_too_good_is_a_leak_in_either_direction() -> None:
    for value in (0.99, 0.01):
        decision = gate.unfit(GUARDS, aucs={"model": 0.8, "views_14": value}, rows=100, serving_rows=None)
        assert decision is not None
        assert decision.reason is GateReason.LABEL_LEAK
        assert "views_14" in decision.message
    assert gate.unfit(GUARDS, aucs={"model": 0.9}, rows=100, serving_rows=None) is None


def test_the_edge_of_truncation_is_exact() -> None:
    assert gate.unfit(GUARDS, aucs={}, rows=80, serving_rows=100) is None
    decision = gate.unfit(GUARDS, aucs={}, rows=79, serving_rows=100)
    assert decision is not None
    assert decision.reason is GateReason.TRAINING_TRUNCATED


def shuffled(matrix: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    spoiled = matrix.copy()
    column = COLUMN["recency_days"]
    spoiled[:, column] = np.random.default_rng(0).permutation(spoiled[:, column])
    return spoiled, outcome


def leaked(matrix: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    spoiled = matrix.copy()
    spoiled[:, COLUMN["undone_share"]] = outcome
    return spoiled, outcome


def truncated(matrix: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    return matrix[: len(matrix) // 2], outcome[: len(outcome) // 2]


def flipped(matrix: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    return matrix, 1 - outcome


@pytest.mark.parametrize(
    ("spoil", "reason", "kind"),
    [
        (shuffled, GateReason.INPUTS_BROKEN, "data_invalid"),
        (leaked, GateReason.LABEL_LEAK, "data_invalid"),
        (truncated, GateReason.TRAINING_TRUNCATED, "volume_anomaly"),
        (flipped, GateReason.NOT_BETTER, "value_anomaly"),
    ],
    ids=["a feature column shuffled", "labels leaked", "training truncated", "a worse candidate"],
)
def test_a_spoiled_training_is_kept_back_with_a_finding_and_the_good_model_goes_on(
    trained_shop: duckdb.DuckDBPyConnection, trained_registry: Registry, spoil: Spoil, reason: GateReason, kind: str
) -> None:
    connection, registry = trained_shop, trained_registry
    good = registry.serving("churn")
    spoiled = train(training(connection, registry, spoil), "churn")
    assert spoiled.decision is not None
    assert (spoiled.decision.promote, spoiled.decision.reason) == (False, reason)
    assert registry.serving("churn") == good
    [(found, asset, message)] = findings(connection)
    assert (found, asset) == (kind, "gold/customer_churn_predictions")
    assert reason.value in message
    assert [item.status for item in registry.versions("churn")] == ["candidate", "serving"]
    # The next training without a problem closes the finding.
    train(training(connection, registry), "churn")
    assert findings(connection) == []


def test_the_same_inputs_give_the_same_model_and_no_new_version(
    connection: duckdb.DuckDBPyConnection, registry: Registry
) -> None:
    for model in ("segmentation", "churn", "recommendations"):
        assert train(training(connection, registry), model).version == "1"
        again = train(training(connection, registry), model)
        assert again.decision is not None
        assert (again.version, again.decision.reason) == (None, GateReason.UNCHANGED)


def test_the_same_inputs_give_the_same_bytes_in_another_registry(
    connection: duckdb.DuckDBPyConnection, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> None:
    connection.execute("set threads = 1")
    train(training(connection, registry), "churn")
    root = tmp_path_factory.mktemp("other")
    other = Registry(root, f"sqlite:///{root / 'mlflow.db'}")
    connection.execute("set threads = 4")
    # The order of the rows in the table has no meaning.
    connection.execute(
        "create table shuffled as select * from silver.int_customer_days order by hash(customer_id, orders)"
    )
    connection.execute("delete from silver.int_customer_days; insert into silver.int_customer_days from shuffled")
    train(training(connection, other), "churn")
    one, two = (item.versions("churn")[0].sha256 for item in (registry, other))
    assert one == two


def test_the_model_is_calibrated_and_better_than_the_plain_rule(
    connection: duckdb.DuckDBPyConnection, registry: Registry
) -> None:
    trained = train(training(connection, registry), "churn")
    assert trained.metrics["log_loss"] < trained.metrics["plain_log_loss"]
    assert trained.metrics["calibration_error"] < 0.1
    version = registry.versions("churn")[0]
    assert version.parameters["held_out_by"] == "time"
    assert {"code_version", "as_of", "sha256"} <= set(version.tags)
    assert version.parameters["data_fingerprint"]


def test_too_little_history_is_no_model_and_no_finding(registry: Registry) -> None:
    from tests.pipeline.learning.shop import shop

    young = shop(days=10)
    for model in ("segmentation", "churn", "recommendations"):
        trained = train(training(young, registry), model)
        assert (trained.version, trained.decision) == (None, None)
        assert "10 days of history" in trained.message
    assert findings(young) == []
    assert artifact.rounded(1.23456789012345) == 1.23456789
