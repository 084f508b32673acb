"""Dagster's daemon, which prints a known error as one line: `python -m ops_project.cli.dagster_daemon`.

While the server of the ledger or of Dagster's own storage is down, each tick of the alert cycle fails. Dagster would
print four stack traces for each tick, which is a few thousand lines in a minute. The traces are not lost: the tick
itself keeps its error, and the Dagster UI shows it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from dagster._daemon import daemon as loop
from dagster._daemon.cli import main
from dagster._daemon.controller import DagsterDaemonController
from dagster._daemon.daemon import SensorDaemon
from dagster._daemon.utils import DaemonErrorCapture
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster_shared.error import SerializableErrorInfo

from ops_project.dagster_bridge.speaking import one_line
from ops_project.dagster_bridge.storage_errors import storage_words
from ops_project.settings import Settings

SPEAKING = frozenset(
    {
        "Unusable",
        "JournalUnusable",
        "LedgerUnusable",
        "LedgerFailed",
        "LedgerEmptied",
        "LedgerGone",
        "LedgerMisnamed",
        "LedgerNewer",
        "WarehouseUnusable",
        "ModelUnusable",
        "NothingRecorded",
        "PublicationUnusable",
        "ReportUnusable",
        "SnapshotUnusable",
        "StorageUnusable",
    }
)
"""The names of the errors that need no trace: `failures.Unusable` and the classes below it. Their text says what cannot
be used, where it is, and what to do next.
"""


def speaking(error: SerializableErrorInfo | None) -> str:
    """The text of the first error that needs no trace, among this error and its causes. Empty if there is none."""
    while error is not None:
        if error.cls_name in SPEAKING:
            return error.message.partition(": ")[2].strip()
        error = error.cause
    return ""


LAST_TICK_SECONDS = 5.0
"""How long the end of the daemon waits for a tick that runs, because its cycle would record a heartbeat once more."""
QUIET_SECONDS = 600.0
"""While a store is down, ticks fail every few seconds. If an error comes back after a longer pause than this, it counts
as a new outage.
"""


class Reporter:
    """Reports the errors of the daemon's loops. The same text is printed once for each outage."""

    def __init__(self, usual: Any) -> None:
        self.usual = usual
        self.heard: dict[str, float] = {}
        """Text of an error → when it last occurred."""

    def __call__(self, exc_info: Any, logger: logging.Logger, log_message: str) -> SerializableErrorInfo:
        """Report an error, and return what Dagster stores about it. Dagster passes the arguments by these names."""
        found: SerializableErrorInfo = self.usual(exc_info, _Mute(), log_message)
        words = speaking(found) or storage_words(exc_info[1], Settings.load().dagster_home)
        if not words:
            logger.error(log_message, exc_info=exc_info)
            return found
        now = time.monotonic()
        lately = {said: at for said, at in self.heard.items() if now - at <= QUIET_SECONDS}
        if words not in lately:
            logger.error("%s: %s", log_message, words)
        self.heard = {**lately, words: now}
        return found


class _Mute:
    """A logger that drops the trace that Dagster would print."""

    def exception(self, *_: object) -> None:
        return


AS_BEFORE = "The error is the same as before: the store cannot be used."
_heard: dict[str, float] = {}
"""Text of an error → when it last occurred, as in a Reporter, but for all loops of this process."""


def in_one_line(exc_info: Any) -> SerializableErrorInfo:
    """The error of a loop that does not use a Reporter. Dagster prints and stores the result. For a known error the
    result is one line with the next step. Any other error is returned as Dagster describes it.
    """
    found = serializable_error_info_from_exc_info(exc_info)
    words = speaking(found) or storage_words(exc_info[1], Settings.load().dagster_home)
    if not words:
        return found
    now = time.monotonic()
    if now - _heard.get(words, -QUIET_SECONDS) < QUIET_SECONDS:
        _heard[words] = now
        words = AS_BEFORE
    else:
        _heard[words] = now
    return SerializableErrorInfo(f"{words}\n", [], found.cls_name)


def without_trace(record: logging.LogRecord) -> bool:
    """A filter for Dagster's log records. It replaces the trace of a known error by one line, and keeps every
    record.
    """
    if record.exc_info and record.exc_info[1] is not None:
        found = in_one_line(record.exc_info)
        if not found.stack:
            record.msg, record.args, record.exc_info = f"{record.getMessage()}: {found.message.strip()}", (), None
    return True


def when_it_ends(ended: Callable[[], None]) -> None:
    """Call `ended` as soon as the daemon starts no tick of a sensor any more. Dagster then waits for its other threads,
    some of which sleep, and this can take a minute.
    """
    leave = DagsterDaemonController.__exit__

    def told_first(controller: Any, *error: Any) -> None:
        controller._daemon_shutdown_event.set()
        sensors = controller._daemon_threads.get(SensorDaemon.daemon_type())
        if sensors is not None:
            sensors.join(timeout=LAST_TICK_SECONDS)
        ended()
        leave(controller, *error)

    setattr(DagsterDaemonController, "__exit__", told_first)  # noqa: B010


def run() -> None:
    """Dagster's command line of the daemon."""
    setattr(loop, "serializable_error_info_from_exc_info", in_one_line)  # noqa: B010
    setattr(DaemonErrorCapture, "process_exception", staticmethod(Reporter(DaemonErrorCapture.process_exception)))  # noqa: B010
    # Dagster writes errors of its check of the daemons' heartbeats to this logger.
    logging.getLogger("dagster.daemon").addFilter(without_trace)
    with one_line():
        main()


if __name__ == "__main__":
    run()
