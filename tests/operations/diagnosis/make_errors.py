"""Causes real errors, and records what was raised: `python -m tests.operations.diagnosis.make_errors` (or with the
names of libraries). Each case is labelled by its cause, not by the classifier. The texts are split by a hash of
themselves: the half with an even hash may be looked at while patterns are written, and the other half is held out.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ops_project.failures import Classified, Link, classify_links, classify_message, link_of
from ops_project.failures.text import CAUSED, DURING
from ops_project.model.failure_class import FailureClass
from ops_project.settings import PROJECT_ROOT

FIXTURE = Path(__file__).with_name("errors.json")
Cause = Callable[[], object]
Case = tuple[str, FailureClass, Cause]
"""Its name, its class by its cause, and the function that raises."""


@dataclass(frozen=True)
class Sample:
    """One error as it was raised."""

    library: str
    name: str
    expected: FailureClass
    text: str
    """The text of the exception itself as logs show it: the module and name of its type, and the message."""
    links: list[dict[str, Any]]
    """The chain of exceptions in the form in which `link_of` reads it."""
    chain: str = ""
    """The text of the exception with its causes as a log shows it; empty if it has none."""

    @property
    def log(self) -> str:
        """The whole text that the log shows."""
        return self.chain or self.text

    @property
    def held(self) -> bool:
        return is_held(self.text)


def is_held(text: str) -> bool:
    """Whether a text belongs to the half that nobody looks at while patterns are written."""
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 1


def text_of(error: BaseException) -> str:
    kind = type(error)
    module = "" if kind.__module__ in ("builtins", "_duckdb", "duckdb") else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}: {error}"


def log_of(error: BaseException) -> str:
    """An exception after its cause, as Python prints them, without the lines of code."""
    said, told = text_of(error), {id(error)}
    while (before := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) is not None:
        if id(before) in told:
            break
        said = f"{text_of(before)}\n\n{CAUSED if error.__cause__ is not None else DURING}\n\n{said}"
        told.add(id(before))
        error = before
    return said


def samples(libraries: Collection[str] = ()) -> Iterator[Sample]:
    """Every case of these libraries, by default of all that can run here."""
    from tests.operations.diagnosis import causes

    with tempfile.TemporaryDirectory(prefix="errors-") as folder:
        for library in libraries or causes.LIBRARIES:
            with causes.of(library, Path(folder)) as cases:
                for name, expected, cause in cases:
                    try:
                        cause()
                    except BaseException as error:
                        text, log = (_steady(said, folder) for said in (text_of(error), log_of(error)))
                        yield Sample(library, name, expected, text, _links(error, folder), log if log != text else "")
                    else:
                        print(f"{library}: {name} raised nothing", file=sys.stderr)


def _links(error: BaseException, folder: str) -> list[dict[str, Any]]:
    return [asdict(Link(link.names, _steady(link.message, folder), link.codes)) for link in link_of(error)]


def _steady(text: str, folder: str) -> str:
    """The text without the parts that differ from call to call."""
    text = text.replace(folder, "/srv/data")
    for place, shown in ((sys.prefix, "/opt/venv"), (sys.base_prefix, "/usr"), (str(PROJECT_ROOT), "/srv/project")):
        text = text.replace(place, shown)
    text = re.sub(r"\bPID \d+", "PID 4711", text)
    text = re.sub(r"(127\.0\.0\.1|localhost|port[= ]'?)(:?)\d{4,5}", r"\g<1>\g<2>50001", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x7f00", text)
    return re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "0f8b", text)


def read() -> list[Sample]:
    """The errors that were written down."""
    if not FIXTURE.is_file():
        return []
    return [Sample(**item) for item in json.loads(FIXTURE.read_text(encoding="utf-8"))]


PAGE = Path(__file__).parents[3] / "docs" / "classification.md"


def classified(sample: Sample) -> Classified:
    """Classifies by the chain of exceptions, as the product does if it has the exception."""
    links = [Link(tuple(item["names"]), item["message"], tuple(map(tuple, item["codes"]))) for item in sample.links]
    return classify_links(links, sample.text)


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Macro-F1 of pairs (expected class, found class): the mean over the expected classes."""
    scores = []
    for name in {expected for expected, _ in pairs}:
        right = sum(expected == found == name for expected, found in pairs)
        wrong = sum((expected == name) != (found == name) for expected, found in pairs)
        scores.append(2 * right / (2 * right + wrong))
    return sum(scores) / len(scores)


def page() -> str:
    """How good the classification is, as the text of docs/classification.md."""
    found = read()
    lines = [
        "# How failures are classified, measured",
        "",
        "`python -m tests.operations.diagnosis.make_errors` writes this page. It causes every error and notes what was raised.",
        "Each error is labelled by what was done to cause it. A hash of its text puts it into one of two halves. Patterns were",
        "written from the half that was seen; the other half was held out.",
        "",
        "| half | read from | errors | right | macro-F1 |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for held in (False, True):
        half = [sample for sample in found if sample.held == held]
        for name, how in (
            ("exceptions with codes", classified),
            ("the text of the log", lambda item: classify_message(item.log)),
            ("the last exception's text alone", lambda item: classify_message(item.text)),
        ):
            pairs = [(sample.expected, how(sample).failure_class) for sample in half]
            right = sum(expected == got for expected, got in pairs)
            words = "held out" if held else "seen"
            lines.append(f"| {words} | {name} | {len(pairs)} | {right} | {macro_f1(pairs):.3f} |")
    half = [sample for sample in found if sample.held]
    table = Counter((sample.expected, classified(sample).failure_class) for sample in half)
    lines += [
        "",
        "## Confusion matrix of the half that was held out",
        "",
        "| what it was | classified as | errors |",
        "| --- | --- | ---: |",
    ]
    lines += [f"| {expected} | {got} | {count} |" for (expected, got), count in sorted(table.items())]
    libraries = Counter(sample.library for sample in found)
    lines += ["", f"Libraries: {', '.join(f'{name} {count}' for name, count in sorted(libraries.items()))}.", ""]
    return "\n".join(lines)


def main(libraries: Sequence[str]) -> None:
    """Cause the errors of these libraries, or of all libraries. The errors of the libraries that are not named stay as
    they were written.
    """
    found = {sample.text: sample for sample in read() if libraries and sample.library not in libraries}
    found |= {sample.text: sample for sample in samples(libraries)}
    body = [{key: said for key, said in asdict(sample).items() if said != ""} for sample in found.values()]
    FIXTURE.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    held = sum(is_held(text) for text in found)
    print(f"{len(found)} errors, {held} of them held out, in {FIXTURE}")


if __name__ == "__main__":
    main(sys.argv[1:])
