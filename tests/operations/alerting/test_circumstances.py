"""A message says whom to ask, where the file lies, how old the data is, and commands that work as they are written."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.model.alerting.signal import OK
from ops_project.operations.alerting import circumstances
from ops_project.operations.incidents.message_links import serve_url
from ops_project.process import serve_address
from tests.operations.incidents.world import IncidentWorld


@pytest.fixture
def day(tmp_path: Path) -> IncidentWorld:
    return IncidentWorld(tmp_path, "2026-03-04 04:10")


def _short_file(day: IncidentWorld) -> None:
    """Yesterday everything was well. Today the file of orders has fewer rows than its control file says."""
    for asset in ("bronze/orders", "gold/daily_revenue"):
        day.asset_fails(asset, OK)
    day.advance("5m")
    day.now += timedelta(days=1)
    day.signal(
        "landing.finding",
        "firing",
        asset="bronze/orders",
        domain="ecommerce",
        check="source_partial",
        partition="2026-03-04",
        failure_class="source_partial",
        message="the control file says 532, the file has 319",
        labels={
            "finding": "source_partial",
            "feed": "orders",
            "file": "orders_2026-03-04.csv",
            "archived": "/archive/ecommerce/orders/2026-03-04/0123456789ab_orders_2026-03-04.csv",
        },
    )
    day.advance("10m")


def _text(day: IncidentWorld) -> str:
    lines = (day.settings.home / "alerts" / "alerts.jsonl").read_text().splitlines()
    return next(text for line in lines if "532" in (text := json.loads(line)["text"]))


def _facts(text: str) -> dict[str, str]:
    rows = [line.strip().split(": ", 1) for line in text.splitlines() if line.startswith("  ")]
    return {row[0]: row[1].strip() for row in rows if len(row) == 2}


def test_the_page_says_whom_to_ask_where_the_file_is_and_what_consumers_read(day: IncidentWorld) -> None:
    _short_file(day)
    told = _facts(_text(day))
    assert told["Source contact"] == "Shop Platform, shop-platform@example.com, +1 555 0201, day and night"
    assert "Engineer" in told["On call"] and "+1 555 010" in told["On call"] and "@example.com" in told["On call"]
    assert told["File"].endswith("/0123456789ab_orders_2026-03-04.csv")
    assert told["Last good build"] == "bronze/orders, 2026-03-04 09:10 UTC"
    assert told["Old data"] == "consumers read gold/daily_revenue of 2026-03-04 09:10 UTC"
    assert told["Domain's runbook"].endswith("runbook show ecommerce-pipeline")


def test_the_run_that_found_the_fault_is_no_good_build(day: IncidentWorld) -> None:
    day.asset_fails("bronze/orders", OK, run_id="good")
    day.advance("5m")
    day.now += timedelta(days=1)
    for run in ("found it", "found it again"):
        day.asset_fails("bronze/orders", OK, run_id=run)
        day.now += timedelta(seconds=20)
        day.signal(
            "check.failure",
            "firing",
            asset="bronze/orders",
            domain="ecommerce",
            check="rows",
            run_id=run,
            message="532",
        )
        day.advance("10m")
    day.now += timedelta(hours=5)
    day.advance("10m")
    lines = (day.settings.home / "alerts" / "alerts.jsonl").read_text().splitlines()
    told = [_facts(text) for line in lines if "532" in (text := json.loads(line)["text"])]
    assert len(told) > 1, "the first message and a repeat, whose newest failure is of the second run"
    assert {facts["Last good build"] for facts in told} == {"bronze/orders, 2026-03-04 09:10 UTC"}


@pytest.mark.parametrize("published", [True, False])
def test_a_build_that_is_held_back_is_not_what_consumers_read(day: IncidentWorld, published: bool) -> None:
    table = {"asset": "gold/daily_revenue", "domain": "ecommerce"}
    day.asset_fails(table["asset"], OK, run_id="good")
    if published:
        day.signal("publication.held", OK, **table, run_id="good")
    else:
        day.signal("publication.held", "firing", **table, run_id="good")
    day.advance("5m")
    day.now += timedelta(days=1)
    day.asset_fails(table["asset"], OK, run_id="bad")
    day.now += timedelta(seconds=20)
    day.signal("check.failure", "firing", **table, check="rows", run_id="bad", message="532")
    day.advance("10m")
    known = {"Old data": "consumers read gold/daily_revenue of 2026-03-04 09:10 UTC"} if published else {}
    assert {name: said for name, said in _facts(_text(day)).items() if name == "Old data"} == known


def test_what_was_built_since_the_failure_is_not_old(day: IncidentWorld) -> None:
    _short_file(day)
    day.asset_fails("gold/daily_revenue", OK)
    day.now += timedelta(hours=5)
    day.advance("10m")
    lines = (day.settings.home / "alerts" / "alerts.jsonl").read_text().splitlines()
    [*_, last] = [text for line in lines if "532" in (text := json.loads(line)["text"])]
    assert "Old data" not in _facts(last), "the repeat of the message"
    assert "Old data" in _facts(_text(day)), "the first message"


def test_every_command_of_a_message_finds_this_home(day: IncidentWorld) -> None:
    _short_file(day)
    told = _facts(_text(day))
    home = str(day.settings.home)
    commands = [part.split("`")[0] for part in told["First response"].split("`ops ")[1:]]
    assert commands and all(f"--home {home}" in command for command in commands)
    show = told["Commands"].split(", ")[0]
    done = CliRunner().invoke(cli, shlex.split(show)[1:])
    assert done.exit_code == 0 and "the control file says 532" in " ".join(done.output.split())
    runbook = told["Runbook"].split(";")[0]
    assert CliRunner().invoke(cli, shlex.split(runbook)[1:]).exit_code == 0
    domains = CliRunner().invoke(cli, shlex.split(told["Domain's runbook"])[1:])
    assert domains.exit_code == 0 and domains.output.startswith("# ")


def test_a_configuration_of_ones_own_is_named_in_the_commands(tmp_path: Path) -> None:
    day = IncidentWorld(tmp_path, "2026-03-04 04:10", platform=lambda data: None)
    _short_file(day)
    assert f"--config {day.overlay}" in _facts(_text(day))["Commands"]


def test_the_runbook_is_a_link_while_its_page_is_served(day: IncidentWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_address.remembered(day.settings, "127.0.0.1", 3999):
        _short_file(day)
    assert _facts(_text(day))["Runbook"] == "http://127.0.0.1:3999/runbooks/source-arrival"
    assert serve_url(day.settings) == ("http://127.0.0.1:3080", False)


def test_an_address_of_a_process_that_ended_is_none(day: IncidentWorld) -> None:
    text = (
        "import sys; from ops_project.process import serve_address as s; from ops_project.settings import Settings\n"
        "kept = s.remembered(Settings.load(home=sys.argv[1]), '127.0.0.1', 3999); kept.__enter__(); import os; os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", text, str(day.settings.home)], check=True, env=dict(os.environ))
    assert (day.settings.home / "serve.json").is_file()
    assert serve_address.recall(day.settings) == ""


def test_a_message_goes_out_although_a_fact_cannot_be_read(day: IncidentWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("ops_project.operations.ledger.Ledger.last_ok", broken)
    day.signal("check.failure", "firing", asset="bronze/orders", domain="ecommerce", check="rows", message="532 rows")
    day.advance("10m")
    assert _facts(_text(day))["Not known now"] == "OSError: the disk is gone"


def test_no_message_waits_for_an_inbound_folder_that_hangs(day: IncidentWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A share whose server has gone answers no call. The page used to wait for the share, and the whole cycle waited
    for the page.
    """
    back, asked, is_file = threading.Event(), [], Path.is_file

    def hang(path: Path) -> bool:
        if path.name.startswith("orders_"):
            asked.append(path)
            back.wait()
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", hang)
    monkeypatch.setattr(circumstances, "FOLDER_SECONDS", 0.05)
    labels = {"finding": "source_empty", "feed": "orders", "file": "orders_2026-03-04.csv"}
    try:
        for date in ("2026-03-03", "2026-03-04"):
            fields = {"check": "source_empty", "partition": date, "message": "532 bytes were promised"}
            day.signal("landing.finding", "firing", asset="bronze/orders", domain="ecommerce", labels=labels, **fields)
        day.advance("2m")
    finally:
        back.set()
    assert "has not answered" in _facts(_text(day))["File"]
    assert len(asked) == 1, "a folder that hangs is asked once"
