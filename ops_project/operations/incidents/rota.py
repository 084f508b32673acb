"""The present rota: the configured schedules, and over them the changes that people have made in the ledger. Pages and
commands use the same rota.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ops_project.catalog import Catalog
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.oncall import AskedSwap, agreed
from ops_project.operations.oncall.build import rosters
from ops_project.operations.oncall.roster import Roster


class SwapRefused(ValueError):
    """A swap that cannot be asked for, accepted or ended. The message says why, and what can be done."""


def current(catalog: Catalog, ledger: Ledger) -> dict[str, Roster]:
    """Schedule → its roster, with all swaps and overrides that apply."""
    # The catalog is kept with the answer. Otherwise Python could give its id to another object.
    kept = ledger.answers.ask(("rota", id(catalog)), lambda: (catalog, _read(catalog, ledger)))
    return kept[1]


def _read(catalog: Catalog, ledger: Ledger) -> dict[str, Roster]:
    names = list(catalog.oncall.schedules)
    return rosters(
        catalog.oncall,
        catalog.owners,
        catalog.platform.timezone,
        {name: agreed(ledger.swaps(name)) for name in names},
        {name: ledger.covers(name) for name in names},
    )


def paged_now(catalog: Catalog, ledger: Ledger, now: datetime) -> tuple[str, ...]:
    """The people who get a critical page at `now`; empty if there is no schedule."""
    name = catalog.oncall.main()
    return current(catalog, ledger)[name].at(now).paged if name is not None else ()


def ask_swap(ledger: Ledger, roster: Roster, shift: int, other: int, *, by: str, why: str, now: datetime) -> AskedSwap:
    """Let `by`, the primary of `shift`, ask the primary of `other` to swap. Raises SwapRefused."""
    mine, theirs = roster.holder(shift)[0], roster.holder(other)[0]
    if mine != by:
        begins = roster.starts(shift).astimezone(roster.zone)
        raise SwapRefused(
            f"the shift that begins {begins:%a %Y-%m-%d} is {mine}'s, not {by}'s; name a shift of your own first"
        )
    if theirs == by:
        raise SwapRefused(f"both shifts are {by}'s; name a shift of another person")
    for number in (shift, other):
        if roster.starts(number + 1) <= now:
            ended = roster.starts(number + 1).astimezone(roster.zone)
            raise SwapRefused(f"the shift that ended {ended:%Y-%m-%d} is over; only shifts ahead can be swapped")
    asked = AskedSwap(
        number=0,
        schedule=roster.name,
        shift=roster.starts(shift),
        other=roster.starts(other),
        asked_by=by,
        agreed_by=theirs,
        why=why,
        asked_at=now,
        agreed_at=None,
        ended_at=None,
        ended_by="",
    )
    return replace(asked, number=ledger.ask_swap(asked))


def accept_swap(ledger: Ledger, number: int, by: str, now: datetime) -> AskedSwap:
    """Record that `by`, the other person, agrees. Raises SwapRefused."""
    found = _find(ledger, number)
    if found.agreed_by != by:
        raise SwapRefused(f"swap {number} asks {found.agreed_by}; {by} cannot accept it")
    if found.state != "asked":
        raise SwapRefused(f"swap {number} is {found.state} already")
    if max(found.shift, found.other) <= now:
        raise SwapRefused(f"both shifts of swap {number} have begun, so it is too late to agree")
    if not ledger.agree_swap(number, now):
        raise SwapRefused(f"swap {number} was ended meanwhile")
    return _find(ledger, number)


def end_swap(ledger: Ledger, number: int, by: str, now: datetime) -> AskedSwap:
    """End a swap in the name of `by`, who must be one of its two people. Raises SwapRefused."""
    found = _find(ledger, number)
    if by not in (found.asked_by, found.agreed_by):
        raise SwapRefused(f"swap {number} is between {found.asked_by} and {found.agreed_by}; only they can end it")
    if not ledger.end_swap(number, by, now):
        raise SwapRefused(f"swap {number} has ended already")
    return _find(ledger, number)


def _find(ledger: Ledger, number: int) -> AskedSwap:
    found = next((item for item in ledger.swaps() if item.number == number), None)
    if found is None:
        raise SwapRefused(f"there is no swap {number}; `ops oncall swap --list` shows them")
    return found
