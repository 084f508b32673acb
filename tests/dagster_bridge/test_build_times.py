"""How long the parts of a run took, from the events that Dagster really writes."""

from __future__ import annotations

import dagster as dg

from ops_project.dagster_bridge.build_times import Build, of_run, times
from ops_project.settings import Settings


def materialized(asset: str, **metadata: float) -> dict[str, object]:
    entries = [{"label": name.replace("_", " "), "entry_data": {"value": value}} for name, value in metadata.items()]
    made = {"asset_key": {"path": asset.split("/")}, "metadata_entries": entries}
    return {"dagster_event": {"event_specific_data": {"materialization": made}}}


def ended(seconds: float) -> dict[str, object]:
    return {"dagster_event": {"event_specific_data": {"duration_ms": seconds * 1000}}}


def test_a_model_has_its_own_time_and_the_others_share_what_is_left_of_their_step():
    found = times(
        [
            ("ASSET_MATERIALIZATION", "silver", materialized("silver/fact", Execution_Duration=2.0)),
            ("ASSET_MATERIALIZATION", "silver", materialized("silver/fact", Execution_Duration=2.0)),
            ("ASSET_MATERIALIZATION", "silver", materialized("silver/a")),
            ("ASSET_MATERIALIZATION", "silver", materialized("silver/b")),
            ("ASSET_MATERIALIZATION", "land", materialized("bronze/orders", rows_loaded=40)),
            ("ASSET_MATERIALIZATION", "land", materialized("bronze/orders", rows_loaded=40)),
            ("ASSET_MATERIALIZATION", "unfinished", materialized("bronze/users")),
            ("STEP_SUCCESS", "silver", ended(5.0)),
            ("STEP_FAILURE", "land", ended(1.5)),
        ]
    )
    assert found.steps == (("land", 1.5), ("silver", 5.0))
    assert found.builds == (
        Build("bronze/orders", 1.5, 40),
        Build("bronze/users", None, None),
        Build("silver/a", 1.5, None),
        Build("silver/b", 1.5, None),
        Build("silver/fact", 2.0, None),
    )


def test_the_file_of_a_run_is_read(tmp_path):
    """Uses Dagster's own storage, in the place where a home has it."""
    settings = Settings.load(home=tmp_path / "home", environ={})

    @dg.asset(key_prefix="gold")
    def revenue() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"dagster/row_count": 7})

    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        run = dg.materialize([revenue], instance=instance)
        made = tmp_path / "history" / "runs"
        target = settings.dagster_home / "history" / "runs"
        target.parent.mkdir(parents=True)
        made.rename(target)
        found = of_run(settings, run.run_id)
    assert found is not None and [step for step, _ in found.steps] == ["gold__revenue"]
    [build] = found.builds
    assert (build.asset, build.rows) == ("gold/revenue", 7) and build.seconds == found.steps[0][1] > 0
    assert of_run(settings, "none") is None
