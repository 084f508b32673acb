"""Decides from the names which of two deliveries of one date is newer. The module compares texts and opens no file."""

from __future__ import annotations

import re
from enum import StrEnum


class RevisionOrder(StrEnum):
    """How the first of two revisions relates to the second."""

    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    UNCLEAR = "unclear"


# A file with one of these words in its name is an earlier one. So `x_old.csv` is probably not a correction of `x.csv`.
_EARLIER = frozenset(("old", "orig", "original", "previous", "prev", "before", "backup", "bak", "alt", "obsolete"))


def compare_revisions(one: str, other: str) -> RevisionOrder:
    """How the first revision relates to the other. `_v2` is older than `_v10`, and a name without a revision is older
    than ` (1)`. The order of `_final` and `_v2` is not clear.
    """
    first, second = one.casefold(), other.casefold()
    if first == second:
        return RevisionOrder.SAME
    words, numbers = _parts(first)
    other_words, other_numbers = _parts(second)
    if words == other_words and numbers != other_numbers:
        return RevisionOrder.OLDER if numbers < other_numbers else RevisionOrder.NEWER
    if second.startswith(first):
        return RevisionOrder.UNCLEAR if _EARLIER & {*other_words} - {*words} else RevisionOrder.OLDER
    if first.startswith(second):
        return RevisionOrder.UNCLEAR if _EARLIER & {*words} - {*other_words} else RevisionOrder.NEWER
    if not numbers and not other_numbers and all(len(item) == 1 and len(item[0]) == 1 for item in (words, other_words)):
        return RevisionOrder.OLDER if words < other_words else RevisionOrder.NEWER
    return RevisionOrder.UNCLEAR


def _parts(revision: str) -> tuple[list[str], list[int]]:
    """The words of a revision without the separators, and the numbers in it."""
    return re.findall(r"[^\W\d_]+", revision), [int(digits) for digits in re.findall(r"[0-9]+", revision)]
