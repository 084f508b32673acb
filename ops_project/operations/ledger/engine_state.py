"""Reads the state of alerting: open alerts, groups, the notification log, and what people have recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Connection, Text, cast, func, select

from ops_project.model.alerting.acknowledgement import Acknowledgement
from ops_project.model.alerting.resolution import Resolution
from ops_project.model.alerting.silence import Silence
from ops_project.operations.alerting.decide.grouping import Group, LogEntry
from ops_project.operations.alerting.decide.state import AlertConfig, Closed, State
from ops_project.operations.ledger.access import Access, from_seconds, to_seconds
from ops_project.operations.ledger.acknowledgements import acknowledgement_of
from ops_project.operations.ledger.alert_rows import alert_of
from ops_project.operations.ledger.kept_state import DECISION, ROUTES, RULES, KeptState, read_mark
from ops_project.operations.ledger.levels import read_words
from ops_project.operations.ledger.schema import acknowledgements, alerts, groups, notification_log, silences
from ops_project.operations.ledger.silences import silence_of

# Lists of numbers are read as text, because decoding JSON is expensive. With 5,000 open alerts, a cycle reads 50,000
# such lists.
_GROUP = (
    *(column for column in groups.columns if column.name != "members"),
    cast(groups.c.members, Text).label("members_text"),
)
_LOG = (
    *(column for column in notification_log.columns if column.name not in ("firing", "resolved")),
    cast(notification_log.c.firing, Text).label("firing_text"),
    cast(notification_log.c.resolved, Text).label("resolved_text"),
)


# Many entries come from the same flush and so have the same time.
_moment = lru_cache(maxsize=4096)(from_seconds)


@lru_cache(maxsize=65_536)
def _numbers(text: str) -> frozenset[int]:
    """The numbers in a list, from the text in its column."""
    inside = text[1:-1].strip()
    return frozenset(map(int, inside.split(","))) if inside else frozenset()


def read_all(connection: Connection, state: State) -> None:
    for row in connection.execute(select(alerts.c.body).where(alerts.c.active)):
        alert = alert_of(row.body)
        state.alerts[alert.number] = alert
    for row in connection.execute(select(*_GROUP)):
        state.groups[row.key] = Group(
            key=row.key,
            route=row.route,
            labels=row.labels,
            members=_numbers(row.members_text),
            created_at=from_seconds(row.created_at),
            next_flush=from_seconds(row.next_flush),
        )
    for row in connection.execute(select(*_LOG)):
        state.log[(row.group_key, row.channel, row.recipient)] = LogEntry(
            group=row.group_key,
            channel=row.channel,
            recipient=row.recipient,
            firing=_numbers(row.firing_text),
            resolved=_numbers(row.resolved_text),
            at=_moment(row.at),
            expires_at=_moment(row.expires_at),
            own_times={int(number): _moment(at) for number, at in (row.own_times or {}).items()},
        )


@dataclass(frozen=True)
class _Read:
    """The content of the ledger at one moment. From it, the state for that moment or a later one can be made."""

    at: datetime
    kept: KeptState
    next_number: int
    closed: Sequence[tuple[str, datetime, int]]
    """The alerts that can still count as flapping, the oldest first: (key, when it was resolved, flaps)."""
    silences: Sequence[Silence]
    acknowledgements: Mapping[int, Acknowledgement]
    resolutions: Mapping[int, Resolution]
    dismissed: Mapping[str, datetime]

    def state(self, now: datetime, flap_window: timedelta) -> State:
        """A copy of the state, as it is at `now`."""
        state, mark = State(), self.kept.mark
        state.routes_version = mark[ROUTES][0] if ROUTES in mark else ""
        state.rules_version = mark[RULES][0] if RULES in mark else ""
        self.kept.fill(state)
        state.next_number = self.next_number
        for key, resolved_at, flaps in self.closed:
            if resolved_at > now - flap_window:
                state.closed[key] = Closed(resolved_at, flaps)
        state.silences = {silence.number: silence for silence in self.silences if silence.ends_at > now}
        state.acknowledgements = dict(self.acknowledgements)
        state.resolutions, state.dismissed = dict(self.resolutions), dict(self.dismissed)
        return state


def _read(connection: Connection, now: datetime, flap_window: timedelta, kept: KeptState | None) -> _Read:
    """Read the ledger. `kept` is used if no other process has written since it was kept."""
    # The mark is read first. If another process writes during the reading, the mark is already out of date, so the next
    # cycle reads everything again.
    mark = read_mark(connection)
    if kept is None or kept.mark != mark:
        state = State()
        read_all(connection, state)
        kept = KeptState.of(mark, state)
    newest = connection.execute(select(func.max(alerts.c.number))).scalar() or 0
    recent = select(alerts.c.key, alerts.c.resolved_at, alerts.c.body["flaps"].as_integer()).where(
        ~alerts.c.active, alerts.c.fired_at.is_not(None), alerts.c.resolved_at > to_seconds(now - flap_window)
    )
    closed = connection.execute(recent.order_by(alerts.c.number)).tuples().all()
    untold = select(acknowledgements).where(acknowledgements.c.told_at.is_(None))
    resolutions, dismissed = read_words(connection)
    return _Read(
        at=now,
        kept=kept,
        next_number=newest + 1,
        closed=[(key, from_seconds(at), flaps) for key, at, flaps in closed],
        silences=[
            silence_of(r) for r in connection.execute(select(silences).where(silences.c.ends_at > to_seconds(now)))
        ],
        acknowledgements={row.alert: acknowledgement_of(row) for row in connection.execute(untold)},
        resolutions=resolutions,
        dismissed=dismissed,
    )


class EngineStateTable(Access):
    """Reads the state of alerting. The process keeps what it last read or wrote."""

    kept: KeptState | None

    def load_state(self, config: AlertConfig, now: datetime) -> State:
        """The state of alerting without its windows. The cycle fills the windows from the signals."""
        window = config.flap_window

        def ask() -> _Read:
            with self.read() as connection:
                return _read(connection, now, window, self.kept)

        found = self.answers.ask(("engine", window), ask)
        if found.at > now:
            found = ask()
        if DECISION in found.kept.mark:
            self.kept = found.kept
        return found.state(now, window)
