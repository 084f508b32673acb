"""Knows which labels and values exist. So a mistyped silence is refused; it would otherwise silence nothing or
everything.

A label without a list of values (a check, a partition) is open: any value is accepted. For the other labels, each value
that an expression lists must exist, and any other expression must match an existing value. No option bypasses this. A
value that does not exist yet can be silenced as soon as it exists.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ops_project.model.alerting.matcher import Matcher

LISTED = 12
_PLAIN = re.compile(r"[\w/:@. -]+")


@dataclass(frozen=True)
class Vocabulary:
    """The labels and values that exist. `names`: every label. `values`: the values of each label that is not open."""

    names: frozenset[str]
    values: Mapping[str, frozenset[str]]
    meant: Mapping[tuple[str, str], str]
    """(label, a text that people write for a value) → the value that alerts have."""


def mistakes(matchers: Sequence[Matcher], known: Vocabulary) -> list[str]:
    """One sentence for each matcher whose name or value does not exist. The sentence names the nearest names or values
    that exist.
    """
    found = []
    for matcher in matchers:
        if matcher.name not in known.names:
            found.append(f"{matcher}: no alert has a label {matcher.name!r}; {_instead(matcher.name, known.names)}")
            continue
        valid = known.values.get(matcher.name)
        if valid is None or matcher.value == "":
            continue
        wrong = [value for value in _named(matcher) if value and value not in valid]
        for value in wrong:
            meant = known.meant.get((matcher.name, value))
            instead = f"write {matcher.name}={meant!r}" if meant else _instead(value, valid)
            found.append(f"{matcher}: there is no {matcher.name} {value!r}; {instead}")
        if not _named(matcher) and not any(
            Matcher(matcher.name, "=~", matcher.value).matches({matcher.name: v}) for v in valid
        ):
            found.append(f"{matcher}: fits no {matcher.name} that exists; {_instead(matcher.value, valid)}")
    return found


def _named(matcher: Matcher) -> list[str]:
    """The values that a matcher lists one by one. Empty if the matcher is a real expression."""
    if matcher.operator in ("=", "!="):
        return [matcher.value]
    parts = matcher.value.split("|")
    # In a name, a dot stands for itself; in an expression, it stands for any character. For a list of plain names, this
    # makes no difference.
    return parts if all(_PLAIN.fullmatch(part) and ".*" not in part for part in parts) else []


def _instead(written: str, valid: Collection[str]) -> str:
    near = get_close_matches(written, sorted(valid), n=3, cutoff=0.5)
    if near:
        return f"nearest: {', '.join(near)}"
    shown = sorted(valid)
    more = f" and {len(shown) - LISTED} more" if len(shown) > LISTED else ""
    return f"valid: {', '.join(shown[:LISTED])}{more}"
