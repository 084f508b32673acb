"""Settings for every test: variables that a command sets for its own process are restored after the test, and each file
is a group.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops_project.process import collector
from ops_project.settings import Settings
from tests import (
    compiled_statements,
    compiled_templates,
    engine,
    fresh_ledger,
    fresh_storage,
    known_migrations,
    scratch,
)
from tests.architecture import apart
from tests.built_once import built_once

# Importing hundreds of modules makes few cycles, and each search for cycles looks at all modules that were imported.
gc.disable()

engine.share_cores(os.environ, os.cpu_count() or 1)
engine.write_no_progress()
scratch.use_memory()
compiled_statements.shared()
known_migrations.shared()

EXPORTED = ("OPS_", "DAGSTER_HOME")
# `ops` narrows this setting for its own process. A test that calls a command in this process must still begin with it.
UMASK = os.umask(0o022)
os.umask(UMASK)

# If a shell starts the suite in the background, the suite and its children ignore Ctrl-C. Some tests need Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


LONG = 80
# Groups that take long, the longest first. If such a group began last, it would run alone while the other process waits.
LONGEST = (
    "runs",
    "domain_runs",
    "injected",
    "built_empty",
    "test_incremental",
    "guide",
    "daemon",
    "chaos",
)


# The programs behind these tests begin with the first test (`architecture/apart.py`).
LAST = "test_laws"


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Long texts and bytes are not used as names of parameters: two processes would produce different ones."""
    return argname if isinstance(val, str | bytes) and len(val) > LONG else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each file is a group, unless its tests name one. Otherwise two processes would build its homes twice."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    marker = item.get_closest_marker("xdist_group")
    name = marker.args[0] if marker is not None and marker.args else ""
    return LONGEST.index(name) if name in LONGEST else len(LONGEST) + (name == LAST)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Everything that was loaded until now stays in memory until the end, so the search for garbage need not look at it
    again.
    """
    collector.search_seldom()  # Python's own thresholds cost 3 % of the suite's CPU
    gc.enable()
    gc.collect()
    gc.freeze()
    factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]  # pytest sets it
    apart.begin(factory.getbasetemp(), (item.name.partition("@")[0] for item in session.items))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remove the folders of passed tests, if they are in memory. If they were removed earlier, the next test would get
    the same path again, and MLflow keeps its connection to a file by the file's path.
    """
    apart.end(stopped=exitstatus == pytest.ExitCode.INTERRUPTED)
    # Pytest then searches for garbage five times.
    gc.freeze()
    if "PYTEST_XDIST_WORKER" not in os.environ and exitstatus == 0:
        scratch.remove(session.config)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Each new ledger of a test, and each new storage of Dagster, is a copy of a file that was made once."""
    fresh_ledger.of_a_test(item.path)
    fresh_storage.of_a_test(item.path)


@contextmanager
def _settings_restored() -> Iterator[None]:
    before = {name: value for name, value in os.environ.items() if name.startswith(EXPORTED)}
    os.umask(UMASK)
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith(EXPORTED) and name not in before]:
            del os.environ[name]
        os.environ.update(before)


@pytest.fixture(autouse=True)
def _settings_end_with_the_test() -> Iterator[None]:
    with _settings_restored():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
    """Several tests share this fixture, so it is made before the settings of the first of these tests are noted.
    Settings that the fixture changes are restored at once.
    """
    if fixturedef.scope == "function":
        return (yield)
    with _settings_restored():
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    compiled_templates.shared(built_once(tmp_path_factory, "templates", lambda folder: None))


@pytest.fixture(scope="session")
def built_empty(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home in which every table of every domain exists and is empty. Tests may only read it, or write in a
    transaction that is rolled back.
    """
    from tests.mutation import cases

    return cases.empty_home_without_dbt(tmp_path_factory.mktemp("built-empty") / "home")


@pytest.fixture(scope="session")
def policies_waiting(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Four days of the smallest domain's files, nothing landed. Copy it (`homes.copy`); all stories share it."""
    from tests.scenarios import homes

    # In the world of this seed the day after has enough changes that a dozen bad ones do not refuse its whole file.
    folder = built_once(
        tmp_path_factory, "policies-waiting", lambda folder: homes.simulated(folder, "insurance", 4, scale=0.1, seed=4)
    )
    homes.warm()
    return Settings(home=folder / "home", as_of=homes.NOW)


@pytest.fixture(scope="session")
def policies_done(policies_waiting: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The home of `policies_waiting` after one undisturbed run. Copy it; all stories share it."""
    from tests.scenarios import homes

    folder = built_once(
        tmp_path_factory, "policies-done", lambda folder: homes.run_once(folder, policies_waiting, "insurance")
    )
    return Settings(home=folder / "home", as_of=homes.NOW)


@pytest.fixture(scope="session")
def investor_done(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The last days of February and the first of March, after one undisturbed run. February has closed, and its first
    days are unknown. Copy it; all stories share it.
    """
    from tests.scenarios import homes

    def build(folder: Path) -> None:
        homes.simulated(folder / "waiting", "investor", 10, scale=0.2, seed=42)
        homes.run_once(folder, Settings(home=folder / "waiting" / "home", as_of=homes.NOW), "investor")

    return Settings(home=built_once(tmp_path_factory, "investor-done", build) / "home", as_of=homes.NOW)
