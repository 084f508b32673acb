"""Stories of whole runs: killed anywhere, side by side, over old dates, for a domain that is only a feeds file."""

from __future__ import annotations

import json
import signal
import time
from datetime import date
from pathlib import Path

import pytest

from ops_project.dagster_bridge import runs as bridge
from ops_project.pipeline.warehouse import publishing, snapshots
from ops_project.process import home_overlay as overlay_kept
from ops_project.process import locks
from ops_project.settings import Settings
from tests.scenarios import homes

pytestmark = pytest.mark.xdist_group("runs")

OF_THE_SHOP = (
    "land:orders",
    "landed:orders",
    "dbt:ecommerce_silver",
    "built:silver__fact_orders",
    "dbt:ecommerce_gold",
    "built:gold__daily_revenue",
    "snapshot:copied",
    "snapshot:renamed",
    "publish:daily_revenue",
    "publish:renamed",
)
# One place for each kind of work that a kill leaves half done, in the domain whose runs cost least.
KINDS = (
    "landed:policies",
    "built:silver__fact_policies",
    "snapshot:copied",
    "publish:kpi_policies",
    "publish:renamed",
)


def run_json(settings: Settings, *arguments: str, domain: str = "insurance") -> tuple[int | None, dict]:
    ended = homes.ops(settings, "run", "--domain", domain, "--json", *arguments).wait()
    assert ended.output.startswith("{"), ended.output + ended.errors
    return ended.code, json.loads(ended.output)


def instance_of(settings: Settings):
    settings.export()
    return bridge.open_instance(settings)


@pytest.mark.parametrize(
    ("domain", "places"),
    [("insurance", KINDS), pytest.param("ecommerce", OF_THE_SHOP, marks=pytest.mark.soak)],
    ids=["kinds", "everywhere"],
)
def test_killed_at_every_step_a_plain_rerun_gives_the_same(
    request: pytest.FixtureRequest, tmp_path: Path, domain: str, places: tuple[str, ...]
) -> None:
    before, after = ("policies_waiting", "policies_done") if domain == "insurance" else ("waiting", "done")
    waiting, done = request.getfixturevalue(before), request.getfixturevalue(after)
    settings = homes.copy(waiting, tmp_path / "home")
    for place in places:
        ended = homes.ops(settings, "run", "--domain", domain, kill_at=place).wait()
        assert ended.signal == signal.SIGKILL, f"did not come to {place}: {ended.output}{ended.errors}"
    code, told = run_json(settings, domain=domain)
    assert code == 0, told
    assert homes.business_checksums(settings) == homes.business_checksums(done)
    assert any("marked failed" in line for line in told["runs"][0]["repaired"])
    assert not [path for path in settings.snapshots.iterdir() if path.name.startswith(".")]
    published = publishing.current(settings, domain)
    assert published is not None and not published.held
    with instance_of(settings) as instance:
        states = [record.dagster_run.status.value for record in instance.get_run_records()]
    assert states == ["SUCCESS"] + ["FAILURE"] * len(places)


def test_five_side_by_side_and_one_of_them_killed(
    policies_waiting: Settings, policies_done: Settings, tmp_path: Path
) -> None:
    settings = homes.copy(policies_waiting, tmp_path / "home")
    children = [homes.ops(settings, "run", "--domain", "insurance", log=tmp_path / f"{n}.log") for n in range(5)]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        holder = locks.holder(settings.lock)
        if holder is not None and holder.run:
            break
        time.sleep(0.02)
    assert holder is not None, "nobody came to hold the lock"
    victim = next(child for child in children if child.pid == holder.pid)
    victim.kill()
    ends = {child.pid: child.wait() for child in children}
    assert ends.pop(victim.pid).signal == signal.SIGKILL
    assert [end.code for end in ends.values()] == [0] * 4, [end.output + end.errors for end in ends.values()]
    assert not any(
        word in (end.output + end.errors).lower()
        for word in ("lock error", "conflict", "is locked")
        for end in ends.values()
    )
    assert homes.business_checksums(settings) == homes.business_checksums(policies_done)


def test_a_reader_that_stays_open_delays_nothing(policies_done: Settings, tmp_path: Path) -> None:
    settings = homes.copy(policies_done, tmp_path / "home")
    with snapshots.open(snapshots.newest(settings)) as reader:
        before = reader.execute("SELECT count(*) FROM bronze.policies").fetchone()
        code, told = run_json(settings, "--date", homes.LAST.isoformat())
        assert code == 0 and told["runs"][0]["parts"]["waiting"] < 1
        assert reader.execute("SELECT count(*) FROM bronze.policies").fetchone() == before


def test_nothing_new_is_said_and_nothing_is_built(policies_done: Settings, tmp_path: Path) -> None:
    settings = homes.copy(policies_done, tmp_path / "home")
    before = snapshots.newest(settings).id
    code, told = run_json(settings)
    assert (code, told["runs"][0]["state"]) == (0, "nothing new")
    assert snapshots.newest(settings).id == before


