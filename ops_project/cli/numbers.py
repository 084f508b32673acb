"""The types of numbers in arguments. Each type has a lower and an upper bound. A number that no store, calendar or
machine can hold is therefore refused at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

import click

NUMBER = click.IntRange(min=0, max=2**63 - 1)
"""The number of an alert, an incident, a silence or another row of the ledger."""
several_numbers = click.argument("numbers", metavar="NUMBER...", type=NUMBER, nargs=-1, required=True)
"""The argument of a command that does the same to each of its rows."""


def refused(why: Mapping[int, str], numbers: Sequence[int], *, done: Sequence[int] = ()) -> click.ClickException:
    """The error with which a command stops because it refuses some of `numbers`. `why`: each of these → the reason.

    `done`: the rows that the command has changed before. All rows are checked first, so there are such rows only if
    somebody else has changed a row after the check.
    """
    words = "\n".join(why.values())
    left = [str(other) for other in dict.fromkeys(numbers) if other not in (*done, *why)]
    if done:
        words += f". Already done: {', '.join(map(str, done))}" + (f"; not yet: {', '.join(left)}" if left else "")
    elif len(set(numbers)) > 1:
        words += ". Nothing was changed"
        words += f"; leave out {' and '.join(map(str, why))}, and the others are done" if left else ""
    return click.ClickException(words)


def refuse_any(numbers: Sequence[int], why: Callable[[int], str]) -> None:
    """Raises `refused` if `why` gives a reason for one of `numbers`. An empty text is no reason.

    A command looks at all numbers before it writes anything. So a command with a wrong number changes nothing. Its
    message names all wrong numbers, so that the user can correct them at once.
    """
    if found := {number: words for number in dict.fromkeys(numbers) if (words := why(number))}:
        raise refused(found, numbers)


COUNT = click.IntRange(min=1, max=10**9)
COUNT_OR_NONE = click.IntRange(min=0, max=10**9)
DAYS = click.IntRange(min=1, max=36_500)
SECONDS = click.FloatRange(min=0.1, max=10**7)
MEGABYTES = click.IntRange(min=1, max=10**7)


def decimal(value: str | Decimal) -> Decimal:
    """The type of an option for a number from 0 to 1e30. Raises BadParameter for any other text."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise click.BadParameter(f"{value!r} is not a number, such as 1000 or 0.05.") from None
    if not number.is_finite() or number < 0 or number.adjusted() > 30:
        raise click.BadParameter(f"{value} is not between 0 and 1e30.")
    return number
