"""The console for people who cannot see it or do not use a mouse: axe-core on every kind of page, and every page by
keyboard.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.routing import Match, Route

from tests.console import browser
from tests.console.house import House

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
OF_EACH = 2
"""How many pages of one kind are looked at. Every board is looked at."""
MORE = {"/boards/{board}": 20, "/reports/{kind}/{last}": 8}
FILES = ("/figures/{board}/{name}.json", "/reports/{kind}/{last}/{shape}", "/static/{path:path}", "/live", "/health")
SERIOUS = ("serious", "critical")
TAB_STOPS = """() => [...document.querySelectorAll(
    'a[href], button:not([disabled]), input:not([type=hidden]), select, textarea, summary, [tabindex="0"]'
)].filter(item => item.checkVisibility({visibilityProperty: true})).length"""
FOCUSED = """() => {
    const at = document.activeElement;
    if (at === document.body) return null;
    const box = at.getBoundingClientRect(), style = getComputedStyle(at);
    const all = [...document.querySelectorAll('*')];
    return {
        place: all.indexOf(at), html: at.outerHTML.slice(0, 120),
        seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
        marked: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || !!at.closest('svg'),
    };
}"""


@pytest.fixture(scope="module")
def broken(house: House) -> House:
    """A morning on which a file is wrong, and the reports of the days before."""
    house.next_morning()
    house.ops("simulate", "--domain", "investor", "--days", "1", "--fault", "missing_column:transactions")
    house.ops("run", "--domain", "investor")
    for kind in ("daily", "weekly", "sla"):
        house.ops("report", kind)
    return house


def pattern(app: Starlette, path: str) -> str:
    """The route that answers a path."""
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": []}
    return next((r.path for r in app.routes if isinstance(r, Route) and r.matches(scope)[0] is Match.FULL), "")


def pages(app: Starlette, page: Page, url: str) -> list[str]:
    """Paths that links lead to from the first page on, a few of each kind."""
    found: list[str] = []
    known, queue, count = {"/"}, deque(["/"]), Counter[str]()
    while queue:
        path = queue.popleft()
        kind = pattern(app, urlsplit(path).path)
        if not kind or kind in FILES or count[kind] >= MORE.get(kind, OF_EACH):
            continue
        count[kind] += 1
        found.append(path)
        page.goto(url + path)
        links = page.eval_on_selector_all(
            "a[href]", "all => all.map(item => new URL(item.getAttribute('href'), location).href)"
        )
        for link in links:
            target = urlsplit(link)
            short = target.path + (f"?{target.query}" if target.query else "")
            if link.startswith(url) and short not in known:
                known.add(short)
                queue.append(short)
    return found


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("width", [1400, 400])
def test_nothing_serious_keeps_people_out(broken, width):
    """Names, roles, contrast and order on every kind of page, by day and by night; no page is wider than its window."""
    program = browser.binary()
    assert program is not None
    found: list[Any] = []
    app = broken.console()
    with browser.served(app) as url, browser.started(program) as chromium:
        by_day, by_night = browser.window(chromium, width), browser.window(chromium, width, "dark")
        paths = pages(app, by_day, url)
        kinds = {pattern(app, urlsplit(path).path) for path in paths}
        reads = {
            r.path for r in app.routes if isinstance(r, Route) and "GET" in (r.methods or ()) and r.path not in FILES
        }
        missed = reads - kinds - {"/act/{link}", "/login", "/incidents/{number}/cause", "/who", "/logout"}
        assert not missed, f"no link leads there: {missed}"
        for page, scheme in ((by_day, "light"), (by_night, "dark")):
            for path in paths:
                page.goto(url + path)
                wide = page.evaluate("document.documentElement.scrollWidth")
                found += [f"{path} is {wide} pixels wide"] if wide > width else []
                # Every part that can be opened is opened and looked at as well.
                page.evaluate("document.querySelectorAll('main details').forEach(item => { item.open = true; })")
                page.evaluate(AXE.read_text(encoding="utf-8"))
                answer = page.evaluate(
                    "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))"
                )
                found += [
                    (scheme, path, rule["id"], [node["html"][:160] for node in rule["nodes"][:3]])
                    for rule in json.loads(answer)
                    if rule["impact"] in SERIOUS
                ]
    assert found == []


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_every_page_can_be_walked_with_the_tab_key(broken):
    """Each stop is visible and marked, no stop holds the focus, and the walk ends where it began."""
    program = browser.binary()
    assert program is not None
    app, wrong = broken.console(), list[str]()
    with browser.served(app) as url, browser.started(program) as chromium:
        page = browser.window(chromium, 1400)
        for path in pages(app, page, url):
            page.goto(url + path)
            page.wait_for_load_state("load")
            wrong += [f"{path}: {words}" for words in _walk(page)]
    assert wrong == []


def _walk(page: Page) -> list[str]:
    said, places = [], list[int]()
    stops = page.evaluate(TAB_STOPS)
    for _ in range(stops + 5):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None:
            break
        if places and at["place"] == places[-1]:
            return [*said, f"the focus is held by {at['html']}"]
        places.append(at["place"])
        if not at["seen"]:
            said.append(f"cannot be seen: {at['html']}")
        if not at["marked"]:
            said.append(f"nothing shows the focus: {at['html']}")
    if len(set(places)) < stops:
        said.append(f"{len(set(places))} of {stops} stops are reached")
    return said


@pytest.mark.soak
def test_an_incident_is_found_and_taken_without_a_mouse(broken):
    program = browser.binary()
    assert program is not None
    with browser.served(broken.console()) as url, browser.started(program) as chromium:
        page = browser.window(chromium, 1400)
        page.goto(url)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#keys")).to_be_hidden()
        page.keyboard.press("g")
        page.keyboard.press("i")
        page.wait_for_url("**/incidents")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/incidents/*")
        page.locator("main select[name=who]").focus()
        page.keyboard.type("Engineer B")
        page.keyboard.press("Enter")
        page.locator("#acknowledge").focus()
        # A page that refreshes itself does not take the focus away.
        page.evaluate("window.before = document.getElementById('live')")
        broken.ops("incidents", "note", page.url.rsplit("/", 1)[1], "Looked at.", "--by", "engineer-a")
        expect(page.get_by_text("Looked at.")).to_be_visible()
        assert page.evaluate("document.getElementById('live') !== window.before")
        assert page.evaluate("document.activeElement.id") == "acknowledge"
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Acknowledged by engineer-b")
