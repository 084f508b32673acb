"""A question has a limit of time, of memory and of output, and its answer has the form that was asked for."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import psutil
import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.pipeline.warehouse import questions, snapshots
from ops_project.pipeline.warehouse.connection import Warehouse
from ops_project.pipeline.warehouse.questions import LOWEST_PRIORITY, Limits, QuestionError, ask
from ops_project.settings import Settings
from tests.empty_home import NOW

HEAVY = "select count(*) from range(3000000) a, range(3000000) b where (a.range * b.range) % 7 = 3"


@pytest.fixture
def home(warehouse: Warehouse) -> Settings:
    warehouse.connection().execute(
        "CREATE TABLE gold.odd AS SELECT 0.0012::DOUBLE AS small, TIMESTAMP '2026-03-01 07:08:09' AS at, 'NaN'::DOUBLE AS n, "
        "'=1+1' AS formula, chr(27) || '[2J[/b]:100:' AS text"
    )
    snapshots.take(warehouse, run_id="run-1", as_of=NOW, commit="")
    warehouse.close()
    return warehouse.settings


def sql(home: Settings, *words: str) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(home.home), "sql", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_json_has_every_column_and_is_json(home: Settings) -> None:
    result = sql(home, "select 1 as a, 2 as a, 3 as a_2, n, text from gold.odd", "--json")
    found = json.loads(result.stdout, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert found["columns"] == ["a", "a_3", "a_2", "n", "text"]
    [row] = found["rows"]
    assert list(row.values()) == [1, 2, 3, "NaN", "\x1b[2J[/b]:100:"]
    assert found["more"] is False
    assert "\x1b" not in result.stdout


def test_an_answer_without_rows_is_json_too(home: Settings) -> None:
    assert json.loads(sql(home, "select 1 as a where false", "--json").stdout)["rows"] == []


def test_the_table_keeps_digits_seconds_and_markup(home: Settings) -> None:
    shown = sql(home, "select * from gold.odd").stdout
    for value in ("0.0012", "2026-03-01 07:08:09", "\\x1b[2J[/b]:100:", "=1+1"):
        assert value in shown


def test_a_row_that_is_wider_than_the_page_is_shown_column_by_column(home: Settings) -> None:
    columns = ", ".join(f"'{'x' * 30}' as column_{number}" for number in range(20))
    shown = sql(home, f"select {columns}").stdout
    assert all(f"column_{number}" in shown for number in range(20))
    assert shown.count("x" * 30) == 20
    assert "row 1" in shown


def test_csv_streams_and_neutralises_formulas(home: Settings) -> None:
    rows = list(csv.reader(io.StringIO(sql(home, "select formula, 7 as n from gold.odd", "--csv").stdout)))
    assert rows == [["formula", "n"], ["'=1+1", "7"]]
    rows = list(csv.reader(io.StringIO(sql(home, "select formula from gold.odd", "--csv", "--raw").stdout)))
    assert rows == [["formula"], ["=1+1"]]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "the question is empty"),
        (" ; -- nothing", "the question is empty"),
        ("select 1; select 2", "these are 2 questions"),
        ("selec 1", "syntax error"),
        ("select * from nowhere", "nowhere"),
        ("drop table gold.sales", "read-only"),
        ("select * from read_text('/etc/hostname')", "disabled"),
        ("copy (select 1) to '/tmp/out.csv'", "disabled"),
    ],
)
def test_what_is_no_question_is_told(home: Settings, query: str, words: str) -> None:
    result = sql(home, query)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_a_question_that_takes_too_long_is_stopped(home: Settings) -> None:
    began = time.monotonic()
    result = sql(home, HEAVY, "--seconds", "0.3")
    assert result.exit_code == 1
    assert "longer than 0.3 s" in result.stderr
    assert "--seconds" in result.stderr
    assert time.monotonic() - began < 20


def test_a_question_that_is_stopped_while_the_snapshot_is_opened_ends_too(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = questions._Worker._opened

    def slowly(worker: questions._Worker) -> duckdb.DuckDBPyConnection:
        time.sleep(0.4)
        return as_it_is(worker)

    monkeypatch.setattr(questions._Worker, "_opened", slowly)
    with pytest.raises(QuestionError, match="took longer"), ask(snapshots.newest(home), HEAVY, Limits(seconds=0.1)):
        pass
    assert "question" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    "query",
    ["select repeat('x', 1500000000) as a", "select list(range) from range(100000000)"],
    ids=["one huge text", "one huge list"],
)
def test_a_question_that_takes_too_much_memory_is_stopped(home: Settings, query: str) -> None:
    """The question runs in a process of its own, as a command does."""
    done = subprocess.run(
        [sys.executable, "-m", "ops_project.cli", "--home", str(home.home), "sql", query, "--memory-mb", "200"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "more than 200 MB of memory" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_output_is_bounded_and_says_so(home: Settings) -> None:
    result = sql(home, "select repeat('x', 1000) as a from range(5000)", "--limit", "0", "--output-mb", "1", "--json")
    assert result.exit_code == 1
    assert "--output-mb" in result.stderr
    found = json.loads(result.stdout)
    assert found["more"] is True
    assert 900 < len(found["rows"]) < 1000


def test_rows_come_in_blocks_and_are_never_whole_in_memory(home: Settings) -> None:
    with ask(snapshots.newest(home), "select range from range(50000000)", Limits(memory_mb=100)) as found:
        first = next(found.blocks)
    assert [row[0] for row in first[:3]] == [0, 1, 2]


def test_the_engine_works_at_the_lowest_priority_and_this_process_does_not(home: Settings) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with ask(snapshots.newest(home), HEAVY.replace("count(*)", "a.range"), Limits(seconds=20)) as found:
        next(found.blocks)
        lowered = [os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in Path("/proc/self/task").iterdir()].count(
            LOWEST_PRIORITY
        )
        assert lowered >= 1
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_limits_of_the_process_are_as_before(home: Settings) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(QuestionError), ask(snapshots.newest(home), "", Limits()):
        pass
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_ctrl_c_ends_a_question_at_once(home: Settings) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ops_project.cli", "--home", str(home.home), "sql", HEAVY],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    snapshot = str(snapshots.newest(home).folder)
    until = time.monotonic() + 30
    while not any(file.path.startswith(snapshot) for file in psutil.Process(process.pid).open_files()):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.3)  # The snapshot is open, so the question begins.
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert errors.strip() == "Interrupted by you."


@pytest.mark.parametrize("question", ["show tables", "SHOW TABLES;"])
def test_a_list_of_tables_that_is_empty_says_where_they_are(home: Settings, question: str) -> None:
    assert "`show tables from gold`" in sql(home, question).stdout
    assert "odd" in sql(home, "show tables from gold").stdout.split()


def test_the_output_is_bounded_in_bytes_and_not_in_letters(home: Settings) -> None:
    result = sql(home, "select repeat('ж', 1000) as a from range(5000)", "--limit", "0", "--output-mb", "1", "--csv")
    assert result.exit_code == 1
    assert 900_000 < len(result.stdout.encode()) < 1_100_000
