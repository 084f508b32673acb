"""Observer: whether the warehouse may be built on, as the last run found it; a file that is gone is seen without a run.

Never opens the warehouse: a reader would stand in the writer's way.
"""

from __future__ import annotations

from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.pipeline.warehouse import standing

KIND = "warehouse.unusable"


def look(view: View) -> Observation:
    """A signal while it cannot be used, and one when it can again."""
    found = standing.noted(view.settings)
    firing = any(signal.state == FIRING for signal in view.ledger.latest(KIND).values())
    if found is None and not firing:
        return Observation()
    if found is not None and firing and found["at"] is None:
        return Observation()  # nobody has tried again: there is nothing new to say
    return Observation(
        [
            Signal(
                kind=KIND,
                state=FIRING if found else OK,
                value=float(found is not None),
                event_at=view.now,
                observed_at=view.now,
                occurrence=(found or {}).get("at") or view.now.isoformat(),
                message=found["message"] if found else "",
                labels={"state": found["state"]} if found else {},
            )
        ]
    )
