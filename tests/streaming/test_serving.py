"""The serving store, embedded and on DynamoDB. It loads only whole days that passed their checks, a repeated load
changes nothing, and throttled requests are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from botocore.exceptions import ClientError

from ops_project.pipeline.serving import Item, listening, open_store
from ops_project.pipeline.serving.dynamodb import DynamoStore
from ops_project.pipeline.serving.embedded import EmbeddedStore
from ops_project.pipeline.serving.store import ATTEMPTS, Throttled
from ops_project.settings import Settings
from ops_project.simulator.faults.serving import exhaust
from tests.cloud_server import cloud_server

DAY = "2026-01-05"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """moto's server, in this process, answers as DynamoDB does."""
    with cloud_server() as address:
        yield address


@pytest.fixture(params=["embedded", "dynamodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "embedded":
        opened: Any = EmbeddedStore(tmp_path / "kpis.db", "kpis")
    else:
        name = f"kpis-{abs(hash(request.node.name))}"
        opened = DynamoStore(name, endpoint=request.getfixturevalue("endpoint"), region="eu-west-1")
    yield opened
    opened.close()


def items(*genres: str, listens: int = 3) -> list[Item]:
    return [
        Item(f"genre#{g}", DAY, {"listens": listens, "mean": Decimal("12.50"), "top": [{"rank": 1}]}) for g in genres
    ]


def test_a_load_that_is_repeated_changes_nothing(store: Any) -> None:
    first = store.replace(DAY, items("pop", "jazz"))
    again = store.replace(DAY, items("pop", "jazz"))
    assert (first.written, first.unchanged) == (2, 0)
    assert (again.written, again.deleted, again.unchanged, again.throttled_requests) == (0, 0, 2, 0)
    found = store.get("genre#pop", DAY)
    assert (found["listens"], found["mean"], found["top"]) == (3, Decimal("12.5"), [{"rank": 1}])


def test_a_day_is_replaced_whole_and_others_are_left(store: Any) -> None:
    store.replace(DAY, items("pop", "jazz"))
    store.replace("2026-01-06", [Item("genre#pop", "2026-01-06", {"listens": 9})])
    result = store.replace(DAY, items("pop", listens=4))
    assert (result.written, result.deleted) == (1, 1)
    assert store.get("genre#jazz", DAY) is None
    assert store.get("genre#pop", "2026-01-06")["listens"] == 9
    assert store.sort_keys() == [DAY, "2026-01-06"]


def test_more_items_than_one_request_takes(store: Any) -> None:
    assert store.replace(DAY, items(*(f"g{n:03}" for n in range(60)))).written == 60
    assert store.replace(DAY, []).deleted == 60


def test_throttled_requests_are_sent_again_and_counted(endpoint: str) -> None:
    pauses: list[float] = []
    store = DynamoStore("throttled", endpoint=endpoint, region="eu-west-1", pause=pauses.append)
    refusals = [3]

    def refuse(**_: Any) -> None:
        # The answer of the service if the capacity of a table is used up. It is given at the place where botocore sends
        # requests.
        if refusals[0]:
            refusals[0] -= 1
            raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "BatchWriteItem")

    store._resource.meta.client.meta.events.register("before-call.dynamodb.BatchWriteItem", refuse)
    result = store.replace(DAY, items("pop"))
    assert (result.written, result.throttled_requests) == (1, 3)
    assert pauses == [0.05, 0.1, 0.2]
    assert store.get("genre#pop", DAY) is not None
    refusals[0] = 99
    with pytest.raises(Throttled) as error:
        store.replace(DAY, items("rock"))
    assert error.value.throttled_requests == ATTEMPTS
    store.close()


def test_an_embedded_store_without_capacity_is_asked_again_and_counted(tmp_path: Path) -> None:
    pauses: list[float] = []
    file = tmp_path / "kpis.db"

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            exhaust(file, datetime(2026, 1, 1, tzinfo=UTC))

    store = EmbeddedStore(file, "kpis", pause=pause)
    exhaust(file, datetime.now(UTC) + timedelta(hours=1))
    result = store.replace(DAY, items("pop"))
    assert (result.written, result.throttled_requests, pauses) == (1, 3, [0.05, 0.1, 0.2])
    exhaust(file, datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(Throttled) as error:
        store.replace(DAY, items("rock"))
    assert error.value.throttled_requests == ATTEMPTS
    assert store.get("genre#pop", DAY) is not None, "what was served before stays"
    store.close()


def test_the_store_of_a_home_is_a_file_unless_a_table_is_named(
    tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    assert isinstance(open_store(settings, "kpis"), EmbeddedStore)
    monkeypatch.setenv("OPS_SERVING_DYNAMODB_TABLE", "prod-")
    monkeypatch.setenv("OPS_SERVING_DYNAMODB_ENDPOINT", endpoint)
    remote = open_store(settings, "kpis")
    assert (type(remote).__name__, remote.name) == ("DynamoStore", "prod-kpis")


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as c:
        c.execute("create schema gold; create schema silver")
        c.execute(
            "create table gold.kpi_genre_daily as select date '2026-01-05' + d::int as business_date, 'pop' as genre,"
            " 3 as listens, 2 as unique_listeners, 300 as total_listening_seconds, 100.00::decimal(18,2) as"
            " mean_listening_seconds, timestamp '2026-01-09' as metric_updated_at from range(3) t(d)"
        )
        c.execute(
            "create table gold.kpi_top_songs as select business_date, genre, 1 as song_rank, 'S1' as song_id, 'T' as title,"
            " 'A' as artist, 3 as listens from gold.kpi_genre_daily"
        )
        c.execute(
            "create table gold.kpi_top_genres as select business_date, 1 as genre_rank, genre, listens from gold.kpi_genre_daily"
        )
        c.execute(
            "create table silver.rec_stream_validation as select date '2026-01-05' + d::int as business_date, clock,"
            " not (d = 1 and clock = 'event') as is_error_rate_within, true as is_reference_within"
            " from range(2) t(d), (values ('event'), ('load')) as clocks (clock)"
        )
        yield c


def test_only_days_that_passed_are_served(warehouse: Any, tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "kpis.db", "kpis")
    days = listening.days_to_serve(warehouse, store)
    served = listening.serve(warehouse, store, days)
    assert served.days == [date(2026, 1, 5)]
    assert served.refused == {
        date(2026, 1, 6): "validation failed: error rate (event time)",
        date(2026, 1, 7): "its validation has not run",
    }
    found = store.get("genre#pop", "2026-01-05")
    assert found is not None
    assert found["top_songs"][0]["song_id"] == "S1"
    assert store.sort_keys() == ["2026-01-05"]


def test_a_day_that_passes_later_is_served_and_a_failed_one_keeps_what_it_had(warehouse: Any, tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "kpis.db", "kpis")
    listening.serve(warehouse, store, listening.days_to_serve(warehouse, store))
    warehouse.execute(
        "update silver.rec_stream_validation set is_error_rate_within = business_date <> date '2026-01-05'"
    )
    warehouse.execute("update gold.kpi_genre_daily set listens = 99, metric_updated_at = timestamp '2026-01-10'")
    served = listening.serve(warehouse, store, listening.days_to_serve(warehouse, store))
    assert served.days == [date(2026, 1, 6)]
    kept, new = store.get("genre#pop", "2026-01-05"), store.get("genre#pop", "2026-01-06")
    assert kept is not None and new is not None
    assert (kept["listens"], new["listens"]) == (3, 99)
    assert listening.days_to_serve(warehouse, store) == [date(2026, 1, 5), date(2026, 1, 7)]
