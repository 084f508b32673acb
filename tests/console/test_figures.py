"""Every figure explains itself, and shows what its query gives."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import duckdb
import pytest

from ops_project.operations.ledger.lineage_document import remember
from ops_project.pipeline.warehouse import snapshots
from ops_project.queries import QueryError
from ops_project.queries import boards as files
from ops_project.queries.boards import REPORTS, every, figures
from tests.console.dagster_runs import make_runs
from tests.console.visit import Visit
from tests.console.walk import walk
from tests.operations.incidents.world import IncidentWorld

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
CLOCK = {
    "as_of": datetime.fromisoformat("2026-03-04T09:11:00"),
    "since": datetime.fromisoformat("2026-02-25T09:11:00"),
    "as_of_date": date(2026, 3, 4),
}
"""The time at which the home is looked at: 04:11 New York."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A home with alerts, runs and a snapshot that has the journal of landing and daily revenue."""
    day = IncidentWorld(tmp_path_factory.mktemp("figures"), "2026-03-04 04:10")
    remember(day.ledger, day.lineage, day.now)
    day.job_fails()
    day.signal("storage.asset_bytes", "ok", asset="bronze/orders", domain="ecommerce")
    day.advance("1m")
    folder = day.settings.snapshots / "000001-test"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / snapshots.DATABASE)) as connection:
        from ops_project.catalog import load
        from ops_project.pipeline.landing import ensure_tables
        from ops_project.pipeline.learning.tables import ensure

        ensure_tables(connection, load(day.settings).feeds.values())
        ensure(connection)
        connection.execute(
            "insert into ops.batches select 'b' || n, 'orders', 'ecommerce', 'f', null, null, 'x', 1, "
            "timestamp '2026-03-04 05:00:00' - n * interval 1 day, date '2026-03-03' - n::int, n, 'loaded', 1, 100, "
            "100 - n, n, 0, 0, null, null, null, timestamp '2026-03-04 06:00:00', null, null, null from range(20) t(n)"
        )
        connection.execute(
            "insert into ops.findings by name select 'f' || kind as finding_id, kind, 'orders' as feed, date '2026-03-02' as"
            " business_date, kind || ' file' as message, 'open' as state, timestamp '2026-03-03 12:00:00' as observed_at"
            " from unnest(['source_late', 'source_missing', 'schema_mismatch']) t(kind)"
        )
        connection.execute(
            "create table ops.column_profiles as select 'b' || n as batch_id, 'orders' as feed, c as column_name,"
            " 100 as rows, case when c = 'email' and n = 0 then 40 else 100 end as filled, 9.0 as mean, 1.0 as low,"
            " 2.0 as tenth, case when c = 'amount' and n = 0 then 90.0 else 30.0 end as median, 50.0 as ninetieth,"
            " 60.0 as high, null as counts, 'number' as kind from range(20) t(n), unnest(['amount', 'email', 'status']) u(c)"
        )
        connection.execute(
            "create table gold.daily_revenue as select date '2026-03-03' - n::int as order_date, 10 + n as total_orders,"
            " 1000.0 + n as gross_revenue, 990.0 as revenue_7d_avg, 100.0 as average_order_value from range(40) t(n)"
        )
        connection.execute(
            "create table gold.data_anomalies as select order_date, gross_revenue as revenue, 1.0 as revenue_z_score,"
            " gross_revenue - 2 as expected_revenue, 12.0 as expected_order_count, 12 as order_count, 0.5 as orders_z_score,"
            " 'Normal' as status from gold.daily_revenue"
        )
    manifest = {"as_of": "2026-03-04T06:00:00+00:00", "tables": {}, "run_id": "r"}
    (folder / snapshots.MANIFEST).write_text(json.dumps(manifest))
    return day


def test_every_figure_says_what_it_tells_and_where_it_is_asked():
    found = every()
    assert len(found) > 40 and len({item.id for item in found}) == len(found)
    for item in found:
        assert len(item.tells) > 10 and item.sql and item.title[0].isupper(), item.id


def test_every_figure_equals_its_query(seen):
    """Each figure of each board is read twice: through its page, and by its query at its source. No figure is left out."""
    make_runs(seen)
    with Visit(seen) as visit:
        found = walk(seen.settings, seen.now, visit.text)
    assert found.unknown.keys() | found.compared == {item.id for item in every()}
    assert all("not built" in why for why in found.unknown.values()), found.unknown
    runs = {item.id for item in every() if item.source == files.RUNS}
    assert len(runs) > 8 and runs <= found.compared, "a run is known without any table"
    assert len(found.compared) > 35


