"""The copy of the notification log, arranged by group."""

from __future__ import annotations

from ops_project.operations.alerting.decide.grouping import LogEntry, LogKey
from ops_project.operations.alerting.decide.kept import Kept


class KeptLog(Kept[LogKey, LogEntry]):
    """The entries of the notification log."""

    readers = ("bound", "mute")

    def __init__(self) -> None:
        super().__init__()
        self.of_group: dict[str, set[LogKey]] = {}

    def enter(self, key: LogKey, _entry: LogEntry, /) -> None:
        self.of_group.setdefault(key[0], set()).add(key)

    def leave(self, key: LogKey, _entry: LogEntry, /) -> None:
        keys = self.of_group.get(key[0])
        if keys is not None:
            keys.discard(key)
            if not keys:
                del self.of_group[key[0]]

    def recipients(self, group: str, channel: str) -> set[str]:
        """The recipients who were told something about this group through this channel."""
        return {recipient for _, name, recipient in self.of_group.get(group, ()) if name == channel}
