"""Lists the causes of an exception, as Python would print them. The module imports nothing large, because every command
that fails loads it.
"""

from __future__ import annotations

from collections.abc import Iterator


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, then its cause, then the cause of that cause, and so on. A cause that `raise … from None` hides is
    left out. If the causes form a loop, each is listed once.
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
