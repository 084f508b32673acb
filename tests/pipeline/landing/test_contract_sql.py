"""SQL in a contract is one expression, and is evaluated where nothing but the file can be opened."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from ops_project import catalog
from ops_project.cli import cli
from ops_project.pipeline.landing import check
from ops_project.pipeline.landing.bench import closed_engine
from ops_project.pipeline.landing.contract_sql import require_expressions
from ops_project.pipeline.landing.read.fragments import problem_with
from ops_project.settings import Settings
from tests.pipeline.landing.home import NOW, TAKINGS, Home, feed_of

HEAD = "id,name,amount,sold_at\n"
EXPRESSIONS = [
    "amount > 0",
    "name || ' -- no comment; not two statements'",
    "extract(year from sold_at) = 2026 -- and a comment",
    "CASE WHEN name IN ('a', 'b') THEN 1 ELSE 2 END",
    "list_contains(list_transform([1, 2], x -> x + 1), 2)",
    "name LIKE 'a$%' ESCAPE '$'",
    "amount::DECIMAL(10, 2) BETWEEN 0 AND 5",
    "coalesce(\"order\", '') <> ''",
]
REFUSED = {
    "SELECT 1": "",
    "(SELECT content FROM read_text('/etc/hostname'))": "subquery",
    "name IN (SELECT content FROM read_text('/etc/hostname'))": "subquery",
    "EXISTS (FROM 'secret.csv')": "subquery",
    "1) FROM range(3); COPY (SELECT 1) TO '{folder}/written.csv'; SELECT (1": "",
    "1; COPY (SELECT 1) TO '{folder}/written.csv'": "several statements",
    "1 FROM read_text('/etc/hostname')": "reads a table",
    "1 UNION ALL SELECT 2": "reads a table",
    "1, 2": "several",
    "1 AS x": "name 'x'",
    "amount WHERE true": "clause",
    "amount ORDER BY 1": "clause",
    "amount LIMIT 1": "clause",
    "*": "many columns",
    "COLUMNS(*)": "many columns",
    "$1": "parameter",
    "amount /* not closed": "",
    "": "",
}


@pytest.mark.parametrize("sql", EXPRESSIONS)
def test_an_expression_is_one(sql: str) -> None:
    assert problem_with(sql) is None


@pytest.mark.parametrize("sql", REFUSED)
@pytest.mark.parametrize("place", ["filter", "rules", "expression", "keep_first"])
def test_everything_else_is_refused_with_its_place_and_does_nothing(tmp_path: Path, sql: str, place: str) -> None:
    words, text = REFUSED[sql], sql.replace("{folder}", str(tmp_path)).replace("'", "''")
    if place == "keep_first" and sql in ("", "SELECT 1"):
        return
    body = {
        "filter": TAKINGS + f"    filter: '{text}'\n",
        "rules": TAKINGS + f"    rules: {{plausible: '{text}'}}\n",
        "expression": TAKINGS + f"      extra: {{type: string, expression: '{text}'}}\n",
        "keep_first": TAKINGS + f"    keep_first: {{order: ['{text} DESC']}}\n",
    }[place]
    feed = feed_of(body)
    home = Home(tmp_path / "home", feed)
    path = home.put("takings_2026-11-01.csv", HEAD + "1,a,1.00,\n1,b,2.00,\n")
    report = check(path, feed, NOW)
    assert report.would == "fail" and f"feed takings: {place}" in report.problems[0]["message"].replace(
        "columns.extra.", ""
    )
    result = home.land()
    assert result.batches == [] and home.bronze() == [] and home.left() == [path.name]
    [finding] = result.findings
    assert finding.kind == "config_error" and "is not one SQL expression" in finding.message
    assert words in finding.message
    assert not (tmp_path / "written.csv").exists()


def test_good_sql_is_evaluated_away_from_the_warehouse_and_its_rows_come_over(tmp_path: Path) -> None:
    feed = feed_of(
        TAKINGS + "      upper_name: {type: string, expression: upper(name)}\n"
        "    filter: name <> 'skip'\n    rules: {small: amount < 100}\n"
    )
    home = Home(tmp_path, feed)
    home.put(
        "takings_2026-11-01.csv", HEAD + "1,a,1.00,2026-11-01 10:00:00\n2,skip,2.00,\n3,c,300.00,\n3,d,3.00,\n4,,4,\n"
    )
    [batch] = home.land().batches
    assert (batch.rows_in, batch.rows_loaded, batch.rows_filtered, batch.rows_quarantined) == (5, 2, 2, 1)
    assert home.rows("SELECT id, upper_name, amount::VARCHAR, _line FROM bronze.takings ORDER BY id") == [
        (1, "A", "1.00", 2),
        (3, "D", "3.00", 5),
    ]
    assert home.rows("SELECT line, reason FROM ops.quarantine") == [(4, "breaks the rule small")]


def test_the_engine_opens_the_folder_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("a\n1\n")
    (tmp_path / "out.csv").write_text("a\n2\n")
    with closed_engine(tmp_path / "in") as engine:
        assert engine.execute(f"SELECT count(*) FROM read_csv('{tmp_path}/in/a.csv')").fetchall() == [(1,)]
        for sql in (
            f"FROM read_csv('{tmp_path}/out.csv')",
            f"FROM read_text('{tmp_path}/in/../out.csv')",
            f"COPY (SELECT 1) TO '{tmp_path}/out2.csv'",
            f"ATTACH '{tmp_path}/other.db'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            f"SET allowed_directories = ['{tmp_path}']",
        ):
            with pytest.raises(duckdb.Error):
                engine.execute(sql)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.csv"]


CONTRACT = """\
domain: shop
owners: ['team:data-engineering']
defaults:
  filter: "{default}"
