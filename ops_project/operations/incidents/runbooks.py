"""Runbooks: Markdown files with fixed headings, whose diagnostic steps can be run.

A step is a numbered line under `Diagnosis` with one or more commands in backticks. Only commands that read are run. The
text after `Shows` is the promise of the step: each word in backticks there must occur in the output. Commands and
promises can contain placeholders. For example, `FEED` stands for the name of the incident's feed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops_project.catalog import Catalog
from ops_project.settings import RUNBOOK_DIR

HEADINGS = ("Summary", "Data sources", "SLA", "Scenarios", "Diagnosis", "First response", "Escalation")
# These commands change nothing. If a step contains any other command, it is shown and never run.
READING = (
    ("sql",),
    ("status",),
    ("alerts", "list"),
    ("alerts", "show"),
    ("alerts", "outbox"),
    ("backup", "list"),
    ("diagnose",),
    ("lineage",),
    ("metadata", "check"),
    ("metadata", "show"),
    ("incidents", "list"),
    ("incidents", "show"),
    ("incidents", "times"),
    ("oncall", "who"),
    ("oncall", "calendar"),
    ("oncall", "score"),
    ("feed", "list"),
    ("feed", "check"),
    ("queries",),
    ("reconcile",),
    ("sla",),
    ("model", "list"),
    ("route", "explain"),
    ("rules", "lint"),
    ("silence", "list"),
    ("hold", "list"),
    ("escalation", "simulate"),
)
# For these commands, exit code 1 is also an answer: the file would not be loaded, the two sides do not agree, or the
# ledger is lost.
ANSWERING = (("feed", "check"), ("metadata", "check"), ("reconcile",), ("status",))
_STEP = re.compile(r"^(\d+)\. (.*)$")
_CODE = re.compile(r"`([^`]+)`")
# In a runbook, a reader fills these placeholders in by hand. When a step is run, they are filled in from the incident.
_CAPITALS = {"CHAIN": "chain", "N": "alert", "NAME": "feed", "FILE": "file", "YYYY-MM-DD": "date"}
_INSIDE = re.compile(r"\b(FEED|ASSET|DOMAIN|INCIDENT)\b")
_PLACE = re.compile(r"\{(\w+)\}")


class NoRunbook(LookupError):
    """There is no runbook with this name."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the diagnosis."""

    number: int
    text: str
    commands: tuple[str, ...]
    """The commands of `ops` as the runbook writes them. Placeholders such as {alert} are filled in when they
    are run.
    """
    shows: tuple[str, ...]
    """The words that the output must contain, as the runbook writes them."""


@dataclass(frozen=True)
class Runbook:
    slug: str
    title: str
    text: str
    steps: tuple[Step, ...]

    def missing(self) -> list[str]:
        """The fixed headings that are missing in the runbook."""
        return [heading for heading in HEADINGS if f"\n## {heading}\n" not in self.text]


def slugs(catalog: Catalog) -> list[str]:
    """The slugs of all runbooks, including those of the overlay."""
    found = {path.stem for path in RUNBOOK_DIR.glob("*.md")}
    if catalog.overlay is not None:
        found |= {path.stem for path in (catalog.overlay / "runbooks").glob("*.md")}
    return sorted(found)


def read(catalog: Catalog, slug: str) -> Runbook:
    """The runbook with this slug. Raises NoRunbook."""
    path = catalog.runbook_file(slug) if slug in slugs(catalog) else None
    if path is None:
        raise NoRunbook(f"there is no runbook {slug[:80]!r}; `ops runbook list` shows them")
    text = path.read_text(encoding="utf-8")
    title = next((line[2:] for line in text.splitlines() if line.startswith("# ")), slug)
    return Runbook(slug, title, text, tuple(_steps(text)))


def _steps(text: str) -> list[Step]:
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("## "):
            inside = line == "## Diagnosis"
        elif inside and _STEP.match(line):
            found.append([line])
        elif inside and found and line.strip():
            found[-1].append(line.strip())
    return [_step(" ".join(lines)) for lines in found]


def _step(line: str) -> Step:
    match = _STEP.match(line)
    assert match is not None
    said, _, promise = match[2].partition(" Shows ")
    commands = tuple(code for code in _CODE.findall(said) if code.startswith("ops "))
    return Step(int(match[1]), match[2], commands, tuple(_CODE.findall(promise)))


def _with_places(word: str) -> str:
    """A word of a command or promise, with its placeholders in braces: {feed} in place of FEED, and so on."""
    return f"{{{_CAPITALS[word]}}}" if word in _CAPITALS else _INSIDE.sub(lambda m: f"{{{m[0].lower()}}}", word)


def not_shown(step: Step, places: Mapping[str, str], output: str) -> list[str]:
    """The promised words that do not occur in `output`. A promise whose placeholder the incident cannot fill is left
    out. White space is ignored, because a table may break a long value over two lines.
    """
    said = "".join(output.split())
    promised = [_with_places(word) for word in step.shows]
    known = [word for word in promised if all(name in places for name in _PLACE.findall(word))]
    filled = [_PLACE.sub(lambda m: places[m[1]], word) for word in known]
    return [word for word in filled if "".join(word.split()) not in said]


def words_of(command: str, places: Mapping[str, str]) -> list[str]:
    """The words of a command after `ops`, with the placeholders filled in. Raises ValueError if a placeholder has no
    value, or if the command may not be run.
    """
    written = [_with_places(word) for word in shlex.split(command)[1:]]
    lacking = sorted({name for word in written for name in _PLACE.findall(word) if name not in places})
    if lacking:
        raise ValueError(
            f"needs {', '.join(lacking)}: run it with --incident NUMBER, or fill it in and run it by hand"
            if not places
            else f"needs {', '.join(lacking)}, which the incident does not name: fill it in and run it by hand"
        )
    words = [_PLACE.sub(lambda m: places[m[1]], word) for word in written]
    if not any(tuple(words[: len(allowed)]) == allowed for allowed in READING):
        raise ValueError("is not run from here, because only commands that change nothing are")
    return words


def is_answer(words: Sequence[str], code: int, errors: str) -> bool:
    """Whether a command has answered its question. `code`: its exit code."""
    answers = any(tuple(words[: len(allowed)]) == allowed for allowed in ANSWERING)
    return code == 0 or (code == 1 and answers and "Error: " not in errors)


def written(words: Sequence[str]) -> str:
    """The command in the form in which it can be pasted into a shell."""
    quoted = [f'"{word}"' if " " in word and not set(word) & set('"$`\\') else shlex.quote(word) for word in words]
    return " ".join(["ops", *quoted])
