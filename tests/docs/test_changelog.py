"""No entry of the changelog stands twice, also not in other words."""

from __future__ import annotations

import re

from ops_project.settings import PROJECT_ROOT

SHARED = 0.4
"""Two entries that share more than this part of their words say the same. Entries about different things share less."""


def entries() -> dict[str, list[set[str]]]:
    """The words of each entry, by version."""
    text = (PROJECT_ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return {
        version.splitlines()[0]: [
            set(re.findall(r"\w+", entry.lower())) for entry in re.split(r"^- ", version, flags=re.MULTILINE)[1:]
        ]
        for version in versions
    }


def test_no_entry_stands_twice() -> None:
    twice = [
        (version, sorted(one & other))
        for version, words in entries().items()
        for number, one in enumerate(words)
        for other in words[:number]
        if len(one & other) > SHARED * len(one | other)
    ]
    assert twice == []
