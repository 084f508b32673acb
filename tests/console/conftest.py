"""One home with an open incident, shared by the tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.built_once import built_once
from tests.console import browser
from tests.console.house import House, built, copied
from tests.console.visit import Visit
from tests.operations.incidents.world import IncidentWorld


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> IncidentWorld:
    """A home in which the investor pipeline has failed and a person was paged. Tests that change it use `fresh`."""
    return _failed(tmp_path_factory.mktemp("told"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A real home in which nothing is wrong, for the long stories of one file. Stories of another file break their own
    copy, so the order of the files does not matter.
    """
    if browser.binary() is None:
        pytest.skip(browser.MISSING)
    whole = built_once(tmp_path_factory, "house", lambda folder: built(folder / "home"))
    return copied(whole / "home", tmp_path_factory.mktemp("house") / "home")


@pytest.fixture
def fresh(tmp_path: object) -> IncidentWorld:
    """A home like `told`, for one test that changes it."""
    return _failed(tmp_path)


@pytest.fixture
def visit(told: IncidentWorld) -> Iterator[Visit]:
    """A browser on this machine that reads the shared home."""
    with Visit(told) as found:
        yield found


def _failed(folder: object) -> IncidentWorld:
    from ops_project.operations.ledger.lineage_document import remember

    day = IncidentWorld(folder, "2026-03-04 04:10")  # type: ignore[arg-type]  # a path, as pytest gives it
    remember(day.ledger, day.lineage, day.now)
    day.job_fails(assets=("silver/fact_transactions",), message="the column `amount` is not there")
    day.advance("1m")
    return day
