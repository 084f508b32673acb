"""The raw text of refused rows holds names and addresses. `ops sql` masks it, except for a user who may read it and
says why.
"""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops_project import catalog
from ops_project.cli import cli
from ops_project.operations.ledger import Ledger
from ops_project.pipeline.landing import ensure_tables
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import Warehouse
from ops_project.settings import Settings, account
from tests.empty_home import NOW

RAW = "17,Ada,Lovelace,ada@example.com,+1 555 020 1234"
PLAIN = "9,Lamp,call ada@example.com,12.00"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("raw") / "home")
    found = catalog.load(settings)
    assert found.feeds["customers"].personal_columns() and not found.feeds["products"].personal_columns()
    settings.warehouse.parent.mkdir(parents=True)
    warehouse = Warehouse(settings, found.platform)
    connection = warehouse.connection()
    ensure_tables(connection, found.feeds.values())
    connection.execute(
        "INSERT INTO ops.quarantine (batch_id, feed, file_name, line, raw_text, column_name, reason, reasons, rows) VALUES "
        "('b1', 'customers', 'c.csv', 3, ?, 'email', 'not an address', '[]', 1), "
        "('b2', 'products', 'p.csv', 7, ?, 'price', 'not a number', '[]', 1), "
        "('b3', 'gone', 'g.csv', 1, 'Ada of a feed that is gone', NULL, 'x', '[]', 1)",
        [RAW, PLAIN],
    )
    connection.execute(
        "CREATE SCHEMA gold; CREATE VIEW gold.refused AS SELECT feed, raw_text AS words FROM ops.quarantine; "
        "CREATE VIEW gold.above AS SELECT * FROM gold.refused; CREATE TABLE gold.n AS SELECT 1 AS a; "
        "CREATE MACRO gold.lines() AS TABLE SELECT * FROM ops.quarantine"
    )
    snapshots.take(warehouse, run_id="run-1", as_of=NOW, commit="")
    warehouse.close()
    Ledger.open(settings.ledger_url).close()
    return settings


def sql(home: Settings, query: str, *more: str) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(home.home), "sql", query, *more])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def audit(home: Settings) -> list[dict[str, object]]:
    return Ledger.open(home.ledger_url).audit_log()


@pytest.mark.parametrize(
    "query",
    [
        "select * from ops.quarantine",
        "select raw_text[1:8] as a, raw_text like '%Ada%' as b from ops.quarantine where feed = 'customers'",
        "select * from gold.above",
        "from query_table('ops.quar' || 'antine')",
        "from query('select min(raw_text) from ops.quar' || 'antine')",
        "from gold.lines()",
        "summarize ops.quarantine",
        "from pragma_storage_info('ops.quar' || 'antine')",
        "pivot (from query_table('ops.quar' || 'antine')) on raw_text using count(*)",
        "select * from warehouse.ops.quarantine",
        "select hidden from (select string_agg(raw_text) as hidden from ops.quarantine)",
        "from query_table((select database_name || '.ops.quarantine' from duckdb_databases() where database_name like 'kept%'))",
        "explain analyze select * from ops.quarantine where raw_text > 'A'",
        "copy ops.quarantine to '/dev/stdout'",
        "create temp table t as select * from ops.quarantine",
        "select error(raw_text) from ops.quarantine",
        "select cast(raw_text as integer) from ops.quarantine",
    ],
)
def test_no_question_shows_what_a_refused_row_says_of_a_person(home: Settings, query: str) -> None:
    said = sql(home, query, "--json").output.lower()
    assert "lovelace" not in said and "ada@" not in said and "17,ada" not in said and "ada of" not in said


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv", "--raw"]], ids=" ".join)
def test_no_form_shows_it(home: Settings, form: list[str]) -> None:
    result = sql(home, "select * from ops.quarantine", *form)
    assert result.exit_code == 0 and "***" in result.stdout and "Lovelace" not in result.output
    assert "raw-data" in result.output


def test_what_is_shown_instead_is_of_use(home: Settings) -> None:
    found = json.loads(sql(home, "select * from ops.quarantine order by feed", "--json").stdout)
    texts = {row["feed"]: (row["line"], row["raw_text"], row["reason"]) for row in found["rows"]}
    assert texts["customers"] == (3, "***", "not an address")
    assert texts["products"] == (7, "9,Lamp,call ***@***,12.00", "not a number")
    assert "--unmasked" in sql(home, "select * from ops.quarantine").output
    joined = sql(
        home, "select count(*) as n from ops.quarantine join gold.n on a = 1 join ops.batches using (batch_id)"
    )
    assert "0" in joined.stdout and joined.exit_code == 0


def test_other_questions_are_answered_as_before(home: Settings) -> None:
    result = sql(home, "select table_type from information_schema.tables where table_name = 'n'")
    assert "BASE TABLE" in result.stdout and "--unmasked" not in result.output
    refused = sql(home, "delete from ops.quarantine")
    assert refused.exit_code == 1 and "read-only" in refused.output


def test_the_raw_text_needs_a_reason(home: Settings) -> None:
    result = sql(home, "select * from ops.quarantine", "--unmasked", "--by", "engineer-a")
    assert result.exit_code == 2 and "--why" in result.stderr and "Ada" not in result.output
    assert sql(home, "select 1", "--why", "x").exit_code == 2


def test_the_raw_text_needs_the_role_and_the_attempt_is_kept(home: Settings) -> None:
    result = sql(home, "select * from ops.quarantine", "--unmasked", "--why", "curious", "--by", "business-analyst")
    assert result.exit_code == 1 and "raw-data" in result.stderr and "engineer-a" in result.stderr
    assert "Ada" not in result.output
    [line] = [line for line in audit(home) if line["outcome"] == "refused"]
    assert (line["who"], line["action"]) == ("business-analyst", "read unmasked")


@pytest.mark.parametrize("by", ["engineer-a", "engineer.b@example.com"])
def test_who_may_read_it_is_shown_it_and_written_down(home: Settings, by: str) -> None:
    query = f"select raw_text from ops.quarantine where raw_text like '%ada@example.com%' -- {by[:10]}"
    result = sql(home, query, "--unmasked", "--why", "ticket 4711", "--by", by)
    assert result.exit_code == 0 and "Lovelace" in result.output
    line = audit(home)[0]
    assert (line["who"], line["outcome"]) == (by, "done")
    assert "ticket 4711" in str(line["detail"]) and account() in str(line["detail"])
    assert "from ops.quarantine" in str(line["subject"]) and "ada@" not in str(line["subject"])


def test_nothing_is_shown_that_cannot_be_written_down(home: Settings, tmp_path: Path) -> None:
    (tmp_path / "snapshots").symlink_to(home.snapshots)
    (tmp_path / "ledger").write_text("no folder")
    other = Settings(home=tmp_path)
    result = sql(other, "select * from ops.quarantine", "--unmasked", "--why", "x", "--by", "engineer-a")
    assert result.exit_code != 0 and "Ada" not in result.output


def test_the_account_is_the_systems_and_not_what_the_environment_says(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "OPS_USER"):
        monkeypatch.setenv(name, "engineer-a")
    query = "select raw_text from ops.quarantine limit 1 -- forged"
    assert sql(home, query, "--unmasked", "--why", "forged", "--by", "engineer-a").exit_code == 0
    [line] = [line for line in audit(home) if "forged" in str(line["detail"])]
    assert f"(user {pwd.getpwuid(os.getuid()).pw_name})" in str(line["detail"])
