"""Lists the causes of an exception, as Python would print them. It imports nothing heavy, because every command that
fails needs it at once.
"""

from __future__ import annotations

from collections.abc import Iterator


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, then its cause, then the cause of that, and so on. A cause that `raise … from None` hides is left
    out, and a loop ends the list.
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
