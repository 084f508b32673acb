"""Tells open pages by server-sent events that something has changed. A page then loads its new content itself. All
pages share one query, so the ledger is asked equally often for one open browser and for fifty.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from ops_project.console.site import Site
from ops_project.failures import Unusable
from ops_project.settings import Settings

LOOK_SECONDS = 1.0
EVERY_SECONDS = 60.0
"""A page that shows relative times is refreshed this often, even if nothing else has changed."""
SILENT_SECONDS = 15.0


class Pulse:
    """Lets the open pages of one site wait for changes."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._mark = ""
        self._looked = 0.0
        self._turn = asyncio.Lock()

    async def mark(self) -> str:
        """A text that differs from the last one whenever a page may have something new to show."""
        async with self._turn:
            if time.monotonic() - self._looked >= LOOK_SECONDS or not self._mark:
                self._mark = await run_in_threadpool(mark_of, self.site)
                self._looked = time.monotonic()
            return self._mark

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events: the present mark at once, and the new mark whenever it changes."""
        last, said = "", time.monotonic()
        while True:
            found = await self.mark()
            if found != last:
                last, said = found, time.monotonic()
                yield f"event: mark\ndata: {found}\n\n"
            elif time.monotonic() - said > SILENT_SECONDS:
                said = time.monotonic()
                yield ": still here\n\n"
            await asyncio.sleep(LOOK_SECONDS)

    def response(self) -> StreamingResponse:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self.events(), media_type="text/event-stream", headers=headers)


def mark_of(site: Site) -> str:
    """The mark: a text made of the newest change of the ledger, the files of Dagster's runs, the newest snapshot and
    the present minute.
    """
    try:
        ledger = site.ledger.newest_change()
    except Unusable:
        ledger = "unusable"
    snapshot = site.reader.newest()
    minute = int(site.clock().timestamp() // EVERY_SECONDS)
    return f"{ledger}|{_runs(site.settings)}|{snapshot.id if snapshot else ''}|{minute}"


def _runs(settings: Settings) -> str:
    found = []
    for name in ("runs.db", "runs.db-wal"):
        path = Path(settings.dagster_home) / "history" / name
        with suppress(OSError):
            found.append(str(path.stat().st_mtime_ns))
    return "-".join(found)