feeds:
  takings:
    inbound: "takings_{{date:%Y-%m-%d}}.csv"
    key: id
    columns:
      id: integer
      name: string
      upper_name:
        type: string
        expression: {expression}
    rules:
      cheap: id < 5
      plausible: "{rule}"
    keep_first:
      order:
        - id DESC
        - {term}
    versions:
      - version: 2
        effective: 2026-05-01
        add:
          length: {{type: integer, expression: "{added}"}}
"""
GOOD = {
    "default": "id <> 7",
    "expression": "upper(name)",
    "rule": "id > 0",
    "term": "name ASC NULLS LAST",
    "added": "length(name)",
}
LINES = {"default": 4, "expression": 14, "rule": 17, "term": 21, "added": 26}
NO_EXPRESSION = "(SELECT content FROM read_text('/etc/hostname'))"


def overlay(folder: Path, **changed: str) -> Path:
    (folder / "feeds").mkdir(parents=True)
    path = folder / "feeds" / "shop.yaml"
    path.write_text(CONTRACT.format(**GOOD | changed), encoding="utf-8")
    return path


def ops(home: Path, folder: Path, *words: str) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(home), "--config", str(folder), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_good_sql_of_a_configuration_is_read(tmp_path: Path) -> None:
    overlay(tmp_path / "config")
    require_expressions(catalog.load(Settings(home=tmp_path / "home", overlay=tmp_path / "config")))


@pytest.mark.parametrize("where", GOOD)
def test_sql_that_is_no_expression_is_refused_when_the_contract_is_read(where: str, tmp_path: Path) -> None:
    path = overlay(tmp_path / "config", **{where: NO_EXPRESSION})
    with pytest.raises(catalog.ConfigError) as error:
        require_expressions(catalog.load(Settings(home=tmp_path / "home", overlay=tmp_path / "config")))
    [problem] = error.value.problems
    assert (problem.file, problem.line) == (str(path), LINES[where])
    assert "feed 'takings'" in problem.message and "is not one SQL expression: it holds a subquery" in problem.message


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    overlay(tmp_path / "config", default="1; SELECT 2", rule="1, 2", added="*")
    with pytest.raises(catalog.ConfigError) as error:
        require_expressions(catalog.load(Settings(home=tmp_path / "home", overlay=tmp_path / "config")))
    assert [problem.line for problem in error.value.problems] == [4, 17, 26]


@pytest.mark.parametrize(
    "command", [("rules", "lint"), ("feed", "check", "FILE", "--feed", "takings"), ("run",)], ids=lambda words: words[0]
)
def test_each_command_that_applies_contracts_tells_it_with_file_and_line(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    path = overlay(tmp_path / "config", rule="id IN (FROM range(3))")
    (file := tmp_path / "takings_2026-01-05.csv").write_text("id,name\n1,a\n", encoding="utf-8")
    result = ops(tmp_path / "home", tmp_path / "config", *(str(file) if word == "FILE" else word for word in command))
    said = result.output.replace("\n", "")
    assert result.exit_code != 0
    assert f"{path}:17: feed 'takings': rules.plausible: 'id IN (FROM range(3))' is not one SQL expression" in said
