"""Summarizes a replay. All channels of the same notification share one line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ops_project.operations.alerting.decide.rules_replay import Change, Told


@dataclass(frozen=True)
class Moment:
    """A notification at one time, with all channels through which it goes."""

    at: datetime
    page: bool
    status: str
    summary: str
    through: tuple[str, ...]


@dataclass(frozen=True)
class AlertChange:
    """The effect of a changed configuration on one alert. `before` and `after` are numbers of messages."""

    page: bool
    status: str
    summary: str
    before: int
    after: int
    through: tuple[str, ...]

    @property
    def word(self) -> str:
        """The kind of change in one word: added, removed, more, fewer or moved."""
        if not self.before or not self.after:
            return "added" if self.after else "removed"
        return "more" if self.after > self.before else "fewer" if self.after < self.before else "moved"


def by_moment(told: Sequence[Told], left_out: Collection[str] = ()) -> list[Moment]:
    """The notifications in the order of their times. `left_out`: the channels that lack a variable and send nothing."""
    found: dict[tuple[datetime, bool, str, str], list[str]] = {}
    for item in told:
        found.setdefault((item.at, item.page, item.status, item.summary), []).append(item.channel)
    return [
        Moment(*key, through=ways(channels, left_out)) for key, channels in sorted(found.items(), key=lambda kv: kv[0])
    ]


def by_alert(changes: Sequence[Change], left_out: Collection[str] = ()) -> list[AlertChange]:
    """The changes for each alert: pages first, then additions, then in the order of their texts. `left_out`: the
    channels that lack a variable and send nothing.
    """
    found: dict[tuple[bool, str, str], list[Change]] = {}
    for change in changes:
        found.setdefault((change.page, change.status, change.summary), []).append(change)
    result = [
        AlertChange(
            *key, sum(c.before for c in group), sum(c.after for c in group), ways((c.channel for c in group), left_out)
        )
        for key, group in found.items()
    ]
    return sorted(result, key=lambda c: (not c.page, c.before > 0, c.summary, c.status))


def ways(channels: Iterable[str], left_out: Collection[str] = ()) -> tuple[str, ...]:
    """The channels in short form: `data-team/0-file` and `data-team/2-email` become `data-team (file, email)`, or
    `data-team (file, email left out)` if the second is in `left_out`.
    """
    found: dict[str, list[str]] = {}
    for channel in sorted(set(channels)):
        receiver, _, kind = channel.partition("/")
        found.setdefault(receiver, []).append(kind.partition("-")[2] + " left out" * (channel in left_out))
    return tuple(f"{receiver} ({', '.join(dict.fromkeys(kinds))})" for receiver, kinds in found.items())
