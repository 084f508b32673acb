"""What caused an exception, as Python would print it. Imports nothing heavy: a command that fails needs it at once."""

from __future__ import annotations

from collections.abc import Iterator


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, then what caused it, and so on. What `raise … from None` hides is left out, and a loop ends."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
