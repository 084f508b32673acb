"""How good the forecasts of breaches were: what was forecast, what happened, and how long the forecast came before the
breach.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from ops_project.model.alerting.signal import FIRING, Signal

Verdict = Literal["hit", "late hit", "miss", "false alarm", "open"]
WANTED_LEAD = timedelta(minutes=30)
AT_RISK, BREACH = "sla.at_risk", "sla.breach"


@dataclass(frozen=True)
class Forecast:
    """One service level on one day. A hit is a breach that was forecast at least half an hour before. A late hit was
    forecast less than half an hour before.
    """

    sla: str
    title: str
    day: date
    verdict: Verdict
    foreseen_at: datetime | None
    breached_at: datetime | None
    words: str

    @property
    def lead(self) -> timedelta | None:
        """How long the forecast came before the breach; None if one of the two is missing."""
        if self.foreseen_at is None or self.breached_at is None:
            return None
        return self.breached_at - self.foreseen_at


def score(signals: Iterable[Signal], today: date) -> list[Forecast]:
    """Every day on which a breach was forecast or happened, the newest first. The order of the signals does not
    matter.
    """
    first: dict[tuple[str, str], dict[str, Signal]] = {}
    for signal in signals:
        if signal.state != FIRING or signal.kind not in (AT_RISK, BREACH) or not signal.partition:
            continue
        seen = first.setdefault((signal.labels.get("sla", signal.check), signal.partition), {})
        before = seen.get(signal.kind)
        if before is None or signal.event_at < before.event_at:
            seen[signal.kind] = signal
    found = [_forecast(sla, date.fromisoformat(day), seen, today) for (sla, day), seen in first.items()]
    return sorted(found, key=lambda item: (item.day, item.sla), reverse=True)


def _forecast(sla: str, day: date, seen: dict[str, Signal], today: date) -> Forecast:
    foreseen, breach = seen.get(AT_RISK), seen.get(BREACH)
    verdict: Verdict
    if breach is None:
        verdict = "false alarm" if day < today else "open"
    elif foreseen is None or foreseen.event_at >= breach.event_at:
        verdict = "miss"
    else:
        verdict = "hit" if breach.event_at - foreseen.event_at >= WANTED_LEAD else "late hit"
    said = foreseen or breach
    assert said is not None
    return Forecast(
        sla=sla,
        title=said.check,
        day=day,
        verdict=verdict,
        foreseen_at=foreseen.event_at if foreseen is not None else None,
        breached_at=breach.event_at if breach is not None else None,
        words=said.message,
    )
