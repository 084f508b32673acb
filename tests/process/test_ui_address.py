"""Run links use the port at which `ops ui --port` really serves. If the port is unknown, there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.lineage import Lineage
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.alerting.rendering.lines import facts, run_link
from ops_project.process import ui_address
from ops_project.settings import Settings
from tests.operations.channels.messages import message


def url(home: Path) -> str:
    settings = Settings.load(home=home, environ={})
    return alert_config(settings, catalog.load(settings), Lineage()).ui_url


def test_the_port_of_the_last_ui_is_the_one_of_the_links(tmp_path: Path) -> None:
    assert url(tmp_path) == ""
    ui_address.remember(Settings.load(home=tmp_path, environ={}), "127.0.0.1", 3017)
    assert url(tmp_path) == "http://127.0.0.1:3017"


@pytest.mark.parametrize(("host", "said"), [("0.0.0.0", "localhost"), ("::", "localhost"), ("::1", "[::1]")])
def test_a_host_is_written_as_a_browser_reads_it(host: str, said: str) -> None:
    assert ui_address.url_of(host, 80) == f"http://{said}:80"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 3}', '{"url": "javascript:alert(1)"}'])
def test_a_damaged_file_gives_no_link(tmp_path: Path, text: str) -> None:
    (tmp_path / ui_address.FILE_NAME).write_text(text)
    assert url(tmp_path) == ""


def test_without_an_address_the_run_is_named_and_not_linked(tmp_path: Path) -> None:
    payload = {**message(tmp_path).payload, "ui_url": ""}
    alert = next(alert for alert in payload["alerts"] if alert["run_id"])
    assert run_link(alert, payload) == ""
    told = dict(facts(alert, payload))
    assert told["Run id"] == alert["run_id"] and "Run" not in told
    linked = dict(facts(alert, {**payload, "ui_url": "http://127.0.0.1:3017"}))
    assert linked["Run"] == f"http://127.0.0.1:3017/runs/{alert['run_id']}" and "Run id" not in linked
