"""The codes of a strptime format, and the texts that a format accepts. A contract with an unknown code is refused when
it is read. The engine alone would accept too much: it reads `130` under `%H%M` as 13:00, a time that is not in the
file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

UNIX = ("unix", "unix_ms", "unix_us")
# ISO 8601 and Java allow offsets up to 18 hours. An engine that also accepts +25:00 gives a moment that nobody meant.
OFFSET = "[+-](?:0[0-9]|1[0-8])(?::?[0-5][0-9])?"
_WHOLE = {"%c": "%Y-%m-%d %H:%M:%S", "%x": "%Y-%m-%d", "%X": "%H:%M:%S", "%T": "%H:%M:%S"}
# The number of digits that each code writes.
_DIGITS = {"Y": 4, "G": 4, "j": 3, "w": 1, "u": 1, "m": 2, "d": 2, "y": 2, "H": 2, "I": 2, "M": 2, "S": 2}
_DIGITS |= {"U": 2, "W": 2, "V": 2}
_WORDS = {"a": "[A-Za-z]+", "A": "[A-Za-z]+", "b": "[A-Za-z]+", "B": "[A-Za-z]+", "h": "[A-Za-z]+", "p": "[A-Za-z]+"}
# Fractions may lack zeros at their end. A timestamp keeps six digits.
_FRACTIONS = {"f": (6, "[0-9]{1,6}"), "g": (3, "[0-9]{1,3}"), "n": (9, "[0-9]{1,6}0{0,3}")}
_ZONES = {"z": f"{OFFSET}|Z|z", "Z": "[A-Za-z0-9_+/-]+"}
_SHORT = {"d": 2, "m": 2, "y": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3}
_PIECE = re.compile(r"%-?.|[^%]+|%", re.DOTALL)


@dataclass(frozen=True)
class Spelling:
    """How a text is compared with the text that the engine writes for the moment that it read."""

    plain: str
    """The format without the pieces that may be written in several ways."""
    regex: str | None
    """Matches a text of the format, with a group for each piece of `plain`; None if `plain` is the whole format."""
    replacement: str
    """The RE2 replacement that keeps only the pieces of `plain`."""
    zoned: bool
    """True if the text contains its offset or zone."""


def unknown_codes(text: str) -> list[str]:
    """Codes of a format that the engine does not know."""
    return [
        piece
        for piece in _PIECE.findall(_expanded(text))
        if piece.startswith("%") and piece != "%%" and not _is_known(piece)
    ]


def valid_codes() -> str:
    """All codes, for a message."""
    letters = [*_DIGITS, *_WORDS, *_FRACTIONS, *_ZONES]
    return ", ".join([*(f"%{letter}" for letter in letters), *(f"%-{letter}" for letter in _SHORT), *_WHOLE, "%%"])


def _is_known(piece: str) -> bool:
    if piece.startswith("%-"):
        return piece[2:] in _SHORT
    return piece[1:] in (_DIGITS | _WORDS | _FRACTIONS | _ZONES)


def _expanded(text: str) -> str:
    for short, long in _WHOLE.items():
        text = text.replace(short, long)
    return text


def spelling(text: str) -> Spelling:
    """How the texts of a format are compared."""
    pieces = _PIECE.findall(_expanded(text))
    plain, regex, loose, zoned = "", "", False, False
    for index, piece in enumerate(pieces):
        before = pieces[index - 1] if index else ""
        beside = {before, pieces[index + 1] if index + 1 < len(pieces) else ""}
        crowded = any(_is_number(other) for other in beside)
        letter = piece[-1]
        if not piece.startswith("%") or piece == "%%":
            regex, group = regex + "(" + re.escape(piece.replace("%%", "%")) + ")", True
        elif piece.startswith("%-"):
            loose, group = True, True
            digits = _SHORT[letter]
            zeros = "" if crowded else f"0{{0,{digits - 1}}}"
            regex += f"{zeros}([0-9]{{1,{digits}}})"
        elif letter in _FRACTIONS:
            digits, form = _FRACTIONS[letter]
            loose, group = True, False
            regex += f"[0-9]{{{digits}}}" if crowded else form
        elif letter in _ZONES:
            loose, group, zoned = True, False, True
            regex += f"(?:{_ZONES[letter]})"
        else:
            group = True
            regex += f"([0-9]{{{_DIGITS[letter]}}})" if letter in _DIGITS else f"({_WORDS[letter]})"
        if group:
            plain += piece
    # Neighbouring pieces that stay share one group, because RE2 allows only nine groups in a replacement.
    regex = re.sub(r"\)\((?!\?)", "", regex)
    groups = len(re.findall(r"(?<!\\)\((?!\?)", regex))
    replacement = "".join(f"\\{nth}" for nth in range(1, groups + 1))
    return Spelling(plain, regex if loose else None, replacement, zoned)


def _is_number(piece: str) -> bool:
    letter = piece[-1:] if piece.startswith("%") else ""
    return bool(re.search(r"[0-9]$|^[0-9]", piece)) or letter in _DIGITS or letter in _FRACTIONS
