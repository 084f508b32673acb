"""On a telephone at 3 a.m.: open the link of the page, touch the button, and nobody else is called."""

from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import urlparse

import pytest
import uvicorn

from ops_project.console.app import create_app
from tests.console import browser
from tests.console.test_links import _links
from tests.operations.incidents.world import IncidentWorld


def test_a_page_is_acknowledged_from_its_message_at_400_pixels(tmp_path):
    program = browser.binary()
    if program is None:
        pytest.skip(browser.MISSING)
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    day.job_fails(assets=("gold/kpi_aggregate_profit",))
    day.advance("1m")
    app = create_app(day.settings, clock=lambda: day.now)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        port = server.servers[0].sockets[0].getsockname()[1]
        link = urlparse(_links(day)["Acknowledge"]).path
        with browser.telephone(program, tmp_path / "profile") as tab:
            tab.open(f"http://127.0.0.1:{port}{link}")
            assert "Scheduled job investor_pipeline failed" in tab.text()
            assert tab.evaluate("document.documentElement.scrollWidth") <= 400, "nothing has to be scrolled sideways"
            assert tab.evaluate("document.querySelector('button').getBoundingClientRect().height") >= 44
            assert day.incident().status == "triggered", "looking changes nothing"
            tab.tap("button")
            tab.wait_for("document.body.innerText.includes('Acknowledged by engineer-a')")
            assert tab.evaluate("document.documentElement.scrollWidth") <= 400
            tab.open(f"http://127.0.0.1:{port}{link}")
            assert "used already" in tab.text() and tab.evaluate("document.querySelector('button')") is None
    finally:
        server.should_exit = True
        thread.join(timeout=10)
    assert (day.incident().status, day.incident().responder) == ("acknowledged", "engineer-a")
    day.advance("3h", timedelta(minutes=20))
    assert day.calls() == []
