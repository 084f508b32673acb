"""On a telephone at 3 a.m.: a person opens the link of the page and touches the button, and no other person is
called.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlparse

import pytest

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
    with browser.served(app) as url, browser.started(program) as chromium:
        link = url + urlparse(_links(day)["Acknowledge"]).path
        page = browser.window(chromium)
        page.goto(link)
        assert "Scheduled job investor_pipeline failed" in page.inner_text("body")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, "nothing has to be scrolled sideways"
        box = page.locator("button").bounding_box()
        assert box is not None and box["height"] >= 44
        assert day.incident().status == "triggered", "looking changes nothing"
        page.tap("button")
        page.get_by_text("Acknowledged by engineer-a").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        page.goto(link)
        assert "used already" in page.inner_text("body") and page.locator("button").count() == 0
    assert (day.incident().status, day.incident().responder) == ("acknowledged", "engineer-a")
    day.advance("3h", timedelta(minutes=20))
    assert day.calls() == []
