"""A small whole run – three days, default scale – against the same selections by the dbt command line.

`ops run` lands, checks, builds, snapshots and publishes; the dbt command line only builds, from the same bronze, on a
project that is already parsed. The usual arrangement (dagster-dbt's subprocess, multiprocess executor) stands beside
it, on Dagster's stock storage. Every side is a command as a user would type it, and its time includes the start of
Python.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

from ops_project.catalog import load as load_catalog
from ops_project.pipeline import landing
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.warehouse.connection import writer
from ops_project.settings import DBT_PROJECT_DIR, PROJECT_ROOT, Settings

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
BOUND = 1.5
DAYS = 3
SELECTIONS = ("ecommerce.silver", "ecommerce.gold")
BIN = Path(sys.executable).parent


def measure(rounds: int, large: bool) -> dict[str, object]:
    """Seconds of each side, and the ratio. `large` changes nothing here."""
    del large
    dbt_manifest.load()
    with tempfile.TemporaryDirectory(prefix="bench-runs-") as folder:
        root = Path(folder)
        waiting = simulated(root / "waiting")
        landed = _landed(waiting, root / "landed")
        target = _warm_parse(landed, root / "target")
        ours, parts, cli, usual = [], [], [], []
        CPU.clear()
        for number in range(rounds):
            # Only the first run of a home makes its Dagster home, so that first run is reported separately.
            home = with_history(waiting, root / f"ours-{number}")
            seconds, told = ops_run(home)
            ours.append(seconds)
            parts.append(told)
            cli.append(_dbt_cli(_copy(landed, root / f"cli-{number}"), target))
            usual.append(_usual(_copy(landed, root / f"usual-{number}"), target))
    ratios = [one / other for one, other in zip(ours, cli, strict=True)]
    return {
        "rows_in": parts[0]["rows_in"],
        "tables": parts[0]["tables_built"],
        "checks": parts[0]["checks_passed"] + parts[0]["checks_warned"] + parts[0]["checks_failed"],
        "ops_run_s": round(median(ours), 2),
        "of_which_dagster_run_s": round(median(told["seconds"] for told in parts), 2),
        "dbt_cli_s": round(median(cli), 2),
        "usual_arrangement_s": round(median(usual), 2),
        "ratio": round(median(ratios), 2),
        "ratio_of_usual_arrangement": round(median(a / b for a, b in zip(usual, cli, strict=True)), 2),
        # Each round has four commands: ours, dbt twice, and the usual arrangement.
        "cpu_s": {
            "ops": round(median(CPU[0::4]), 2),
            "dbt": round(median(a + b for a, b in zip(CPU[1::4], CPU[2::4], strict=True)), 2),
            "usual": round(median(CPU[3::4]), 2),
        },
        "bound": BOUND,
        "within_bound": median(ratios) <= BOUND,
        "rounds": [
            {"ops": round(a, 2), "dbt": round(b, 2), "usual": round(c, 2)}
            for a, b, c in zip(ours, cli, usual, strict=True)
        ],
    }


# CPU seconds of each command, in order. They stay comparable on a machine that does other work too.
CPU: list[float] = []


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def simulated(home: Path) -> Path:
    from ops_project.simulator.plans import Asked
    from ops_project.simulator.simulation import simulate

    settings = Settings(home=home, as_of=NOW)
    asked = Asked(domains=("ecommerce",), days=DAYS, end=date(2026, 3, 3), seed=7)
    simulate(settings, load_catalog(settings), NOW, asked)
    return home


def _landed(waiting: Path, home: Path) -> Path:
    """A home with the same files in bronze, and without built tables."""
    settings = Settings(home=_copy(waiting, home), as_of=NOW)
    catalog = load_catalog(settings)
    with writer(settings, catalog.platform, owner="benchmark", now=NOW) as warehouse:
        landing.ensure_tables(warehouse.connection(), catalog.feeds.values())
        for feed in catalog.feeds_of("ecommerce"):
            landing.land(warehouse.connection(), feed, inbound=settings.inbound, archive=settings.archive, now=NOW)
    return home


def _copy(home: Path, target: Path) -> Path:
    shutil.copytree(home, target, symlinks=True)
    return target


def with_history(waiting: Path, home: Path) -> Path:
    """A home whose Dagster storage exists, as in every run but the very first."""
    from ops_project.dagster_bridge import home as dagster_home
    from ops_project.dagster_bridge.runs import open_instance

    settings = Settings(home=_copy(waiting, home), as_of=NOW)
    dagster_home.ensure(settings)
    with settings.exported(), open_instance(settings):
        pass
    return home


def _run(
    command: Sequence[str], home: Path, at: datetime = NOW, accepted: Sequence[int] = (0,), **more: str
) -> tuple[float, str]:
    environ = {**os.environ, **Settings(home=home, as_of=at).environ(), **more}
    began = time.perf_counter(), _cpu()
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environ, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began[0]
    CPU.append(_cpu() - began[1])
    if done.returncode not in accepted:
        raise RuntimeError(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
    return seconds, done.stdout


def ops_run(home: Path, at: datetime = NOW, *, may_find: bool = False) -> tuple[float, dict[str, Any]]:
    """A run of the shop at this time: its seconds, and what it says.

    `may_find`: a check may fail. A check of the volume sees a normal day as too small once in some hundred days.
    """
    command = [sys.executable, "-m", "ops_project.cli", "run", "--domain", "ecommerce", "--json"]
    seconds, said = _run(command, home, at, (0, 1) if may_find else (0,))
    told = json.loads(said)["runs"][0]
    if told["state"] == "failed":
        raise RuntimeError(f"the run of {home} ended as {told['state']}: {said[-3000:]}")
    return seconds, told


def _dbt(select: str, target: Path) -> list[str]:
    folders = [
        "--project-dir",
        str(DBT_PROJECT_DIR),
        "--profiles-dir",
        str(DBT_PROJECT_DIR),
        "--target-path",
        str(target),
    ]
    variables = ["--vars", json.dumps({"as_of": NOW.isoformat()})]
    return [
        str(BIN / "dbt"),
        "build",
        "--select",
        select,
        "--exclude-resource-types",
        "unit_test",
        # Every side has this. Without it, a silver build would run tests that read gold.
        "--indirect-selection",
        "buildable",
        *folders,
        *variables,
    ]


def _warm_parse(home: Path, target: Path) -> Path:
    """The target folder. dbt finds its partial parse there, and the usual arrangement finds its manifest there."""
    command = _dbt("ecommerce.silver", target)
    command[1:] = ["parse", *command[command.index("--project-dir") :]]
    _run(command, home)
    return target


def _dbt_cli(home: Path, target: Path) -> float:
    return sum(_run(_dbt(select, target), home)[0] for select in SELECTIONS)


def _usual(home: Path, target: Path) -> float:
    (home / "dagster").mkdir(exist_ok=True)
    (home / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    command = [str(BIN / "dagster"), "job", "execute", "-m", "tests.benchmarks.usual", "-j", "usual"]
    return _run(command, home, BENCH_TARGET=str(target))[0]
