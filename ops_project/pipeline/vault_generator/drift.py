"""Compares the files that exist with the files that the metadata asks for."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff

from ops_project.model.document import ConfigProblem


def drift(expected: Mapping[str, str], found: Mapping[str, str]) -> list[ConfigProblem]:
    """One problem for each file that is missing, that differs, or that the metadata does not ask for. For a file that
    differs, the problem names the first line with a difference.
    """
    problems = [
        ConfigProblem(path, 1, "the metadata asks for this file and it does not exist: run ops metadata generate")
        for path in expected.keys() - found.keys()
    ]
    problems += [
        ConfigProblem(path, 1, "no row of the metadata asks for this file: add one, or remove the file")
        for path in found.keys() - expected.keys()
    ]
    for path in expected.keys() & found.keys():
        if expected[path] != found[path]:
            problems.append(
                ConfigProblem(
                    path,
                    _first(expected[path], found[path]),
                    "differs from the metadata: " + _what(expected[path], found[path]),
                )
            )
    return sorted(problems)


def _first(expected: str, found: str) -> int:
    lines = zip(expected.splitlines(), found.splitlines(), strict=False)
    same = next((index for index, (one, other) in enumerate(lines) if one != other), None)
    return (min(len(expected.splitlines()), len(found.splitlines())) if same is None else same) + 1


def _what(expected: str, found: str) -> str:
    changes = [
        line.strip()
        for line in unified_diff(found.splitlines(), expected.splitlines(), n=0, lineterm="")
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    more = f" and {len(changes) - 2} more" if len(changes) > 2 else ""
    return " | ".join(changes[:2]) + more
