"""`make mutants`: edit the models one place at a time, and see which edits the tests notice; writes docs/mutants.md."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.settings import PROJECT_ROOT
from tests.mutation import cases, score, worlds
from tests.mutation.reasons import REASONS
from tests.mutation.score import Mutant
from tests.numbers.played import HISTORIES

PAGE = PROJECT_ROOT / "docs" / "mutants.md"
LEAST = 0.95
SEED = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where at least 95 % of the mutants are killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--model", action="append", default=[], help="only this model, and no page; may be repeated")
    parser.add_argument("--sample", type=int, help="only so many mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the sample (default {SEED})")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        settings = cases.empty_home(Path(folder) / "home", *asked.model)
        domains = [worlds.domain(name, Path(folder) / name) for name in domains_of(asked.model)]
        built = [model for domain in domains for model in domain.build.models.values() if model.is_written]
        tested = cases.compiled(settings, *asked.model)
        everything = score.mutants(tested, [model for model in built if model.name in asked.model or not asked.model])
        found = drawn(everything, asked.sample, asked.seed)
        click.echo(f"{len(found)} mutants of {len(everything)}")
        score.judge(found, settings.warehouse, domains)
    if not asked.model:
        PAGE.write_text(page(found, len(everything)), encoding="utf-8")
        click.echo(f"wrote {PAGE.relative_to(PROJECT_ROOT)}")
    counted, survivors = split(found)
    click.echo(f"{len(counted)} mutants, {len(counted) - len(survivors)} killed")
    if asked.model:
        for mutant in survivors:
            click.echo(f"  survived: {mutant} – {REASONS.of(mutant)}")
    return 0 if len(survivors) <= (1 - LEAST) * len(counted) else 1


def domains_of(models: Sequence[str]) -> list[str]:
    """The domains of the named models; all where none is named."""
    nodes = dbt_manifest.load().json["nodes"].values()
    tags = {tag for node in nodes if node["name"] in models for tag in node["tags"]}
    return [domain for domain in HISTORIES if domain in tags or not models]


def drawn(everything: list[Mutant], sample: int | None, seed: int) -> list[Mutant]:
    """A sample, or all."""
    if sample is None or sample >= len(everything):
        return everything
    return random.Random(seed).sample(everything, sample)


def split(found: Sequence[Mutant]) -> tuple[list[Mutant], list[Mutant]]:
    """Those that run, and those of them that survive."""
    counted = [mutant for mutant in found if mutant.verdict != "invalid"]
    return counted, [mutant for mutant in counted if mutant.verdict == "survived"]


def page(found: Sequence[Mutant], of: int) -> str:
    """docs/mutants.md."""
    counted, survivors = split(found)
    killed = len(counted) - len(survivors)
    share = killed / len(counted) if counted else 0.0
    lines = [
        "# Mutants of the models",
        "",
        "<!-- Written by `make mutants`. Do not edit. -->",
        "",
        "Each mutant is one edit of one model, generated from the SQL that dbt compiles, macros included: a join key left",
        "out, another kind of join, a filter dropped, an interval end moved, a window without its partition or turned, a",
        "sign, another aggregate, NULL handled differently, a distinct left out. A mutant is killed where a unit test of",
        "the model gives another result, or where gold then says otherwise than the archived files: the models of its",
        "domain run over random histories, and every figure is computed a second time (tests/numbers/oracle). Edits that no longer run are not counted "
        f"({len(found) - len(counted)} of them).",
        "",
        f"**{killed} of {len(counted)} mutants are killed: {100 * share:.1f} %.** The aim is {LEAST:.0%}"
        + (", and it is reached." if share >= LEAST else ", and it is not reached: the survivors below need tests."),
        "",
    ]
    if len(found) < of:
        lines += [f"This is a sample: {len(found)} of {of} mutants, drawn with a fixed seed (`--sample`).", ""]
    lines += [*_table("kind of edit", counted, lambda mutant: mutant.kind), "", "## By model", ""]
    lines += [*_table("model", counted, lambda mutant: mutant.model), "", "## Survivors", ""]
    for reason, of_it in REASONS.grouped(survivors).items():
        lines += [f"### {reason}", "", *(f"- {_escaped(str(mutant))}" for mutant in of_it), ""]
    return "\n".join(lines)


def _table(title: str, counted: Sequence[Mutant], by: Callable[[Mutant], str]) -> list[str]:
    total, dead = Counter(map(by, counted)), Counter(by(mutant) for mutant in counted if mutant.verdict == "killed")
    return [
        f"| {title} | mutants | killed |",
        "| --- | ---: | ---: |",
        *(f"| {name} | {total[name]} | {dead[name]} |" for name in sorted(total)),
    ]


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|").replace("*", "\\*")


if __name__ == "__main__":
    sys.exit(main())
