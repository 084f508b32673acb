"""Observer of gaps in the rota that begin within two weeks. A gap is reported early, because a page in a gap would
reach nobody.
"""

from __future__ import annotations

from ops_project.model.alerting.signal import FIRING, OK
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.operations.incidents.rota import current
from ops_project.operations.oncall.score import upcoming_gaps

KIND = "oncall.gap"


def look(view: View) -> Observation:
    """One signal for each schedule whose state changed."""
    before = {signal.check: signal.state for signal in view.ledger.latest(KIND).values()}
    rosters = current(view.catalog, view.ledger)
    # If a schedule was removed or renamed, its gaps end.
    removed = [name for name, state in before.items() if state == FIRING and name not in rosters]
    signals = [
        view.state(KIND, False, check=name, message="there is no such schedule any more") for name in sorted(removed)
    ]
    for name, roster in rosters.items():
        gaps = upcoming_gaps(roster, view.now)
        state = FIRING if gaps else OK
        if before.get(name, OK) == state:
            continue
        signals.append(
            view.state(KIND, bool(gaps), check=name, message="; ".join(f"{gap.what}. Fix: {gap.fix}" for gap in gaps))
        )
    return Observation(signals)