def test_an_exact_date_is_built_anew_and_makes_no_table_fresher(policies_done: Settings, tmp_path: Path) -> None:
    settings = homes.copy(policies_done, tmp_path / "home")

    def newest() -> object:
        with snapshots.open(snapshots.newest(settings)) as connection:
            return connection.execute("SELECT max(business_date) FROM silver.fact_policies").fetchone()

    before, data = newest(), homes.business_checksums(settings)
    code, told = run_json(settings, "--date", "2026-03-01")
    run = told["runs"][0]
    assert (code, run["from"], run["to"], run["rows_in"]) == (0, "2026-03-01", "2026-03-01", 0)
    assert newest() == before == (date(2026, 3, 3),)
    assert homes.business_checksums(settings)["silver.fact_policies"] == data["silver.fact_policies"]
    with instance_of(settings) as instance:
        record = next(iter(instance.get_run_records(limit=1)))
        partitions = _partitions(instance, record.dagster_run.run_id, "fact_policies")
    assert partitions == {"2026-03-01"}


def _partitions(instance, run_id: str, table: str) -> set[str | None]:
    return {
        log.dagster_event.step_materialization_data.materialization.partition
        for log in instance.all_logs(run_id)
        if log.dagster_event is not None
        and log.dagster_event.event_type_value == "ASSET_MATERIALIZATION"
        and log.dagster_event.asset_key.path[-1] == table
    }


def test_a_run_that_hangs_is_ended_without_a_daemon(waiting: Settings, tmp_path: Path) -> None:
    settings = homes.copy(waiting, tmp_path / "home")

    def work() -> int:
        from ops_project.cli import cli
        from ops_project.defs.shared import bronze

        def hang(*_arguments: object, **_more: object) -> None:
            time.sleep(120)

        bronze.land = hang
        bronze.TASK_SECONDS = 1.0
        cli.main(
            ["--home", str(settings.home), "--as-of", homes.NOW.isoformat(), "run", "--domain", "ecommerce"],
            standalone_mode=True,
        )
        return 0

    began = time.monotonic()
    ended = homes.fork(work, tmp_path / "log").wait()
    assert ended.code == 1, ended.output + ended.errors
    assert time.monotonic() - began < 60
    assert locks.holder(settings.lock) is None
    with instance_of(settings) as instance:
        record = next(iter(instance.get_run_records(limit=1)))
        assert record.dagster_run.status.value in {"FAILURE", "CANCELED"}
        words = dict(bridge.outcome(instance, record.dagster_run.run_id).failures)
    assert "ran longer than its limit of 1 s" in words["land_customers"]
    assert "not begun" in words["land_orders"]


def test_a_domain_that_is_only_a_feeds_file(tmp_path: Path) -> None:
    homes.warm()
    overlay = tmp_path / "config"
    (overlay / "feeds").mkdir(parents=True)
    (overlay / "feeds" / "weather.yaml").write_text(
        """
domain: weather
owners: [team:data-engineering]
feeds:
  weather_readings:
    description: Readings of the stations.
    inbound: readings_{date:%Y-%m-%d}.csv
    columns: {station: {type: string, required: true}, celsius: "decimal(4,1)"}
    key: [station]
    expected: daily
"""
    )
    settings = Settings(home=tmp_path / "home", overlay=overlay, as_of=homes.NOW)
    folder = settings.inbound / "weather"
    folder.mkdir(parents=True)
    (folder / "readings_2026-03-03.csv").write_text("station,celsius\nA,1.5\nB,cold\n")
    ended = homes.ops(settings, "run", "--domain", "weather", "--json").wait()
    told = json.loads(ended.output)["runs"][0]
    assert (told["job"], told["rows_in"], told["rows_loaded"], told["rows_quarantined"]) == (
        "weather_pipeline",
        2,
        1,
        1,
    )
    assert told["tables_built"] == 1 and told["checks_passed"] > 0
    with snapshots.open(snapshots.newest(settings)) as connection:
        assert connection.execute("SELECT station, celsius::VARCHAR FROM bronze.weather_readings").fetchall() == [
            ("A", "1.5")
        ]
    assert str(overlay) in (overlay_kept.left_out(Settings(home=settings.home)) or "")


def test_the_layer_jobs_stand_alone_and_quality_checks_builds_nothing(done: Settings, tmp_path: Path) -> None:
    settings = homes.copy(done, tmp_path / "home")

    def work() -> int:
        from ops_project.defs.compose import compose
        from ops_project.defs.shared.site import Site

        settings.export()
        definitions = compose(Site.load(settings))
        window = {
            "dagster/asset_partition_range_start": "2026-03-01",
            "dagster/asset_partition_range_end": "2026-03-02",
        }
        with bridge.open_instance(settings) as instance:
            for job, tags in (("quality_checks", {}), ("gold_aggregation", {}), ("silver_transformation", window)):
                result = definitions.resolve_job_def(job).execute_in_process(
                    instance=instance, tags=tags, raise_on_error=False, run_config={"loggers": {"console": {}}}
                )
                found = bridge.outcome(instance, result.run_id)
                schemas = sorted({key[0] for key in found.built})
                silent = sum(check.passed is None for check in found.checks)
                print(json.dumps([job, result.success, schemas, len(found.checks) > 20, silent]))  # noqa: T201
        return 0

    ended = homes.fork(work, tmp_path / "log").wait()
    assert ended.code == 0, ended.output + ended.errors
    assert [json.loads(line) for line in ended.output.splitlines() if line.startswith("[")] == [
        ["quality_checks", True, [], True, 0],
        ["gold_aggregation", True, ["gold"], True, 0],
        ["silver_transformation", True, ["silver"], True, 0],
    ]
