"""Homes in which whole runs happen: simulated once, copied for each story, run in forked children.

A child is forked from a process that has imported everything already, so a run does not cost four seconds of imports.
The child can be killed without ending the tests.
"""

from __future__ import annotations

import faulthandler
import functools
import gc
import importlib
import os
import pkgutil
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from ops_project.catalog import load as load_catalog
from ops_project.dagster_bridge import home as dagster_home
from ops_project.pipeline.dbt_engine.manifest import DbtManifest
from ops_project.pipeline.warehouse import snapshots
from ops_project.process import kill_points as fault_points
from ops_project.settings import Settings
from tests import compiled_templates, fresh_ledger, fresh_storage

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LAST = date(2026, 3, 3)
BOOKKEEPING = {"_batch_id", "_load_seq", "_line", "ingestion_timestamp"}


def simulate(
    home: Path,
    days: int = 3,
    end: date = LAST,
    *,
    scale: float = 0.05,
    domain: str = "ecommerce",
    seed: int = 7,
) -> Settings:
    """A home whose files of one domain wait in its inbound folder."""
    from ops_project.simulator import simulation
    from ops_project.simulator.plans import Asked

    settings = Settings(home=home, as_of=NOW)
    asked = Asked(domains=(domain,), days=days, end=end, scale=scale, seed=seed)
    simulation.simulate(settings, load_catalog(settings), NOW, asked)
    return settings


def simulated(folder: Path, domain: str, days: int, *, scale: float, seed: int) -> None:
    """Make in `folder` a home in which files of a domain wait, for `built_once`."""
    warm()
    simulate(folder / "home", days, scale=scale, domain=domain, seed=seed)


def run_once(folder: Path, before: Settings, domain: str) -> None:
    """Make in `folder` a copy of the home after one undisturbed run of the domain, for `built_once`."""
    warm()
    ended = ops(copy(before, folder / "home"), "run", "--domain", domain).wait()
    assert ended.code == 0, ended.output + ended.errors


def copy(settings: Settings, home: Path) -> Settings:
    """Another home with the same files."""
    shutil.copytree(settings.home, home, symlinks=True)
    return Settings(home=home, as_of=settings.as_of, overlay=settings.overlay)


# Under pytest's own limit, so that the test that waits is the one that fails.
HUNG_SECONDS = 240.0


@dataclass
class Ended:
    """How a child ended: its exit code, or the signal that ended it."""

    code: int | None
    signal: int | None
    output: str
    errors: str = ""


