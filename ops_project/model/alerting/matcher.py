"""Alertmanager's matchers: `severity="critical"`, `domain=~"a|b"`, `team!=x`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator

_TEXT = re.compile(r'^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s]*))\s*$')


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?:{pattern})")


@dataclass(frozen=True, slots=True)
class Matcher:
    """A comparison of one label with a value. An absent label counts as the empty string. A regular expression must
    match the whole value of the label.
    """

    name: str
    operator: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Matcher:
        """Read Alertmanager's syntax. Raises ValueError."""
        found = _TEXT.match(text)
        if not found:
            raise ValueError(f'{text!r} is not a matcher; write label="value", with one of = != =~ !~')
        name, operator, quoted, bare = found.groups()
        value = (
            re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1] if m[1] in '"\\' else m[0], quoted)
            if quoted is not None
            else bare
        )
        if operator in ("=~", "!~"):
            try:
                _compiled(value)
            except re.error as error:
                raise ValueError(f"{text!r}: {value!r} is not an expression ({error})") from None
        return cls(name, operator, value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        actual = labels.get(self.name, "")
        if self.operator == "=":
            return actual == self.value
        if self.operator == "!=":
            return actual != self.value
        hit = _compiled(self.value).fullmatch(actual) is not None
        return hit if self.operator == "=~" else not hit

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.operator}"{escaped}"'


def all_match(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> bool:
    """True if every matcher matches. An empty list always matches."""
    # This function is called several times for each open alert, and a generator would cost as much as the comparison.
    for matcher in matchers:  # noqa: SIM110  # see above
        if not matcher.matches(labels):
            return False
    return True


def _read(value: Any) -> Matcher:
    return value if isinstance(value, Matcher) else Matcher.parse(str(value))


ConfiguredMatcher = Annotated[Matcher, BeforeValidator(_read)]
