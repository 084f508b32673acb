"""`make mutants`: edit the models one place at a time, and see which edits the tests notice. Writes docs/mutants.md.

The domains are judged one after the other. The results are kept in target/mutants, so several processes may also share
the domains (`--domain`). The page is written when all domains have been judged with the same seed and share.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.settings import DBT_PROJECT_DIR, PROJECT_ROOT
from tests.mutation import cases, score, worlds
from tests.mutation.page import LEAST, Judged, Run, page
from tests.mutation.score import Mutant
from tests.numbers.played import HISTORIES

PAGE = PROJECT_ROOT / "docs" / "mutants.md"
PARTS = DBT_PROJECT_DIR / "target" / "mutants"
SEED = 12
UNKNOWN_VERSION = "one that nobody noted"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the domains and write the page. Returns 0 if at least 95 % of the mutants that could be noticed are killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--model", action="append", default=[], help="only this model, and no page; may be repeated")
    parser.add_argument("--domain", action="append", default=[], choices=list(HISTORIES), help="may be repeated")
    parser.add_argument("--share", type=float, default=1.0, help="judge this share of the mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the draw (default {SEED})")
    parser.add_argument(
        "--besides",
        default="",
        metavar="SHARE:SEED,…",
        help="none of these draws: they have been looked at",
    )
    parser.add_argument("--page", action="store_true", help="judge nothing: write the page of what has been judged")
    asked = parser.parse_args(arguments)
    if asked.model:
        found = [mutant for name in domains_of(asked.model) for mutant in judged(name, Run(1.0, SEED), asked.model)]
        for mutant in found:
            if mutant.verdict == "survived":
                click.echo(f"  survived: {mutant} – {mutant.reason}")
        return result(found)
    run = Run(asked.share, asked.seed, asked.besides)
    PARTS.mkdir(parents=True, exist_ok=True)
    for name in () if asked.page else asked.domain or HISTORIES:
        models = version()
        kept = {"run": asdict(run), "models": models, "mutants": [asdict(mutant) for mutant in judged(name, run)]}
        (PARTS / f"{name}.json").write_text(json.dumps(kept), encoding="utf-8")
    parts = {name: part(name, run) for name in HISTORIES}
    missing = [name for name, found in parts.items() if found is None]
    if missing and not asked.page:
        click.echo(f"docs/mutants.md is not written: {', '.join(missing)} still to be judged with this seed and share")
        return 0
    everything = [mutant for found in parts.values() for mutant in found or ()]
    versions = {models_of(name) for name, found in parts.items() if found is not None}
    PAGE.write_text(page(everything, run, missing, sorted(versions)), encoding="utf-8")
    click.echo(f"wrote {PAGE.relative_to(PROJECT_ROOT)}")
    return result(everything)


def result(found: Sequence[Judged]) -> int:
    killed = sum(mutant.verdict == "killed" for mutant in found)
    gaps = sum(mutant.is_gap for mutant in found)
    click.echo(
        f"{sum(mutant.verdict != 'invalid' for mutant in found)} mutants, {killed} killed, {gaps} without a reason"
    )
    return 0 if killed >= LEAST * (killed + gaps) else 1


def version() -> str:
    """The commit whose models are judged, and whether they have been changed since."""

    def git(*arguments: str) -> str:
        told = subprocess.run(["git", *arguments], cwd=DBT_PROJECT_DIR, capture_output=True, text=True, check=True)
        return told.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", ".")
        return git("rev-parse", "--short=7", "HEAD") + (" with changes that were not committed" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN_VERSION  # a copy of the project without its history


def models_of(name: str) -> str:
    """The version of the models that the stored results of a domain are about."""
    return str(_kept(name).get("models", UNKNOWN_VERSION))


def _kept(name: str) -> dict[str, Any]:
    path = PARTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def part(name: str, run: Run) -> list[Judged] | None:
    """The stored results of a domain; None if it was not judged with this seed and share."""
    kept = _kept(name)
    if kept.get("run") != asdict(run):
        return None
    return [Judged(**mutant) for mutant in kept["mutants"]]


def judged(name: str, run: Run, models: Sequence[str] = ()) -> list[Judged]:
    """The mutants of a domain, or of some of its models, that were selected."""
    with tempfile.TemporaryDirectory() as folder:
        settings = cases.empty_home(Path(folder) / "home", *(models or [f"tag:{name}"]))
        tested = cases.compiled(settings, *(models or [f"tag:{name}"]))
        domain = worlds.domain(name, Path(folder) / name)
        built = domain.build.models.values()
        everything = score.mutants(tested, [model for model in built if model.name in models or not models])
        found = [mutant for mutant in everything if is_drawn(mutant, run)]
        click.echo(f"{name}: {len(found)} mutants of {len(everything)}")
        score.judge(found, settings.warehouse, domain, everything)
    return [
        Judged(mutant.model, mutant.kind, mutant.place, mutant.text, mutant.number, mutant.verdict, mutant.killed_by)
        for mutant in found
    ]


def domains_of(models: Sequence[str]) -> list[str]:
    """The domains of the named models."""
    nodes = dbt_manifest.load().json["nodes"].values()
    tags = {tag for node in nodes if node["name"] in models for tag in node["tags"]}
    return [domain for domain in HISTORIES if domain in tags]


def is_drawn(mutant: Mutant, run: Run) -> bool:
    """Each mutant is selected independently, so that the selection does not depend on the other mutants."""
    for draw in run.besides.split(",") if run.besides else ():
        share, _, seed = draw.partition(":")
        if is_drawn(mutant, Run(float(share), int(seed))):
            return False
    digest = hashlib.sha256(repr((run.seed, mutant.model, mutant.key)).encode()).digest()
    return int.from_bytes(digest[:8], "big") < run.share * 2**64


if __name__ == "__main__":
    sys.exit(main())
