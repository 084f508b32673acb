"""docs/mutants.md: the outcome of the mutants, and why some of them survive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.mutation.generated import DRIFT, SAME_MACRO
from tests.mutation.reasons import REASONS, UNEXPLAINED

LEAST = 0.95


@dataclass(frozen=True)
class Run:
    """Which mutants were judged: a share of them, drawn with a seed. `besides`: SHARE:SEED of the
    draws that are left out, separated by commas."""

    share: float
    seed: int
    besides: str = ""


@dataclass(frozen=True)
class Judged:
    """A mutant and its verdict."""

    model: str
    kind: str
    place: str
    text: str
    number: int
    verdict: str
    killed_by: str

    @property
    def reason(self) -> str:
        """Why the mutant may survive; empty if no reason is known."""
        return REASONS.of(self.model, self.place, self.text + self._again)

    @property
    def is_gap(self) -> bool:
        """Whether the mutant survives for no known reason."""
        return self.verdict == "survived" and self.reason == UNEXPLAINED

    @property
    def _again(self) -> str:
        """Which of several equal edits in the same place."""
        return f" (place {self.number + 1})" if self.number else ""

    def __str__(self) -> str:
        return f"{self.model}, {self.place}: {shortened(self.text)}{self._again}"


def shortened(text: str) -> str:
    """The beginning and the end of a long text. The end of the text of an edit says what changes."""
    return text if len(text) <= 220 else f"{text[:140]} … {text[-77:]}"


def page(found: Sequence[Judged], run: Run, missing: Sequence[str] = (), models: Sequence[str] = ()) -> str:
    """The whole page. `missing`: the domains that have not been judged. `models`: the versions of the models that were
    judged.
    """
    counted = [mutant for mutant in found if mutant.verdict != "invalid"]
    survivors = [mutant for mutant in counted if mutant.verdict == "survived"]
    gaps = sum(mutant.is_gap for mutant in survivors)
    killed = len(counted) - len(survivors)
    by_history = sum(mutant.verdict == "killed" and " history " in mutant.killed_by for mutant in counted)
    by_drift = sum(mutant.killed_by == DRIFT for mutant in counted)
    by_macro = sum(mutant.killed_by.endswith(SAME_MACRO) for mutant in counted)
    share = killed / (killed + gaps) if killed + gaps else 0.0
    lines = [
        "# Mutants of the models",
        "",
        "<!-- Written by `make mutants`. Do not edit. -->",
        "",
        "Each mutant is one edit of one model. The edits are generated from the SQL that dbt compiles, macros included: a join",
        "key is left out, a join gets another kind, a filter or a condition is dropped, the end of an interval is moved, a",
        "window loses its partition or its order is turned, a sign or an aggregate is changed, NULL is handled differently, or",
        "a distinct is left out.",
        "",
        "A mutant is killed in one of two ways. Either a unit test of the model gives another result or ends with an error. Or",
        "the models of its domain run over random histories, and a data test fails that stops the domain, or a table differs",
        "from what the archived files say. For this comparison every figure is computed a second time from the archived files",
        f"(tests/numbers/oracle). Edits that do not give a query are not counted ({len(found) - len(counted)} of them).",
        "",
        "The staging, raw vault and interface models of marketing are generated from metadata. An edit of such a file is killed",
        "by the test that compares the files with the output of the generator. An edit of a macro that several of these models",
        "use is killed if the tests of any of them notice it.",
        "",
        *(_judged_models(models) if models else ()),
        f"| {'all mutants' if run.share >= 1 else 'mutants drawn'} | {len(counted)} |",
        "| --- | ---: |",
        f"| killed | {killed} ({100 * killed / max(1, len(counted)):.1f} %) |",
        f"| … by a unit test | {killed - by_history - by_drift - by_macro} |",
        f"| … by a random history | {by_history} |",
        f"| … by a unit test of another model, made with the same macro | {by_macro} |",
        f"| … by the comparison of a generated file | {by_drift} |",
        f"| alive, because the edit changes no table | {len(survivors) - gaps} |",
        f"| alive, and a test is missing | {gaps} |",
        "",
        f"**Of the mutants that change a table, {100 * share:.1f} % are killed** ({killed} of {killed + gaps}). The aim is "
        + f"{LEAST:.0%}"
        + (", and it is reached." if share >= LEAST else ", and it is not reached: the survivors below need tests."),
        "The list of survivors gives for each class the reason why its edits change no table; "
        "tests/mutation/reasons.py defines the classes.",
        "",
    ]
    if run.share < 1:
        lines += [
            f"This is a sample: each mutant was drawn with a chance of {run.share:.0%} (`--share {run.share} --seed {run.seed}`).",
            *_unseen(run),
            "",
        ]
    if missing:
        lines += [f"**Not judged as yet: {', '.join(missing)}.**", ""]
    lines += [*_table("kind of edit", counted, lambda mutant: mutant.kind), "", "## By model", ""]
    lines += [*_table("model", counted, lambda mutant: mutant.model), "", "## Survivors", ""]
    for reason in sorted({mutant.reason for mutant in survivors}, key=lambda text: (text == UNEXPLAINED, text)):
        listed = [f"- {_escaped(str(mutant))}" for mutant in survivors if mutant.reason == reason]
        lines += [f"### {reason}", "", *listed, ""]
    return "\n".join(lines)


def _judged_models(models: Sequence[str]) -> list[str]:
    """Which models the page is about: it is not written again whenever one of them changes."""
    shown = " and ".join(models)
    return [f"The models are those of commit {shown}. Later changes of a model are not judged here.", ""]


def _unseen(run: Run) -> list[str]:
    if not run.besides:
        return []
    return [
        f"None of the earlier samples is in it (`--besides {run.besides}`). The tests and the classes were written while only",
        "mutants outside of this sample were looked at.",
    ]


def _table(title: str, counted: Sequence[Judged], by: Callable[[Judged], str]) -> list[str]:
    total, dead = Counter(map(by, counted)), Counter(by(mutant) for mutant in counted if mutant.verdict == "killed")
    gaps = Counter(by(mutant) for mutant in counted if mutant.is_gap)
    return [
        f"| {title} | mutants | killed | changes nothing | test missing |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {name} | {total[name]} | {dead[name]} | {total[name] - dead[name] - gaps[name]} | {gaps[name]} |"
            for name in sorted(total)
        ),
    ]


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|").replace("*", "\\*")