def test_a_question_that_needs_more_memory_is_answered_apart(seen, monkeypatch):
    from ops_project.console import apart, warehouse

    monkeypatch.setattr(warehouse, "MEMORY", "8MB")
    reader = warehouse.SnapshotReader(seen.settings)
    large = "select count(*) as n, $word as word from (select distinct range from range(1000000)) t"
    try:
        assert reader.ask(large, {"word": "it's"}).records() == [{"n": 1_000_000, "word": "it's"}]
        monkeypatch.setattr(apart, "MEMORY", "9MB")
        with pytest.raises(warehouse.Unanswered, match="more than 9MB"):
            reader.ask(large, {"word": "another question"})
    finally:
        reader.close()


def test_a_question_that_is_asked_apart_ends_in_time_and_says_why_it_has_no_answer(seen, monkeypatch):
    from ops_project.console import apart

    newest = snapshots.newest(seen.settings)
    endless = "select count(*) from range(1000000000) a, range(1000000) b"
    found, why = apart.answer(apart.Question(newest.folder, "64MB", endless, {}, 0.05, 1))
    assert (found, why) == (None, "the question took longer than 0.05 s and was stopped")
    found, why = apart.answer(apart.Question(newest.folder.with_name("removed"), "64MB", "select 1", {}, 1.0, 1))
    assert found is None and "removed" in why
    monkeypatch.setattr(apart, "START_SECONDS", 0.0)
    with pytest.raises(apart.Failed, match=r"longer than 0\.01 s"):
        apart.ask(newest, "select 1", {}, 0.01, 1)


def test_questions_that_are_asked_apart_do_not_queue_for_ever(seen):
    """Each such question would hold a thread of the server, until no thread was left for other pages."""
    from ops_project.console import apart

    with apart.turn(0.05), pytest.raises(apart.Failed, match="load the page again"), apart.turn(0.05):
        pass


def test_browsers_that_show_the_same_page_wait_for_one_answer(seen, monkeypatch):
    from ops_project.console import apart, warehouse

    asked = []

    def ask(_snapshot, sql, *_):
        asked.append(sql)
        time.sleep(0.1)
        return ("n",), [(1,)]

    monkeypatch.setattr(warehouse, "MEMORY", "8MB")
    monkeypatch.setattr(apart, "ask", ask)
    reader = warehouse.SnapshotReader(seen.settings)
    large = "select count(*) as n from (select distinct range from range(1000000)) t"
    try:
        with ThreadPoolExecutor(4) as browsers:
            found = list(browsers.map(lambda _: reader.ask(large).records(), range(4)))
    finally:
        reader.close()
    assert found == [[{"n": 1}]] * 4
    assert len(asked) == 1


@pytest.mark.parametrize("board", files.TITLES)
def test_a_board_shows_each_figure_with_the_way_to_its_explanation(seen, board):
    with Visit(seen) as visit:
        text = visit.text(f"/boards/{board}")
    for item in figures(board):
        assert f'href="/figures/{item.id}"' in text
    assert "data-series" in text or board in ("operational", "cost", "models", "quality")


def test_columns_that_moved_most_come_first(seen):
    """In the newest file the amounts are three times as large, and most e-mails are missing; the status is
    unchanged.
    """
    with Visit(seen) as visit:
        found = json.loads(visit.text("/figures/quality/column_profiles.json"))
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
    assert [row["of_column"] for row in rows] == ["orders.amount", "orders.email", "orders.status"]
    assert {row["business_date"] for row in rows} == {"2026-03-03"}
    assert (rows[0]["typical"], rows[0]["typical_before"]) == (90.0, 30.0)
    assert (rows[1]["filled_percent"], rows[1]["filled_before"]) == (40.0, 100.0)


def test_a_page_of_a_figure_has_its_definition_its_sql_its_snapshot_and_its_time(seen):
    with Visit(seen) as visit:
        text = visit.text("/figures/business/revenue")
        assert "seven days up to it" in text and "gold.daily_revenue" in text and "snapshot 000001-test" in text
        assert "Wed 2026-03-04 01:00:00 EST" in text or "01:00 EST" in text
        assert "unknown" in visit.text("/figures/business/profit")
        for path in ("/figures/business/none", "/figures/none/revenue", "/boards/none", "/boards/queries-none"):
            assert visit.get(path).status_code == 404


