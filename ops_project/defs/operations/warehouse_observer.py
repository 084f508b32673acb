"""Observer of the warehouse: whether the last run found it usable. The observer never opens the warehouse, because a
reader would delay the writer.
"""

from __future__ import annotations

from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.pipeline.warehouse import standing

KIND = "warehouse.unusable"


def look(view: View) -> Observation:
    """A signal when the warehouse becomes unusable, and one when it is usable again."""
    found = standing.noted(view.settings)
    firing = any(signal.state == FIRING for signal in view.ledger.latest(KIND).values())
    if found is None and not firing:
        return Observation()
    return Observation(
        [
            Signal(
                kind=KIND,
                state=FIRING if found else OK,
                value=float(found is not None),
                event_at=view.now,
                observed_at=view.now,
                occurrence=(found["at"] if found else None) or view.now.isoformat(),
                message=found["message"] if found else "",
                labels={"state": found["state"]} if found else {},
            )
        ]
    )
