"""One story in a real browser: a fault, its incident without a reload, a person, a step of the runbook, the repair, the
end. And on every page an automatic check for people who cannot see it, or use no mouse.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from ops_project.cli.runbook import _run
from ops_project.console.app import create_app
from ops_project.operations.ledger.lineage_document import remember
from tests.console import browser
from tests.operations.incidents.world import IncidentWorld

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PAGES = (
    "/incidents/1",
    "/",
    "/incidents",
    "/alerts",
    "/alerts/1",
    "/silences",
    "/routes?rule=job_failure",
    "/boards/operational",
    "/figures/operational/runs",
    "/feeds",
    "/feeds/orders",
    "/assets",
    "/assets/silver/fact_transactions",
    "/oncall",
    "/recovery",
    "/reports",
    "/runbooks",
    "/runbooks/pipeline-failure",
    "/boards/quality",
    "/boards/business",
)


@contextmanager
def served(day: IncidentWorld) -> Iterator[str]:
    """The console of this home on a port of its own, with commands that run in this process."""
    app = create_app(day.settings, clock=lambda: day.now, run_command=_run)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=15)


def home(folder: Path) -> IncidentWorld:
    """A home that knows its asset graph, in which nothing has failed yet."""
    day = IncidentWorld(folder, "2026-03-04 04:10")
    remember(day.ledger, day.lineage, day.now)
    return day


def click(tab: browser.Tab, selector: str) -> None:
    tab.evaluate(f"document.querySelector({selector!r}).click()")


@pytest.mark.soak
@pytest.mark.parametrize("width", [1400, 400])
def test_a_fault_is_seen_taken_examined_repaired_and_ends(tmp_path, width):
    program = browser.binary()
    if program is None:
        pytest.skip(browser.MISSING)
    day = home(tmp_path)
    day.job_succeeds()
    day.advance("1m")
    with served(day) as url, browser.telephone(program, tmp_path / "profile", width=width) as tab:
        tab.open(url)
        tab.wait_for("document.body.innerText.includes('No open incident')")
        tab.wait_for("document.querySelector('#connection').dataset.state === 'on'")
        tab.evaluate("window.notReloaded = true")
        day.job_fails(assets=("silver/fact_transactions",), message="the column amount is not there")
        day.advance("1m")
        tab.wait_for("document.body.innerText.includes('Something is wrong.')")
        assert tab.evaluate("window.notReloaded"), "the page was not loaded again"
        assert tab.evaluate("document.documentElement.scrollWidth") <= width

        tab.open(f"{url}/incidents/1")
        assert "the column amount is not there" in tab.text() and "gold/kpi_aggregate_profit" in tab.text()
        tab.evaluate(
            "const s = document.querySelector('main select[name=who]'); s.value = 'engineer-b'; s.form.submit()"
        )
        tab.wait_for("document.body.innerText.includes('You act as Engineer B')")
        click(tab, "#acknowledge")
        tab.wait_for("document.body.innerText.includes('Acknowledged by engineer-b')")
        assert (day.incident().status, day.incident().responder) == ("acknowledged", "engineer-b")

        click(tab, "#step-1 button")
        tab.wait_for("document.querySelector('#step-1 pre') !== null")
        assert day.ledger.evidence(1), "its output is kept with the incident"
        assert tab.evaluate("document.documentElement.scrollWidth") <= width

        tab.evaluate("window.notReloaded = true")
        tab.wait_for("document.querySelector('#connection').dataset.state === 'on'")
        day.job_succeeds()
        day.advance("1h")
        tab.wait_for("document.querySelector('.top .tag.resolved') !== null")
        assert tab.evaluate("window.notReloaded") and day.incident().status == "resolved"


@pytest.mark.soak
@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_keeps_people_out(tmp_path, scheme, width):
    """Names, roles, contrast and order, by axe-core, on every kind of page; and no page is wider than its window."""
    program = browser.binary()
    if program is None:
        pytest.skip(browser.MISSING)
    day = home(tmp_path)
    day.job_fails(assets=("silver/fact_transactions",), message="the column amount is not there")
    day.advance("1m")
    found: list[Any] = []
    with served(day) as url, browser.telephone(program, tmp_path / "profile", width=width) as tab:
        tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        for path in PAGES:
            tab.open(url + path)
            wide = tab.evaluate("document.documentElement.scrollWidth")
            found += [f"{path} is {wide} pixels wide"] if wide > width else []
            tab.evaluate(AXE.read_text(encoding="utf-8"))
            ask = "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))"
            answer = tab.call("Runtime.evaluate", expression=ask, returnByValue=True, awaitPromise=True)
            found += [
                (
                    path,
                    rule["id"],
                    [node["html"][:120] for node in rule["nodes"][:2]],
                    rule["nodes"][0]["failureSummary"][:300],
                )
                for rule in json.loads(answer["result"]["value"])
                if rule["impact"] in ("serious", "critical")
            ]
    assert found == []
