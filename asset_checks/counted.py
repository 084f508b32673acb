"""A number with its noun, in words that people read: `1 file`, `2 files`, `1,234 files`."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """The number and the noun. `many`: the plural; by default the singular with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
