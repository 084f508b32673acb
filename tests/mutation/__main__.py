"""`make mutants`: edit the models one place at a time, and see which edits their tests notice.

Writes docs/mutants.md. `--record` writes what the models answer to generated rows (see answers.py) and ends.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from ops_project.settings import PROJECT_ROOT
from tests.mutation import answers, cases, score
from tests.mutation.cases import Case
from tests.mutation.reasons import REASONS
from tests.mutation.score import Mutant

PAGE = PROJECT_ROOT / "docs" / "mutants.md"
LEAST = 0.95
SEED = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where at least 95 % of the mutants are killed and every survivor has its reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write tests/mutation/recorded/ anew and end")
    parser.add_argument("--model", action="append", default=[], help="only this model; may be given several times")
    parser.add_argument("--sample", type=int, help="only so many mutants, drawn with a fixed seed")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        settings = cases.empty_home(Path(folder) / "home")
        tested = cases.compiled(settings, *asked.model)
        generated = answers.recorded_cases(tested, settings.warehouse)
        if asked.record:
            record(answers.written(generated, settings.warehouse), whole=not asked.model)
            return 0
        found, by_hand, of = judged(tested, generated, settings.warehouse, asked.sample)
    if not asked.model:
        PAGE.write_text(page(found, by_hand, of), encoding="utf-8")
        click.echo(f"wrote {PAGE.relative_to(PROJECT_ROOT)}")
    counted = [mutant for mutant in found if mutant.verdict != "invalid"]
    survivors = [mutant for mutant in counted if mutant.verdict == "survived"]
    click.echo(f"{len(counted)} mutants, {len(counted) - len(survivors)} killed")
    for mutant in survivors:
        click.echo(f"  survived: {mutant} – {REASONS.of(mutant)}")
    return 0 if len(survivors) <= (1 - LEAST) * len(counted) else 1


def judged(
    tested: Sequence[Case], generated: Sequence[Case], warehouse: Path, sample: int | None
) -> tuple[list[Mutant], list[Mutant], int]:
    """The mutants with the verdict of all tests, the same ones with that of the unit tests alone, and how many there are."""
    found = score.mutants([*tested, *generated])
    of = len(found)
    if sample is not None and sample < of:
        found = random.Random(SEED).sample(found, sample)
    generated_cases = set(generated)
    by_hand = [replace(m, where=[w for w in m.where if w[0] not in generated_cases]) for m in found]
    score.judge(by_hand, warehouse)
    for mutant, alone in zip(found, by_hand, strict=True):
        if alone.verdict == "killed":
            mutant.verdict, mutant.killed_by = alone.verdict, alone.killed_by
    score.judge([mutant for mutant in found if mutant.verdict != "killed"], warehouse)
    return found, by_hand, of


def record(texts: dict[str, str], *, whole: bool) -> None:
    """Write one file for each model; `whole`: and remove those of models that are gone."""
    answers.FOLDER.mkdir(exist_ok=True)
    for model, text in texts.items():
        (answers.FOLDER / f"{model}.txt").write_text(text, encoding="utf-8")
    if whole:
        for file in answers.FOLDER.glob("*.txt"):
            if file.stem not in texts:
                file.unlink()


def page(found: Sequence[Mutant], by_hand: Sequence[Mutant], of: int) -> str:
    """docs/mutants.md."""
    counted = [mutant for mutant in found if mutant.verdict != "invalid"]
    survivors = [mutant for mutant in counted if mutant.verdict == "survived"]
    alone = [hand for mutant, hand in zip(found, by_hand, strict=True) if mutant.verdict != "invalid"]
    killed_alone = sum(mutant.verdict == "killed" for mutant in alone)
    lines = [
        "# Mutants of the models",
        "",
        "<!-- Written by `make mutants`. Do not edit. -->",
        "",
        "Each mutant is one edit of one model, generated from the SQL that dbt compiles, macros included: a join key left",
        "out, another kind of join, a filter dropped, an interval end moved, a window without its partition or turned, a",
        "sign, another aggregate, NULL handled differently, a distinct left out. A mutant is killed where a test notices it.",
        "",
        *(
            []
            if len(found) == of
            else [f"This page is of a sample: {len(found)} of {of} mutants, drawn with a fixed seed (`--sample`).", ""]
        ),
        f"**{len(counted) - len(survivors)} of {len(counted)} mutants are killed: "
        f"{_percent(len(counted) - len(survivors), len(counted))}.**",
        "",
        "Two kinds of tests kill them, and they do not say the same:",
        "",
        f"- The unit tests beside the models, whose answers were worked out by hand, kill {killed_alone} of {len(alone)}",
        f"  ({_percent(killed_alone, len(alone))}) alone.",
        "- The others are killed by recorded answers (`tests/mutation/recorded/`): what the models answer to generated rows.",
        "  A record notices that an answer changes; it does not prove that the answer was right. That is what the unit tests",
        "  and the recomputation from raw files are for.",
        "",
        f"Not counted: {len(found) - len(counted)} edits that no longer run.",
        "",
        "| kind of edit | mutants | killed | by unit tests alone |",
        "| --- | ---: | ---: | ---: |",
    ]
    kinds = sorted({mutant.kind for mutant in counted})
    total, dead = Counter(m.kind for m in counted), Counter(m.kind for m in counted if m.verdict == "killed")
    hand = Counter(m.kind for m in alone if m.verdict == "killed")
    lines += [f"| {kind} | {total[kind]} | {dead[kind]} | {hand[kind]} |" for kind in kinds]
    lines += [
        "",
        "## By model",
        "",
        "| model | mutants | killed | by unit tests alone |",
        "| --- | ---: | ---: | ---: |",
    ]
    total, dead = Counter(m.model for m in counted), Counter(m.model for m in counted if m.verdict == "killed")
    hand = Counter(m.model for m in alone if m.verdict == "killed")
    lines += [f"| {model} | {total[model]} | {dead[model]} | {hand[model]} |" for model in sorted(total)]
    lines += ["", "## Survivors", ""]
    for reason, of_it in REASONS.grouped(survivors).items():
        lines += [f"### {reason}", "", *(f"- {_escaped(str(mutant))}" for mutant in of_it), ""]
    lines += [
        "## After a change of a model",
        "",
        "`tests/mutation/test_recorded.py` fails where a model answers otherwise than recorded. Where that is meant, call",
        "`python -m tests.mutation --record`, read the difference as part of the change, and commit it.",
        "",
    ]
    return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