@dataclass
class Child:
    pid: int
    log: Path

    def wait(self) -> Ended:
        """Waits, and returns how the child ended. A child that hangs is killed, and its errors then show what its
        threads were doing.
        """
        until = time.monotonic() + HUNG_SECONDS
        while (found := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGABRT)
                found = os.waitpid(self.pid, 0)
                break
            time.sleep(0.02)
        status = found[1]
        said = [
            path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            for path in (self.log, self.log.with_suffix(".err"))
        ]
        if os.WIFSIGNALED(status):
            return Ended(None, os.WTERMSIG(status), *said)
        return Ended(os.WEXITSTATUS(status), None, *said)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def fork(work: Callable[[], int], log: Path) -> Child:
    """Run `work` in a child. Its output goes to `log`, and its errors to the `.err` file beside that."""
    sys.stdout.flush()
    compiled_templates.read()
    pid = os.fork()
    if pid:
        return Child(pid, log)
    code = 99
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(descriptor, 1)
        errors = os.open(log.with_suffix(".err"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(errors, 2)
        # pytest has put its own files in their place.
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        faulthandler.enable(2)
        # dbt's other parser has threads, which a fork does not take along: once the parent has used it, a child waits for ever.
        os.environ["DBT_STATIC_PARSER"] = "false"
        # A child lives for seconds, and the search for garbage would look through all that the tests have left in memory.
        gc.disable()
        code = work()
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


# The commands of the tests that make the definitions; only these are worth making them in the parent.
COMPOSE = ("run", "rerun", "backfill", "feed")


def ops(settings: Settings, *arguments: str, kill_at: str | None = None, log: Path | None = None) -> Child:
    """Run `ops …` on this home, in a child. `kill_at`: the place at which it is killed (process/kill_points.py)."""

    from tests.scenarios import composed

    compose = settings.overlay is None and arguments[0] in COMPOSE

    def work() -> int:
        from ops_project.cli import cli

        if compose:
            composed.use()
        fault_points._KILL_AT = kill_at
        before = ["--home", str(settings.home), "--as-of", (settings.as_of or NOW).isoformat()]
        if settings.overlay is not None:
            before += ["--config", str(settings.overlay)]
        cli.main([*before, *arguments], prog_name="ops", standalone_mode=True)
        return 0

    if compose:
        composed.shipped()
    dagster_home.ensure(settings)
    fresh_storage.copy_into(settings.dagster_home)
    fresh_ledger.copy_into(settings)
    return fork(work, log or settings.home / f"child-{time.monotonic_ns()}.log")


def business_checksums(settings: Settings) -> dict[str, tuple[int, str]]:
    """Table → rows and checksum over its business columns, of the newest snapshot."""
    found = {}
    with snapshots.open(snapshots.newest(settings)) as connection:
        tables = connection.execute(
            "SELECT schema_name, table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
            "WHERE schema_name IN ('bronze', 'silver', 'gold') GROUP BY 1, 2 ORDER BY 1, 2"
        ).fetchall()
        for schema, table, columns in tables:
            business = ", ".join(f'"{column}"' for column in columns if column not in BOOKKEEPING)
            row = connection.execute(
                f"SELECT count(*), sum(hash(t)::HUGEINT)::VARCHAR FROM (SELECT {business} FROM {schema}.{table}) t"
            ).fetchone()
            assert row is not None
            found[f"{schema}.{table}"] = row
    return found


# These modules start something when they are imported, make definitions that nobody reads, or belong to a server, which
# is no child of the tests.
NEVER_IN_A_CHILD = (
    ".__main__",
    ".versions",
    ".env",
    "ops_project.definitions",
    ".cli.dagster_daemon",
    ".cli.dagster_dev",
    ".dagster_bridge.daemon",
    ".dagster_bridge.dev",
    ".dagster_bridge.web",
)
# The modules that a run imports late, besides those of the project.
IMPORTED_LATE = (
    "babel.dates",
    "dagster._core.definitions.repository_definition.repository_data_builder",
    "dagster._core.execution.execute_in_process",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.instance.runs.run_domain",
    "dagster._core.storage.migration.utils",
    "dagster._core.storage.noop_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.storage.schedules.sqlite.sqlite_schedule_storage",
    "dagster._core.system_config.composite_descent",
    "dagster._daemon.controller",
    "dbt.adapters.duckdb.environments.local",
    "dbt.adapters.duckdb.impl",
    "dbt.cli.main",
    "dbt.task.build",
    "dbt.task.test",
    "dbt_common.clients.agate_helper",
    "fsspec.implementations.local",
    "holidays.countries",
    "multiprocessing.dummy",
    "pandas",  # DuckDB imports it to bind a parameter
    "pyarrow.dataset",
    "rich.status",
    "sqlparse",
    "structlog.stdlib",
    "threadpoolctl",
    "upath.implementations.local",
)


@functools.cache
def warm() -> None:
    """Import, parse and read what every child needs, before the first fork: two seconds of each child's time."""
    import ops_project
    from ops_project.pipeline.dbt_engine import manifest as dbt_manifest

    own = [module.name for module in pkgutil.walk_packages(ops_project.__path__, "ops_project.")]
    for name in (*own, *IMPORTED_LATE):
        if not name.endswith(NEVER_IN_A_CHILD) and ".migrations." not in name:
            importlib.import_module(name)
    manifest = dbt_manifest.load()
    _ = manifest.json, manifest.to_run()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), as_of=NOW)
        load_catalog(settings)
        _begin_dbt(manifest, settings)


def _begin_dbt(manifest: DbtManifest, settings: Settings) -> None:
    """Run a command of dbt that selects nothing. The first one of a process takes half a second more than the next."""
    from ops_project.pipeline.dbt_engine import runner

    before = os.environ.copy()
    try:
        listing = runner.build(manifest, settings, select=["nothing"], as_of=NOW, command="list", with_tests=False)
        assert not list(listing) and listing.result.exception is None, listing.result
    finally:
        os.environ.clear()
        os.environ.update(before)
