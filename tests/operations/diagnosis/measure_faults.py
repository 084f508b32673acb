"""How often `ops diagnose` names the true root first, beside the rule `nearest failing table upstream`. Every fault of
`ops simulate --list-faults` that must be found is measured on several seeds, in three situations: alone; while another
feed has had an open problem since the day before; while another feed is noisy on the same day, without doing any harm.
For each case a healthy home is copied, one more day arrives with the fault, and the domain is run once. The question is
about the wrong table furthest downstream of the root, for which a person would be paged. python -m
tests.operations.diagnosis.measure_faults --work /tmp/measured --minutes 8 continues where it stopped, and `--page`
writes docs/diagnosis-measured.md and the figures that the tests look at. A fault takes about ten seconds of CPU.
`--again` judges the questions of earlier runs again, without running anything.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pickle
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from ops_project.catalog import load as load_catalog
from ops_project.cli.diagnose import asked as asked_about
from ops_project.lineage import Lineage
from ops_project.operations.diagnosis.decide.causes import diagnose
from ops_project.operations.diagnosis.decide.suspects import Known, Question
from ops_project.operations.diagnosis.diagnose import troubles
from ops_project.operations.ledger import open_ledger
from ops_project.operations.ledger.lineage_document import recall
from ops_project.settings import Settings
from ops_project.simulator.faults.registry import listing
from tests.operations.diagnosis import measured_page
from tests.operations.diagnosis.measured import ALONE, NOISY, OLDER, SITUATIONS, Judged, summary
from tests.scenarios import homes

SEEDS = (7, 11, 23)
SCALE = {"ecommerce": "0.05", "marketing": "0.1", "insurance": "0.1", "investor": "0.1", "streaming": "0.2"}
DAYS = 9
# With fewer days or records these faults show nothing: a whole month is reported; a loss of a third of the orders
# exceeds the usual variation only after a month; and a model is trained on two months of some hundred customers.
LARGER = {
    "restatement": (31, "0.1"),
    **dict.fromkeys(("volume_doubled", "volume_constant"), (DAYS, "0.5")),
    "volume_drop": (30, "0.5"),
    **dict.fromkeys(
        ("model_file_missing", "model_library_changed", "model_input_shuffled", "model_training_truncated"), (63, "0.3")
    ),
}
# The fault of another feed. The first one that is not at the root of the measured fault is used, because otherwise the
# trouble would have two causes.
OLDER_FAULTS = {
    "ecommerce": ("mandatory_empty:customers", "missing:web_events"),
    "marketing": ("mandatory_empty:mart_offers", "missing:mart_responses"),
    "insurance": ("late:policies",),
    "investor": ("missing:product_events", "missing:marketing_spend"),
    "streaming": ("missing:users", "missing:songs"),
}
# The file is loaded by the names of its columns, so no row is missing or wrong; only the finding is there.
NOISY_FAULTS = {
    "ecommerce": ("reordered_columns:products", "reordered_columns:web_events"),
    "marketing": ("reordered_columns:mart_offers", "reordered_columns:mart_cells"),
    "insurance": ("reordered_columns:policies",),
    "investor": ("reordered_columns:product_events", "reordered_columns:marketing_spend"),
    "streaming": ("reordered_columns:users", "reordered_columns:songs"),
}


@dataclass(frozen=True)
class Case:
    """One fault on one seed in one situation."""

    fault: str
    domain: str
    root: str
    seed: int
    situation: str
    beside: str
    """The other fault; empty if there is none."""

    @property
    def size(self) -> tuple[int, str]:
        """The number of days and the scale with which the healthy home is simulated."""
        return LARGER.get(self.fault, (DAYS, SCALE[self.domain]))

    @property
    def name(self) -> str:
        return f"{self.fault}-{self.seed}-{self.situation.split()[0]}"


def cases(folder: Path) -> list[Case]:
    """Every case. A case in which only the root itself can be wrong is left out."""
    found = []
    for row in listing(load_catalog(Settings(home=folder))):
        if not row["finding"] or not row["domain"]:
            continue
        for situation in SITUATIONS:
            others = {OLDER: OLDER_FAULTS, NOISY: NOISY_FAULTS}.get(situation, {}).get(row["domain"], ())
            fit = [other for other in others if f"bronze/{other.partition(':')[2]}" != row["asset"]]
            if situation == ALONE or fit:
                beside = fit[0] if situation != ALONE else ""
                found += [Case(row["id"], row["domain"], row["asset"], seed, situation, beside) for seed in SEEDS]
    return sorted(found, key=lambda case: (case.situation != ALONE, case.seed, case.situation, case.domain, case.fault))


def planned(there_are: Iterable[Case]) -> measured_page.Planned:
    """How many cases each situation has on each seed."""
    return Counter((case.situation, case.seed) for case in there_are)


def measure(work: Path, wanted: list[Case], until: float = float("inf")) -> None:
    """Run each case that `work` does not hold yet, and keep the question that a person would ask there.

    Several processes may share the work.
    """
    homes.warm()
    homes.HUNG_SECONDS = 1_200.0  # Months of days take long on a busy machine.
    for case in wanted:
        kept = work / f"{case.name}.question"
        if kept.exists() or time.monotonic() > until:
            continue
        with _alone(work / f"{case.name}.lock", wait=False) as ours:
            if ours and not kept.exists():
                _keep(work, case, kept)


def _keep(work: Path, case: Case, kept: Path) -> None:
    home = work / f"home-{os.getpid()}"
    shutil.rmtree(home, ignore_errors=True)
    try:
        asked = _asked(homes.copy(_base(work, case), home), case)
    except AssertionError as error:
        sys.stderr.write(f"{case.name}: {str(error)[-600:]}\n")
        return
    finally:
        shutil.rmtree(home, ignore_errors=True)
    partial = kept.with_suffix(".new")
    partial.write_bytes(pickle.dumps(asked))
    partial.rename(kept)
    sys.stderr.write(f"{judged(case, *asked)}\n")


@contextmanager
def _alone(file: Path, *, wait: bool) -> Iterator[bool]:
    """Whether this process alone holds the file. If it is killed, the next process gets the file."""
    with file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield True
        except BlockingIOError:
            yield False


def judge(work: Path, wanted: list[Case]) -> Iterator[Judged]:
    """The answers to each stored question."""
    for case in wanted:
        kept = work / f"{case.name}.question"
        if kept.exists():
            yield judged(case, *pickle.loads(kept.read_bytes()))


def judged(case: Case, question: Question, known: Known, seconds: float) -> Judged:
    """The position of the true root. `seconds`: the CPU time for gathering all facts."""
    began = time.process_time()
    answer = diagnose(question, known)
    seconds += time.process_time() - began
    named = [answer.culprit.asset] if answer.culprit else []
    named += [other.asset for other in answer.runners_up]
    place = named.index(case.root) + 1 if case.root in named else 0
    return Judged(
        case.fault,
        case.seed,
        case.situation,
        case.beside,
        question.asset,
        case.root,
        place,
        named[0] if named else "",
        answer.nearest_failing,
        round(seconds, 3),
    )


def _base(work: Path, case: Case) -> Settings:
    """A domain's home after a good first run, with the older problem if the case has one."""
    older = case.beside if case.situation == OLDER else ""
    days, scale = case.size
    name = f"base-{case.domain}-{days}-{scale}-{case.seed}{'-' + older.replace(':', '-') if older else ''}"
    settings = Settings(home=work / name, as_of=homes.NOW)
    with _alone(work / f"{name}.lock", wait=True):
        if settings.home.exists():
            return settings
        partial = Settings(home=work / f"making-{os.getpid()}", as_of=homes.NOW)
        shutil.rmtree(partial.home, ignore_errors=True)
        if older:
            healthy = Case(case.fault, case.domain, case.root, case.seed, ALONE, "")
            homes.copy(_base(work, healthy), partial.home)
            _day(partial, case.domain, 1, older)
        else:
            words = ("--days", str(days), "--end", str(homes.LAST), "--scale", scale)
            _ops(partial, "simulate", "--domain", case.domain, *words, "--seed", str(case.seed))
            _ops(partial, "run", "--domain", case.domain)
        partial.home.rename(settings.home)
    return settings


