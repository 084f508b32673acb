"""Files of <name>.d/ are laid over <name>.yaml: they add, they change single values, and they keep their own lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.model.document import ConfigError
from ops_project.settings import Settings

RULE = """rules:
  shop_is_slow:
    title: "{pipeline} is slow"
    any: [{metric: run.duration_seconds, op: ">", threshold: 77}]
    severity: medium
    runbook: slow-pipeline
    response: Look at it.
"""


def load(overlay: Path) -> catalog.Catalog:
    return catalog.load(Settings.load(home=overlay / "home", overlay=overlay, environ={}))


def write(overlay: Path, relative: str, text: str) -> None:
    (overlay / relative).parent.mkdir(parents=True, exist_ok=True)
    (overlay / relative).write_text(text, encoding="utf-8")


@pytest.fixture
def shipped(tmp_path: Path) -> catalog.Catalog:
    (tmp_path / "empty").mkdir()
    return load(tmp_path / "empty")


def test_a_rule_is_added_and_the_shipped_ones_stay(tmp_path: Path, shipped: catalog.Catalog) -> None:
    write(tmp_path, "rules.d/mine.yaml", RULE)
    assert set(load(tmp_path).rules.rules) == {*shipped.rules.rules, "shop_is_slow"}


def test_a_single_value_of_a_shipped_rule_is_changed(tmp_path: Path, shipped: catalog.Catalog) -> None:
    write(tmp_path, "rules.d/mine.yaml", "rules:\n  quality_score_low: {severity: medium}\n")
    changed, before = load(tmp_path).rules.rules["quality_score_low"], shipped.rules.rules["quality_score_low"]
    assert changed == before.model_copy(update={"severity": "medium"})


def test_an_added_route_comes_before_the_shipped_ones(tmp_path: Path, shipped: catalog.Catalog) -> None:
    write(tmp_path, "receivers.d/mine.yaml", "receivers:\n  shop: {title: Shop, channels: [{type: file}]}\n")
    route = """route:\n  routes:\n    - {receiver: shop, matchers: ['domain="insurance"'], continue: true}\n"""
    write(tmp_path, "routes.d/mine.yaml", route)
    routes = load(tmp_path).routes.route.routes
    assert routes[0].receiver == "shop"
    assert routes[1:] == shipped.routes.route.routes


def test_people_are_added_and_the_shipped_rotation_stays(tmp_path: Path, shipped: catalog.Catalog) -> None:
    write(tmp_path, "owners.d/mine.yaml", "people:\n  bea: {name: Bea, email: bea@example.com}\n")
    found = load(tmp_path)
    assert set(found.owners.people) == {*shipped.owners.people, "bea"}
    assert found.oncall == shipped.oncall


def test_a_mistake_is_told_with_the_line_of_the_file_that_has_it(tmp_path: Path) -> None:
    write(tmp_path, "rules.d/mine.yaml", RULE.replace("run.duration_seconds", "run.duration_minutes"))
    with pytest.raises(catalog.ConfigError) as error:
        load(tmp_path)
    (problem,) = error.value.problems
    assert (Path(problem.file).parts[-2:], problem.line) == (("rules.d", "mine.yaml"), 4)


def test_a_mistake_in_a_shipped_entry_keeps_its_line_behind_added_ones(tmp_path: Path) -> None:
    write(tmp_path, "routes.d/mine.yaml", "route:\n  routes:\n    - {receiver: nobody, continue: true}\n")
    with pytest.raises(catalog.ConfigError) as error:
        load(tmp_path)
    places = {(Path(problem.file).name, problem.line) for problem in error.value.problems}
    assert ("mine.yaml", 3) in places


def test_a_list_where_keys_are_wanted_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "rules.d/mine.yaml", "rules: [stale]\n")
    with pytest.raises(catalog.ConfigError, match=r"rules.d/mine.yaml:1: rules must be keys, as in"):
        load(tmp_path)


def test_a_folder_that_adds_to_nothing_is_told(tmp_path: Path) -> None:
    write(tmp_path, "rule.d/mine.yaml", RULE)
    with pytest.raises(catalog.ConfigError, match=r"nothing reads this file.*<name>\.d/\*\.yaml"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("models/table.sql", "valid: models/<domain>/<layer>/<table>.sql"),
        ("models/nobody/gold/table.sql", "'nobody' is not a domain; valid: ecommerce"),
        ("models/ecommerce/golden/table.sql", "valid: models/ecommerce/gold/, models/ecommerce/silver/"),
        ("sql/table.sql", "nothing builds this file"),
    ],
)
def test_sql_that_nothing_builds_is_told(tmp_path: Path, path: str, said: str) -> None:
    write(tmp_path, path, "select 1 as one\n")
    with pytest.raises(catalog.ConfigError) as error:
        load(tmp_path)
    assert said in str(error.value)


def test_a_domain_that_is_switched_off_is_in_nothing(tmp_path: Path, shipped: catalog.Catalog) -> None:
    write(tmp_path, "domains.d/mine.yaml", "domains:\n  investor: {enabled: false}\n")
    found = load(tmp_path)
    assert "investor" not in found.domain_ids()
    assert {feed.domain for feed in found.feeds.values()} == set(shipped.domain_ids()) - {"investor"}
    assert not [sla for sla in found.slas.slas.values() if sla.domain == "investor"]
    assert not [item for item in found.slas.expectations.values() if item.domain == "investor"]
    assert found.switched_off == {"investor"}


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("30 6 * *", "it has 4 fields"),
        ("61 6 * * *", "the minute '61' does not lie in 0 to 59"),
        ("0 6 30 feb *", "none of its months has that day"),
        ("0 6 * * someday", "the day of the week 'someday' does not lie in 0 to 7"),
    ],
)
def test_a_schedule_that_never_comes_is_refused(tmp_path: Path, cron: str, said: str) -> None:
    text = (Path(__file__).parents[2] / "examples" / "bakery" / "feeds" / "bakery.yaml").read_text(encoding="utf-8")
    write(tmp_path, "feeds/bakery.yaml", text.replace("30 6 * * *", cron).replace("team:bakery", "team:data-science"))
    with pytest.raises(catalog.ConfigError) as error:
        load(tmp_path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("delete from gold.bakery_daily", "a check is one SELECT"),
        ("select 1; select 2", "a check is one SELECT"),
        ("selec 1", "the query is not valid SQL"),
    ],
)
def test_a_check_that_does_not_only_read_is_refused(tmp_path: Path, sql: str, said: str) -> None:
    write(tmp_path, "checks.d/mine.yaml", f"queries:\n  mine:\n    table: gold.daily_revenue\n    sql: {sql!r}\n")
    with pytest.raises(catalog.ConfigError) as error:
        load(tmp_path)
    assert said in str(error.value)
    assert "checks.d/mine.yaml:4" in str(error.value)


def test_a_runbook_of_the_overlay_is_listed_with_its_path(tmp_path: Path) -> None:
    write(tmp_path, "runbooks/shop.md", "# Shop\n")
    (tmp_path / "home").mkdir()
    words = ["--home", str(tmp_path / "home"), "--config", str(tmp_path), "runbook", "list", "--json"]
    rows = json.loads(CliRunner().invoke(cli, words).output)
    assert {row["slug"]: row["path"] for row in rows}["shop"] == str(tmp_path / "runbooks" / "shop.md")


def test_the_table_of_runbooks_shows_shipped_paths_from_the_root_of_the_project(tmp_path: Path) -> None:
    write(tmp_path, "runbooks/shop.md", "# Shop\n")
    (tmp_path / "home").mkdir()
    said = (
        CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "--config", str(tmp_path), "runbook", "list"]).output
    )
    places = {line.split()[0]: line.split()[-1] for line in said.splitlines()}
    assert places["anomaly"] == "ops_project/runbooks/anomaly.md"
    assert places["shop"].endswith("shop.md") and places["shop"].startswith("/")


def test_a_feed_that_follows_an_unknown_calendar_is_refused(tmp_path: Path) -> None:
    """A run would fail at the first date for which the library is asked."""
    text = (Path(__file__).parents[2] / "examples" / "bakery" / "feeds" / "bakery.yaml").read_text(encoding="utf-8")
    text = text.replace("    inbound:", "    closed: {holidays: XX}\n    inbound:", 1).replace(
        "team:bakery", "team:data-science"
    )
    write(tmp_path, "feeds/bakery.yaml", text)
    with pytest.raises(catalog.ConfigError, match="'XX' is not a country of the holidays library"):
        load(tmp_path)


@pytest.mark.parametrize("file", ["owners.yaml", "owners.d/mine.yaml", "feeds/orders.yaml", "feeds/mine.yaml"])
def test_a_link_that_leads_nowhere_and_a_folder_are_no_file_of_the_overlay(tmp_path: Path, file: str) -> None:
    """The shipped file must not be used in their place, as if they were not there."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    assert load(tmp_path).feeds["orders"], "without them, everything is well"
    (tmp_path / file).symlink_to("gone.yaml")
    with pytest.raises(ConfigError, match=f"{file}:1: this is a link to gone.yaml, which does not exist"):
        load(tmp_path)
    (tmp_path / file).unlink()
    (tmp_path / file).mkdir()
    with pytest.raises(ConfigError, match=f"{file}:1: this is a folder, and a file is needed"):
        load(tmp_path)
