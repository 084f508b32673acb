"""The names of inbound files: a glob with placeholders. The module opens no file.

- `{date:%Y-%m-%d}` is the file's business date.
- `{part}`, `*` and `?` distinguish several files of one date.
- `{revision}` marks a corrected redelivery and is not part of the file's identity.

A compressed file may have `.gz` after its name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

_PIECE = re.compile(r"\{(?P<name>[a-z_]+)(?::(?P<format>[^{}]+))?\}|(?P<glob>[*?])")
_DIRECTIVES = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": r"\d{2}",
    "d": r"\d{2}",
    "j": r"\d{3}",
    "H": r"\d{2}",
    "M": r"\d{2}",
    "S": r"\d{2}",
    "b": r"[A-Za-z]{3}",
    "B": r"[A-Za-z]+",
    "%": "%",
}


@dataclass(frozen=True)
class Named:
    """The parts of a file name."""

    date: date | None
    part: str
    """The text of `{part}`, `*` and `?`, joined by `/`. Date and part are the slot of a file: a redelivery replaces the
    file in the same slot. For a feed's second and later patterns, the part begins with the pattern.
    """
    revision: str = ""
    """The text of `{revision}`."""


@dataclass(frozen=True)
class Inbound:
    """One compiled inbound pattern."""

    text: str
    regex: re.Pattern[str]
    date_format: str | None

    @property
    def has_parts(self) -> bool:
        """Whether several files of one date may exist side by side."""
        return any(name.startswith("part") for name in self.regex.groupindex)

    def match(self, name: str) -> Named | None:
        """The parts of `name`. None if it is not a file of this pattern, or if its date does not exist."""
        # Some systems write é as a letter and an accent. Both forms are the same name.
        found = self.regex.fullmatch(unicodedata.normalize("NFC", name))
        if found is None:
            return None
        groups = found.groupdict()
        day: date | None = None
        if self.date_format is not None:
            try:
                day = datetime.strptime(groups["date"], self.date_format).date()  # noqa: DTZ007
            except ValueError:
                return None
        parts = [value or "" for key, value in groups.items() if key.startswith("part")]
        revision = "".join(value or "" for key, value in groups.items() if key.startswith("revision"))
        return Named(day, "/".join(parts), revision)


@lru_cache(maxsize=512)
def compile_inbound(text: str) -> Inbound:
    """A compiled pattern. Raises ValueError if a placeholder is unknown."""
    if "/" in text or not text.strip():
        raise ValueError(f"inbound pattern {text!r} is a file name, not a path: files lie in inbound/<domain>/")
    text = unicodedata.normalize("NFC", text)
    regex, last, parts, revisions, date_format = "", 0, 0, 0, None
    for piece in _PIECE.finditer(text):
        regex += re.escape(text[last : piece.start()])
        last = piece.end()
        if piece["glob"]:
            regex += f"(?P<part{parts}>{'[^/]*?' if piece['glob'] == '*' else '[^/]'})"
            parts += 1
        elif piece["name"] == "date":
            if date_format is not None:
                raise ValueError(f"inbound pattern {text!r} has two {{date}} pieces")
            date_format = piece["format"] or "%Y-%m-%d"
            regex += f"(?P<date>{_date_regex(date_format, text)})"
        elif piece["name"] == "part":
            regex += f"(?P<part{parts}>[^/]*?)"
            parts += 1
        elif piece["name"] == "revision":
            regex += f"(?P<revision{revisions}>[^/]*?)"
            revisions += 1
        else:
            raise ValueError(
                f"inbound pattern {text!r}: unknown piece {piece[0]!r}; valid: {{date:…}}, {{part}}, {{revision}}, *, ?"
            )
    rest = text[last:]
    if "{" in rest or "}" in rest or "{" in re.sub(_PIECE, "", text):
        raise ValueError(f"inbound pattern {text!r}: a brace is not closed, or the piece has no valid name")
    return Inbound(text, re.compile(regex + re.escape(rest) + r"(?:\.gz)?", re.DOTALL), date_format)


def _date_regex(date_format: str, text: str) -> str:
    regex, index = "", 0
    while index < len(date_format):
        if date_format[index] == "%":
            directive = date_format[index + 1 : index + 2]
            if directive not in _DIRECTIVES:
                raise ValueError(
                    f"inbound pattern {text!r}: %{directive} is not understood; valid: %{', %'.join(_DIRECTIVES)}"
                )
            regex, index = regex + _DIRECTIVES[directive], index + 2
        else:
            regex, index = regex + re.escape(date_format[index]), index + 1
    return regex
