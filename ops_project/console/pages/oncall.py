"""On call: who is called now and in the coming weeks, whether the shifts are shared fairly, and the swaps that people
have asked for.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.pages.home import on_call
from ops_project.console.views import Ask, NotThere, Wrong, back, deed, page
from ops_project.operations.incidents.rota import SwapRefused, accept_swap, ask_swap, current, end_swap
from ops_project.operations.oncall.roster import Roster, spans
from ops_project.operations.oncall.score import score

WEEKS = 8


def routes() -> list[Route]:
    return [
        page("/oncall", shown),
        deed("/oncall/swaps", ask_for_swap, "oncall swap"),
        deed("/oncall/swaps/{number}/accept", accept, "oncall swap"),
        deed("/oncall/swaps/{number}/end", take_back, "oncall swap"),
    ]


def roster_of(ask: Ask) -> Roster:
    """The roster of the main schedule. Raises NotThere if there is no schedule."""
    name = ask.site.catalog.oncall.main()
    if name is None:
        raise NotThere("nobody takes turns here: oncall.yaml has no schedule")
    return current(ask.site.catalog, ask.site.ledger)[name]


def shown(ask: Ask) -> Response:
    site, ledger = ask.site, ask.site.ledger
    if site.catalog.oncall.main() is None:
        return ask.show("oncall.html.j2", roster=None)
    roster = roster_of(ask)
    found = score(roster, ask.now)
    starts = [roster.starts(roster.shift_at(ask.now) + number) for number in range(WEEKS + 1)]
    return ask.show(
        "oncall.html.j2",
        roster=roster,
        on_call=on_call(site, ledger, ask.now),
        spans=spans(roster, ask.now, ask.now + timedelta(weeks=WEEKS)),
        score=found,
        swaps=list(reversed(ledger.swaps(roster.name)))[:30],
        shifts=[(start, roster.holder(roster.shift_at(start))[0]) for start in starts if start > ask.now],
        owners=site.catalog.owners,
    )


def ask_for_swap(ask: Ask) -> Response:
    roster, by = roster_of(ask), ask.actor()
    try:
        mine, theirs = (_shift(roster, ask.form.get(name, "")) for name in ("shift", "other"))
        asked = ask_swap(ask.site.ledger, roster, mine, theirs, by=by, why=ask.form.get("why", ""), now=ask.now)
    except SwapRefused as error:
        return back("/oncall", f"Nothing was changed: {error}.", "refused")
    ask.site.ledger.audit(
        ask.now,
        who=by,
        source=ask.source,
        action="ask swap",
        subject=f"swap {asked.number}",
        outcome="done",
        detail=asked.why,
    )
    return back("/oncall", f"Asked: {asked.agreed_by} has to agree; until then nothing changes.")


def _shift(roster: Roster, text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Wrong(f"{text!r} is not a day; choose a shift") from None
    begins = roster.shift_on(day)
    return begins if begins is not None else roster.shift_at(datetime.combine(day, time(12), roster.zone))


def accept(ask: Ask) -> Response:
    return _change(ask, "accept swap", "is valid now")


def take_back(ask: Ask) -> Response:
    return _change(ask, "end swap", "has ended")


def _change(ask: Ask, action: str, said: str) -> Response:
    by, number, ledger = ask.actor(), ask.number("number"), ask.site.ledger
    change = accept_swap if action == "accept swap" else end_swap
    try:
        change(ledger, number, by, ask.now)
    except SwapRefused as error:
        ledger.audit(
            ask.now,
            who=by,
            source=ask.source,
            action=action,
            subject=f"swap {number}",
            outcome="refused",
            detail=str(error),
        )
        return back("/oncall", f"Nothing was changed: {error}.", "refused")
    ledger.audit(ask.now, who=by, source=ask.source, action=action, subject=f"swap {number}", outcome="done", detail="")
    return back("/oncall", f"Swap {number} {said}.")
