"""PostgreSQL is read by the investor job however it is started: by its schedule, from the Dagster UI, by `ops run`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import psycopg2
import pytest

from ops_project.dagster_bridge import runs as bridge
from ops_project.pipeline.warehouse import snapshots
from ops_project.settings import Settings
from tests import postgres
from tests.scenarios import homes

pytestmark = [
    pytest.mark.skipif(postgres.binaries() is None, reason=postgres.MISSING),
    pytest.mark.xdist_group("postgres"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.running(tmp_path_factory.mktemp("postgres")) as url:
        yield url


def sales(settings: Settings) -> int:
    with snapshots.open(snapshots.newest(settings)) as warehouse:
        [[count]] = warehouse.execute("select count(*) from silver.fact_transactions").fetchall()
    return int(count)


def test_the_schedule_reads_it_and_a_second_run_in_the_same_hour_asks_again(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes.warm()
    monkeypatch.setenv("OPS_INVESTOR_POSTGRES_URL", server)
    settings = Settings(home=tmp_path / "home", as_of=homes.NOW)
    words = ("--domain", "investor", "--scale", "0.05", "--days", "2", "--end", str(homes.LAST), "--postgres")
    ended = homes.ops(settings, "simulate", *words).wait()
    assert ended.code == 0, ended.errors
    assert not list((settings.inbound / "investor").glob("transactions*"))

    def scheduled() -> int:
        from ops_project.defs.compose import compose
        from ops_project.defs.shared.site import Site

        settings.export()
        definitions = compose(Site.load(settings))
        repository = definitions.get_repository_def()
        with bridge.open_instance(settings) as instance:
            context = dg.build_schedule_context(
                instance=instance, repository_def=repository, scheduled_execution_time=homes.NOW
            )
            requested = repository.get_schedule_def("investor_pipeline_schedule").evaluate_tick(context).run_requests
            assert requested is not None
            job = definitions.resolve_job_def("investor_pipeline")
            return 0 if job.execute_in_process(instance=instance, tags=requested[0].tags).success else 1

    ended = homes.fork(scheduled, tmp_path / "scheduled.log").wait()
    assert ended.code == 0, ended.output + ended.errors
    with psycopg2.connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from transactions")
        assert (sales(settings),) == cursor.fetchone()
        cursor.execute("select max(transaction_id) from transactions")
        [newest] = cursor.fetchone() or [0]
    before = sales(settings)
    assert before > 0
    first = homes.ops(settings, "run", "--domain", "investor", "--json").wait()
    assert json.loads(first.output)["runs"][0]["rows_in"] == 0, first.errors
    with psycopg2.connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("create temp table one as select * from transactions where transaction_id = %s", [newest])
        cursor.execute(
            "update one set transaction_id = transaction_id + 1, updated_at = updated_at + interval '1 second'"
        )
        cursor.execute("insert into transactions select * from one")
    soon = Settings(home=settings.home, as_of=homes.NOW + timedelta(minutes=5))
    second = homes.ops(soon, "run", "--domain", "investor", "--json").wait()
    assert json.loads(second.output)["runs"][0]["state"] != "nothing new", second.errors
    assert sales(soon) == before + 1
