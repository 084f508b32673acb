"""Knows which labels and values exist, so that a mistyped silence is refused instead of silencing nothing or
everything. A value of an open label (a check, a partition) is always accepted. Each part of an expression that is a
plain list must be an existing value; any other expression must match an existing value. There is no option to bypass
this. A value that does not exist yet can be silenced once it exists.
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
    """`names`: every label; `values`: the values of closed labels."""

    names: frozenset[str]
    values: Mapping[str, frozenset[str]]
    meant: Mapping[tuple[str, str], str]
    """(label, the text that people write) → the value on alerts."""


def mistakes(matchers: Sequence[Matcher], known: Vocabulary) -> list[str]:
    """One sentence for each matcher with an unknown name or value, with the nearest existing one."""
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
    """The values that a matcher lists one by one; empty if it is a real expression."""
    if matcher.operator in ("=", "!="):
        return [matcher.value]
    parts = matcher.value.split("|")
    # A dot in a name stands for itself; in an expression it stands for any character. For a list of plain names the
    # difference does not matter.
    return parts if all(_PLAIN.fullmatch(part) and ".*" not in part for part in parts) else []


def _instead(written: str, valid: Collection[str]) -> str:
    near = get_close_matches(written, sorted(valid), n=3, cutoff=0.5)
    if near:
        return f"nearest: {', '.join(near)}"
    shown = sorted(valid)
    more = f" and {len(shown) - LISTED} more" if len(shown) > LISTED else ""
    return f"valid: {', '.join(shown[:LISTED])}{more}"
