"""One story in a real browser, over a real home: a file is broken, its incident appears without a reload, a person takes
it, reads its evidence and runs a step of its runbook, the shop sends the file again, and the incident ends by itself.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.console import browser


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("width", [1400, 400])
def test_a_fault_is_seen_taken_examined_repaired_and_ends(house, width):
    program = browser.binary()
    assert program is not None
    house.next_morning()
    with browser.served(house.console()) as url, browser.started(program) as chromium:
        page = browser.window(chromium, width)
        page.goto(url)
        expect(page.get_by_text("No open incident.")).to_be_visible()
        expect(page.locator("#connection")).to_have_attribute("data-state", "on")
        page.evaluate("window.notReloaded = true")

        house.ops("simulate", "--domain", "investor", "--days", "1", "--fault", "missing_column:transactions")
        house.ops("run", "--domain", "investor")
        expect(page.get_by_role("heading", name="Something is wrong.")).to_be_visible(timeout=30_000)
        incident = page.locator("main [data-row]").first
        expect(incident).to_be_visible()
        assert page.evaluate("window.notReloaded"), "the page was not loaded again"
        _fits(page, width)

        incident.click()
        expect(page.get_by_role("heading", name="What is wrong")).to_be_visible()
        assert "structure differs from contract transactions version 1: missing unit_cost" in _text(page)
        assert "gold/kpi_aggregate_profit" in page.locator("svg.graph title").all_text_contents()
        page.locator("main select[name=who]").select_option("engineer-b")
        page.locator("#acknowledge").click()
        expect(page.get_by_role("status")).to_contain_text("Acknowledged by engineer-b")
        assert "Engineer B has it" in _text(page)

        evidence = page.locator("details[id^=evidence-]").first
        evidence.locator("summary").first.click()
        expect(evidence.locator("pre").first).to_be_visible()
        assert "unit_cost" in evidence.inner_text(), "the evidence names the column that is missing"

        step = page.locator(".steps > li").filter(has=page.locator("button")).first
        step.get_by_role("button").click()
        expect(step.locator(".output pre").first).to_be_visible(timeout=60_000)
        expect(step.locator(".output .tag").first).to_have_text("done")
        _fits(page, width)

        expect(page.locator("#connection")).to_have_attribute("data-state", "on")
        page.evaluate("window.notReloaded = true")
        house.now += timedelta(hours=1)
        house.ops("simulate", "--domain", "investor", "--days", "1", "--feed", "transactions")
        house.ops("run", "--domain", "investor")
        expect(page.locator(".top .tag.resolved")).to_be_visible(timeout=30_000)
        assert page.evaluate("window.notReloaded") and "nothing fires" in _text(page)
        _fits(page, width)
        page.goto(url)
        expect(page.get_by_text("No open incident.")).to_be_visible()
    audit = house.ops("incidents", "audit")
    assert re.search(r"acknowledge.*engineer-b|engineer-b.*acknowledge", audit) and "run step" in audit


def _text(page: Page) -> str:
    return page.inner_text("body")


def _fits(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing has to be scrolled sideways"
