"""Knows whether a recipient was already told of an alert through another group of the same channel."""

from __future__ import annotations

from collections.abc import Mapping

from ops_project.operations.alerting.decide.grouping import LogEntry, LogKey


class KnownElsewhere:
    """The notification log, arranged by channel, recipient and alert. It is built at the first question, so that a
    flush reads the log once and not once for each group. Every entry that is written after that must be passed to
    `note`.
    """

    def __init__(self, log: Mapping[LogKey, LogEntry]) -> None:
        self._log = log
        self._groups: dict[tuple[str, str, int], set[str]] | None = None

    def has(self, number: int, group: str, channel: str, recipient: str) -> bool:
        """Whether a group other than this one reported the alert to the recipient through the channel."""
        if self._groups is None:
            self._groups = {}
            for entry in self._log.values():
                self._enter(entry)
        return not self._groups.get((channel, recipient, number), set()) <= {group}

    def note(self, before: LogEntry | None, entry: LogEntry) -> None:
        """Record that `entry` was written in place of `before`."""
        if self._groups is None:
            return
        if before is not None:
            for number in before.firing - entry.firing:
                self._groups[before.channel, before.recipient, number].discard(before.group)
        self._enter(entry)

    def _enter(self, entry: LogEntry) -> None:
        assert self._groups is not None
        for number in entry.firing:
            self._groups.setdefault((entry.channel, entry.recipient, number), set()).add(entry.group)
