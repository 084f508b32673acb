"""What is written, which readings a model gives, and which model is used if the right one cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from ops_project.pipeline.learning import artifact, tables
from ops_project.pipeline.learning.judge.bands import band
from ops_project.pipeline.learning.registry import MODELS, Registry, RegistryError
from ops_project.pipeline.learning.scoring import due, score
from ops_project.pipeline.learning.training import train
from tests.pipeline.learning.shop import NOW, findings, scoring, shipped, training

BANDS = shipped().churn.bands


def test_the_three_tables_are_filled_with_version_date_and_reasons(
    connection: duckdb.DuckDBPyConnection, registry: Registry
) -> None:
    for model in MODELS:
        train(training(connection, registry), model)
        scored = score(scoring(connection, registry), model)
        assert scored.rows
        assert {reading.status for reading in scored.readings} == {"ok"}, scored.readings
    segments = dict(
        connection.execute("select segment_name, avg(recency_days) from gold.customer_segments group by 1").fetchall()
    )
    assert 3 <= len(segments) <= 6
    probabilities = connection.execute(
        "select churn_risk, min(churn_probability), max(churn_probability) from gold.customer_churn_predictions group by 1"
    ).fetchall()
    for risk, low, high in probabilities:
        assert band(low, BANDS) == band(high, BANDS) == risk
    best = dict(
        connection.execute(
            "select product_id, recommended_product_id from gold.product_recommendations where place = 1"
        ).fetchall()
    )
    assert sum(best.get(f"P{n}") == f"P{n ^ 1}" for n in range(38)) >= 36
    assert "P39" not in best
    journal = connection.execute(
        "select model, version, data_date, code_version, json_extract(parameters, '$') from ops.model_scorings order by 1"
    ).fetchall()
    assert [row[:2] for row in journal] == [("churn", "1"), ("recommendations", "1"), ("segmentation", "1")]
    assert all(row[3] == "commit" and json.loads(row[4]) for row in journal)


@pytest.mark.parametrize(
    ("value", "name"), [(None, None), (0.7, "High"), (0.6999, "Medium"), (0.4, "Medium"), (0.39, "Low")]
)
def test_the_edges_of_the_bands(value: float | None, name: str | None) -> None:
    assert band(value, BANDS) == name


def test_segments_are_stable_when_the_labels_are_drawn_anew(
    connection: duckdb.DuckDBPyConnection, registry: Registry
) -> None:
    train(training(connection, registry), "segmentation")
    score(scoring(connection, registry), "segmentation")
    before = dict(connection.execute("select customer_id, segment_name from gold.customer_segments").fetchall())
    other_seed = shipped().model_copy(update={"gate": shipped().gate.model_copy(update={"seed": 99})})
    train(training(connection, registry, parameters=other_seed), "segmentation")
    score(scoring(connection, registry), "segmentation")
    after = dict(connection.execute("select customer_id, segment_name from gold.customer_segments").fetchall())
    assert before == after


def remove(path: Path) -> None:
    path.unlink()


def alter(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"intercept": ', b'"intercept": 1'))


@pytest.mark.parametrize(("damage", "said"), [(remove, "missing"), (alter, "altered")], ids=["missing", "altered"])
def test_a_model_file_that_is_gone_or_altered_is_a_finding_and_the_last_good_one_serves(
    trained_shop: duckdb.DuckDBPyConnection,
    trained_registry: Registry,
    tmp_path: Path,
    damage: Callable[[Path], None],
    said: str,
) -> None:
    connection, registry = trained_shop, trained_registry
    registry.promote("churn", _second_version(registry), "by hand")
    files = json.loads((tmp_path / "models" / "serving.json").read_text())["churn"]["versions"]
    damage(tmp_path / "models" / files["2"]["file"])
    scored = score(scoring(connection, registry), "churn")
    assert (scored.version, bool(scored.rows)) == ("1", True)
    [(kind, asset, message)] = findings(connection)
    assert (kind, asset) == ("mart_build_failure", "gold/customer_churn_predictions")
    assert said in message
    assert "version 1, the last good one" in message
    # If no good version is left, the predictions stay as they are.
    damage(tmp_path / "models" / files["1"]["file"])
    assert score(scoring(connection, registry), "churn").rows is None
    assert connection.execute("select count(*) from gold.customer_churn_predictions").fetchone() == (scored.rows,)


def test_a_model_of_another_library_version_does_not_serve(
    trained_shop: duckdb.DuckDBPyConnection, trained_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, registry = trained_shop, trained_registry
    score(scoring(connection, registry), "churn")
    monkeypatch.setattr(artifact, "version", lambda _name: "99.1.0")
    assert score(scoring(connection, registry), "churn").rows is None
    [(kind, _asset, message)] = findings(connection)
    assert kind == "mart_build_failure"
    assert "99.1 is installed" in message
    monkeypatch.undo()
    score(scoring(connection, registry), "churn")
    assert findings(connection) == []


def _second_version(registry: Registry) -> str:
    loaded = registry.serving("churn")
    assert loaded is not None
    content = {**loaded.model, "intercept": loaded.model["intercept"] + 0.01}
    return registry.register("churn", content, metrics={"auc": 0.5}, parameters={}, tags={"as_of": "2026-03-29"})


def test_a_shuffled_column_keeps_its_distribution_and_is_found_by_its_company(
    trained_shop: duckdb.DuckDBPyConnection, trained_registry: Registry
) -> None:
    connection, registry = trained_shop, trained_registry
    connection.execute(
        """
        create table spoiled as
        with numbered as (
            select *, row_number() over (order by hash(customer_id, business_date)) as place,
                row_number() over (order by hash(business_date, customer_id, 1)) as other
            from silver.int_customer_days where product_views > 0
        )
        select mine.customer_id, mine.business_date, theirs.product_views
        from numbered as mine inner join numbered as theirs on mine.place = theirs.other
        """
    )
    # Each customer has the visits of another customer.
    connection.execute(
        """
        update silver.int_customer_days set product_views = 0;
        insert into silver.int_customer_days
        select 'C' || lpad((hash(customer_id, 7) % 900)::varchar, 5, '0'), business_date, 0, 0, 0, 0, 0, 0, product_views
        from spoiled
        """
    )
    readings = {reading.metric: reading for reading in score(scoring(connection, registry), "churn").readings}
    assert readings["input_association"].status == "failed"
    assert "views_" in readings["input_association"].detail
    assert readings["coverage"].status == "ok"


def test_age_is_counted_on_the_as_of_clock(connection: duckdb.DuckDBPyConnection, registry: Registry) -> None:
    train(training(connection, registry), "segmentation")
    later = NOW + timedelta(days=shipped().health.max_age_days, seconds=1)
    for now, status in ((later - timedelta(seconds=1), "ok"), (later, "failed")):
        readings = score(scoring(connection, registry, now), "segmentation").readings
        assert {reading.metric: reading.status for reading in readings}["age"] == status


def test_a_training_that_finds_nothing_better_confirms_the_model(
    connection: duckdb.DuckDBPyConnection, registry: Registry
) -> None:
    train(training(connection, registry), "segmentation")
    later = NOW + timedelta(days=20)
    train(training(connection, registry, now=later), "segmentation")
    readings = score(scoring(connection, registry, later), "segmentation").readings
    assert {reading.metric: reading.value for reading in readings}["age"] == 0


def test_recommendations_are_built_weekly_and_after_a_missed_sunday(
    connection: duckdb.DuckDBPyConnection, registry: Registry
) -> None:
    assert due(scoring(connection, registry), "recommendations")
    train(training(connection, registry), "recommendations")
    score(scoring(connection, registry), "recommendations")
    assert not due(scoring(connection, registry, NOW + timedelta(days=6, hours=23)), "recommendations")
    assert due(scoring(connection, registry, NOW + timedelta(days=7)), "recommendations")
    assert due(scoring(connection, registry), "churn")


def test_roll_back_returns_to_what_served_before(trained_registry: Registry) -> None:
    registry = trained_registry
    with pytest.raises(RegistryError, match="no earlier version"):
        registry.rollback("churn")
    registry.promote("churn", _second_version(registry), "by hand")
    assert registry.rollback("churn") == "1"
    loaded = registry.serving("churn")
    assert loaded is not None
    assert loaded.version == "1"
    with pytest.raises(RegistryError, match="no version 9; valid: 2, 1"):
        registry.promote("churn", "9", "by hand")


def test_tables_exist_before_there_is_a_model(registry: Registry) -> None:
    connection = duckdb.connect()
    from tests.pipeline.learning.shop import shop

    connection = shop(days=5)
    for model in MODELS:
        assert score(scoring(connection, registry), model).rows is None
        assert connection.execute(f"select count(*) from {tables.TABLE_OF[model]}").fetchone() == (0,)