def _asked(settings: Settings, case: Case) -> tuple[Question, Known, float]:
    number = 2 if case.situation == OLDER else 1
    beside = (case.beside,) if case.situation == NOISY else ()
    later = _day(settings, case.domain, number, case.fault, *beside)
    ledger = open_ledger(later)
    # A person is paged only for what went wrong after the fault came.
    wrong = {trouble.asset for trouble in troubles(ledger) if trouble.began_at > later.now() - timedelta(days=1)}
    asked = downstream(recall(ledger), case.root, wrong)
    ledger.close()
    began = time.process_time()
    question, known = asked_about(later, asked.replace("/", "."))
    return question, known, time.process_time() - began


def _day(settings: Settings, domain: str, number: int, *faults: str) -> Settings:
    """One more day with its faults arrives, and is run."""
    later = Settings(home=settings.home, as_of=homes.NOW + timedelta(days=number))
    words = [word for fault in faults for word in ("--fault", fault)]
    day = str(homes.LAST + timedelta(days=number))
    _ops(later, "simulate", "--domain", domain, "--days", "1", "--end", day, *words)
    _ops(later, "run", "--domain", domain, may_fail=True)
    return later


def _ops(settings: Settings, *words: str, may_fail: bool = False) -> None:
    ended = homes.ops(settings, *words).wait()
    assert ended.code == 0 or (may_fail and ended.code == 1), f"ops {' '.join(words)}: {ended.output}{ended.errors}"


def downstream(lineage: Lineage, root: str, wrong: set[str]) -> str:
    """Among the tables downstream of the root, the wrong one furthest down. If none is wrong, the table of gold
    furthest down.
    """
    below = lineage.descendants(root) | {root}
    candidates = sorted(below & wrong - {root}) or sorted(asset for asset in below if asset.startswith("gold/"))
    return max(candidates or [root], key=lambda asset: (len(lineage.ancestors(asset)), asset))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder of homes and questions; may be there already")
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no case after so many minutes")
    parser.add_argument("--only", nargs="*", default=[], help="these faults, domains, seeds or situations")
    parser.add_argument("--again", action="store_true", help="run nothing: judge the questions that are there")
    parser.add_argument("--page", action="store_true", help="write the page and the figures")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    wanted = [
        case
        for case in cases(options.work)
        if not options.only or {case.fault, case.domain, str(case.seed), case.situation} & set(options.only)
    ]
    if not options.again:
        measure(options.work, wanted, time.monotonic() + 60 * options.minutes)
    found = list(judge(options.work, wanted))
    if options.page:
        there_are = cases(options.work)
        measured_page.write(found, {case.fault for case in there_are}, planned(there_are))
    for item in found:
        if item.place != 1:
            sys.stdout.write(json.dumps(asdict(item)) + "\n")
    sys.stdout.write(json.dumps(summary(found) | {"wanted": len(wanted)}) + "\n")


if __name__ == "__main__":
    main()