def test_the_figures_of_reports_are_no_board_and_lead_back_to_the_reports(seen):
    with Visit(seen) as visit:
        answer = visit.get(f"/boards/{REPORTS}")
        assert answer.status_code == 404 and "open Reports" in answer.text, answer.text
        page = visit.text(f"/figures/{REPORTS}/{figures(REPORTS)[0].name}")
        assert '<p class="crumbs"><a href="/reports">' in page and f"/boards/{REPORTS}" not in page


def test_the_page_of_a_table_and_of_a_feed_read_the_snapshot(seen):
    with Visit(seen) as visit:
        text = visit.text("/assets/gold/daily_revenue")
        assert "gross_revenue" in text and "decimal" in text and "not in the newest snapshot" not in text
        feed = visit.text("/feeds/orders")
        assert "2026-03-03" in feed and "/batches/b0" in feed
        assert "In the file" in visit.text("/batches/b1")


def test_the_feeds_that_came_late_come_first(seen):
    with Visit(seen) as visit:
        text = visit.text("/feeds")
    late, others = text.index("Late or missing in the last seven days"), text.index("Other findings")
    assert late < text.index("source_late file") < text.index("source missing", late) < others
    assert text.index("schema_mismatch file") > others
    assert re.search(r'/feeds/orders"[^>]*>orders</a></td>.*?data-label="Late">1<.*?3 open', text, re.DOTALL)


def test_without_a_snapshot_a_figure_is_unknown(visit):
    text = visit.text("/boards/quality")
    assert "nothing has been built yet" in text and 'class="big unknown"' in text
    assert json.loads(visit.text("/figures/quality/tables_below.json"))["rows"] == []


def test_a_day_of_low_revenue_is_explained(seen):
    """Forty days with one order less each day, and rows of the files that were refused."""
    with Visit(seen) as visit:
        found = json.loads(visit.text("/figures/business/revenue_explained.json"))
    newest = dict(zip(found["columns"], found["rows"][0], strict=True))
    assert newest["order_date"] == "2026-03-03" and newest["change"] == -7.0
    assert abs(newest["from_orders"] + newest["from_order_size"] - newest["change"]) < 0.02
    assert newest["why"] == "7 fewer orders; each brought 40.76 more; as its history predicts"
    before = dict(zip(found["columns"], found["rows"][1], strict=True))
    assert "1 row of its files was refused" in before["why"]


def test_where_nothing_is_expected_the_band_has_no_end(seen):
    """The lower end of an unknown band is unknown, and not zero."""
    with Visit(seen) as visit:
        found = json.loads(visit.text("/figures/business/revenue.json"))
    at = {name: place for place, name in enumerate(found["columns"])}
    assert all((row[at["expected_low"]] is None) == (row[at["expected_high"]] is None) for row in found["rows"])


def test_a_file_of_a_figure_that_is_wrong_is_named(tmp_path, monkeypatch):
    (tmp_path / "quality").mkdir()
    path = tmp_path / "quality" / "1_x.sql"
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    for text, words in (
        ("-- title: T\n-- tells: t\n-- source: moon\n-- shape: table\nselect 1", "source 'moon'"),
        ("-- title: T\n-- source: ledger\n-- shape: table\nselect 1", "tells"),
        ("-- title: T\n-- tells: t\n-- source: ledger\n-- shape: table\n-- colour: red\nselect 1", "colour"),
    ):
        path.write_text(text)
        files.figures.cache_clear()
        with pytest.raises(QueryError, match=words):
            files.figures("quality")
    files.figures.cache_clear()


def test_a_question_that_takes_too_long_is_stopped(seen):
    from ops_project.console.warehouse import SnapshotReader, Unanswered

    reader = SnapshotReader(seen.settings)
    try:
        with pytest.raises(Unanswered, match="longer than"):
            reader.ask(
                "select count(*) from range(100000000) a, range(1000) b where a.range % 7 = b.range % 5", seconds=0.2
            )
        with pytest.raises(Unanswered, match=r"Cannot|read-only|disabled|not allowed|configuration"):
            reader.ask("copy (select 1) to '/tmp/never.csv'")
        assert reader.ask("select 1 as one").records() == [{"one": 1}]
        moment, words = datetime.fromisoformat("2026-03-04T05:06:07.000089"), "it's $1 \\' -- \n; drop table x"
        asked = {"table": words, "order": moment, "as_of": moment.date(), "n": -2, "x": 0.5}
        found = reader.ask("select $table as a, $order as b, $as_of as c, $n as d, $x as e, '$n' as f", asked)
        assert found.rows == ((words, moment, moment.date(), -2, 0.5, "$n"),), "each parameter comes as it is"
        with pytest.raises(TypeError, match="list"):
            reader.ask("select $n", {"n": []})
    finally:
        reader.close()
