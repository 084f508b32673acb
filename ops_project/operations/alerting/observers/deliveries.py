"""Observer of our own deliveries. A channel gives a signal if it has failed for a while, or if a message was
given up.
"""

from __future__ import annotations

from datetime import timedelta

from ops_project.model.alerting.signal import FIRING, OK
from ops_project.operations.alerting.observers.observer import Observation, View

FAILING_FOR = timedelta(minutes=5)
DEAD_LOOK_BACK = timedelta(hours=1)
KIND = "delivery.failure"


def look(view: View) -> Observation:
    """One signal for each channel whose state changed."""
    failing = view.ledger.failing_channels(view.now, FAILING_FOR)
    for message in view.ledger.dead_since(view.now - DEAD_LOOK_BACK):
        failing.setdefault(message.channel, f"message {message.id} was given up")
    for channel, words in view.ledger.refused_since(view.now - DEAD_LOOK_BACK).items():
        failing.setdefault(channel, words)
    before = {signal.check: signal.state for signal in view.ledger.latest(KIND).values()}
    signals = []
    for channel in sorted({*failing, *(name for name, state in before.items() if state == FIRING)}):
        state = FIRING if channel in failing else OK
        if before.get(channel, OK) != state:
            signals.append(
                view.state(
                    KIND,
                    state == FIRING,
                    check=channel,
                    message=failing.get(channel, ""),
                    failure_class="delivery_failure",
                )
            )
    return Observation(signals)
