"""Compares the fields of a file with those of its contract. The module compares names and opens no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Structure:
    """How the fields of a file differ from those of the contract."""

    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    """Names that occur more than once in the file."""
    moved: tuple[str, ...] = ()
    """Names that both file and contract have, but at different positions. Empty if there is any other difference."""
    order: tuple[str, ...] = ()
    """All names in the order of the file, if names have moved."""
    absent: tuple[str, ...] = ()
    """Names that may be absent and are absent. Their absence alone is not a difference."""

    @property
    def same(self) -> bool:
        return not (self.missing or self.extra or self.repeated or self.moved)

    def describe(self) -> str:
        """The differences, in words with the names; empty if there is none."""
        parts = []
        if self.missing:
            parts.append(f"missing {_names(self.missing)}")
        if self.extra:
            parts.append(f"extra {_names(self.extra)}")
        if self.repeated:
            parts.append(f"twice {_names(self.repeated)}")
        if self.moved:
            parts.append(f"reordered {_names(self.moved)} (the file has {', '.join(self.order)})")
        renamed = [
            f"{old} is now {new}"
            for old in self.missing
            for new in self.extra
            if old.casefold().strip() == new.casefold().strip()
        ]
        return "; ".join(parts) + (f" ({', '.join(renamed)}: letters differ)" if renamed else "")


def compare(
    expected: Sequence[str], may_be_absent: Collection[str], found: Sequence[str], anywhere: Collection[str] = ()
) -> Structure:
    """Compare the fields of the contract, in their order, with those of the file. Blanks around a name do not count.

    `anywhere`: fields whose position does not matter.
    """
    wanted = [name.strip() for name in expected]
    optional = {name.strip() for name in may_be_absent}
    given = [name.strip() for name in found]
    missing = tuple(name for name in dict.fromkeys(wanted) if name not in given and name not in optional)
    absent = tuple(name for name in dict.fromkeys(wanted) if name not in given and name in optional)
    extra = tuple(name for name in dict.fromkeys(given) if name not in wanted)
    repeated = tuple(name for name, count in Counter(given).items() if count > 1)
    moved: tuple[str, ...] = ()
    if not (missing or extra or repeated):
        placed = [name for name in given if name not in anywhere]
        present = [name for name in dict.fromkeys(wanted) if name in placed]
        moved = tuple(name for name, other in zip(present, placed, strict=True) if name != other)
    order = tuple(given) if moved else ()
    return Structure(missing=missing, extra=extra, repeated=repeated, moved=moved, order=order, absent=absent)


def _names(names: Sequence[str]) -> str:
    shown = [name or "(no name)" for name in names[:20]]
    return ", ".join(shown) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
