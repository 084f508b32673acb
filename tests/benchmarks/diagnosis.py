"""How often `ops diagnose` names the true root first, beside the rule `nearest failing table upstream`; and how long it
and `ops lineage` take.

For each fault of `ops simulate --list-faults` that must be found: a healthy home, one more day with the fault, one run.
Asked is about the table furthest downstream that is wrong, as a person would who was paged for it. Small: a handful of
faults on one seed; large: every fault on three seeds.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ops_project.catalog import load as load_catalog
from ops_project.cli.diagnose import of
from ops_project.lineage import Lineage
from ops_project.operations.diagnosis.columns import find, trace
from ops_project.operations.diagnosis.diagnose import troubles
from ops_project.operations.ledger import open_ledger
from ops_project.operations.ledger.lineage_document import recall
from ops_project.settings import Settings
from ops_project.simulator.faults.registry import listing
from tests.scenarios import homes

SMALL = ("missing_column", "policies_lost", "policies_duplicated", "fan_out", "error_rate", "mandatory_empty")
SEEDS = (7, 11, 23)
FIRST, DIAGNOSE_SECONDS, LINEAGE_SECONDS = 0.9, 3.0, 0.5
DAYS = 9
RESTATED_DAYS = 31


@dataclass(frozen=True)
class Judged:
    """One fault: what was asked about, where the true root stood, and what the simple rule said."""

    fault: str
    seed: int
    asked: str
    root: str
    place: int
    """1: first; 0: not named."""
    first: str
    nearest: str
    seconds: float


def measure(rounds: int, large: bool) -> dict[str, Any]:
    """Shares of faults whose root is first, among the first three, and found by the simple rule; and the times."""
    with tempfile.TemporaryDirectory(prefix="diagnosis-") as folder:
        found = judge(Path(folder), SEEDS if large else SEEDS[:1], None if large else SMALL)
        lineage = _lineage_seconds(next(Path(folder).glob("base-*")))
    return {**summary(found), "lineage_seconds": round(lineage, 3), "lineage_holds": lineage <= LINEAGE_SECONDS}


def summary(found: list[Judged]) -> dict[str, Any]:
    total = max(1, len(found))
    first = sum(item.place == 1 for item in found) / total
    slowest = max((item.seconds for item in found), default=0.0)
    return {
        "faults": len(found),
        "first": round(first, 3),
        "among_three": round(sum(1 <= item.place <= 3 for item in found) / total, 3),
        "nearest_failing_first": round(sum(item.nearest == item.root for item in found) / total, 3),
        "bound": f">= {FIRST}",
        "holds": first >= FIRST,
        "missed": [vars(item) for item in found if item.place != 1],
        "diagnose_seconds": round(slowest, 3),
        "diagnose_holds": slowest <= DIAGNOSE_SECONDS,
    }


def judge(folder: Path, seeds: tuple[int, ...], only: tuple[str, ...] | None) -> list[Judged]:
    """Each fault once for each seed."""
    catalog = load_catalog(Settings(home=folder))
    wanted = [row for row in listing(catalog) if row["finding"] and row["domain"] and (not only or row["id"] in only)]
    found = []
    homes.warm()
    for seed in seeds:
        for row in wanted:
            days = RESTATED_DAYS if row["id"] == "restatement" else DAYS
            base = _base(folder, row["domain"], days, seed)
            home = folder / f"{row['id']}-{seed}"
            try:
                judged = _one(homes.copy(base, home), row, seed)
            except AssertionError as error:
                sys.stderr.write(f"{row['id']}: {error}\n")
                continue
            finally:
                shutil.rmtree(home, ignore_errors=True)
            sys.stderr.write(f"{judged}\n")
            found.append(judged)
    return found


def _base(folder: Path, domain: str, days: int, seed: int) -> Settings:
    """A domain's home after a good first run."""
    settings = Settings(home=folder / f"base-{domain}-{days}-{seed}", as_of=homes.NOW)
    if not settings.home.exists():
        words = (
            "--domain",
            domain,
            "--days",
            str(days),
            "--end",
            str(homes.LAST),
            "--scale",
            "0.1",
            "--seed",
            str(seed),
        )
        for command in (("simulate", *words), ("run", "--domain", domain)):
            ended = homes.ops(settings, *command).wait()
            assert ended.code == 0, ended.errors[-500:]
    return settings


def _one(settings: Settings, row: dict[str, Any], seed: int) -> Judged:
    later = Settings(home=settings.home, as_of=homes.NOW + timedelta(days=1))
    day = ("--days", "1", "--end", str(homes.LAST + timedelta(days=1)))
    domain = ("--domain", row["domain"])
    plain = row["apply"] == "file"
    if not plain:
        # Damage is done to what a run has built; the next run finds it.
        for command in (("simulate", *domain, *day), ("run", *domain)):
            homes.ops(later, *command).wait()
        later = Settings(home=settings.home, as_of=homes.NOW + timedelta(days=2))
        day = ("--days", "1", "--end", str(homes.LAST + timedelta(days=2)))
    ended = homes.ops(later, "simulate", *domain, *day, "--fault", row["id"]).wait()
    assert ended.code == 0, ended.errors[-300:]
    homes.ops(later, "run", *domain).wait()
    ledger = open_ledger(later)
    lineage, root = recall(ledger), row["asset"]
    wrong = {trouble.asset for trouble in troubles(ledger)}
    asked = downstream(lineage, root, wrong)
    began = time.perf_counter()
    answer = of(later, asked.replace("/", "."))
    seconds = time.perf_counter() - began
    ledger.close()
    named = [answer.culprit.asset] if answer.culprit else []
    named += [other.asset for other in answer.runners_up]
    place = named.index(root) + 1 if root in named else 0
    return Judged(row["id"], seed, asked, root, place, named[0] if named else "", answer.nearest_failing, seconds)


def downstream(lineage: Lineage, root: str, wrong: set[str]) -> str:
    """Of what lies below the root the table furthest down that is wrong; the last of all where none is."""
    below = lineage.descendants(root) | {root}
    candidates = sorted(below & wrong - {root}) or sorted(asset for asset in below if asset.startswith("gold/"))
    return max(candidates or [root], key=lambda asset: (len(lineage.ancestors(asset)), asset))


def _lineage_seconds(home: Path) -> float:
    ledger = open_ledger(Settings(home=home, as_of=datetime.now(UTC)))
    began = time.perf_counter()
    known = ledger.columns()
    assert known is not None
    trace(known, find(known, "gold.customer_360.email"), "up", rows=True)
    return time.perf_counter() - began
