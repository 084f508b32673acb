"""The part of a home that a fault in files can change: the files of one day, before any process has read them.

The simulator has staged the files, or they are in inbound already and may be a user's own. Every change is made on a
temporary file, which is then renamed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ops_project.catalog import Catalog
from ops_project.model.feed.feed import Contract, Feed
from ops_project.simulator.faults.request import FaultError
from ops_project.simulator.outbox import Staged
from ops_project.simulator.records import Sheet, read_bytes, write_bytes
from ops_project.simulator.world import World


@dataclass
class Scene:
    """The feed and the files that one fault changes."""

    feed: Feed
    day: date
    files: list[Staged]
    """All files of the domain's day, including control files. Faults may add and remove files."""
    rng: np.random.Generator
    catalog: Catalog
    world: World | None = None
    """The simulated world; None for files that the simulator did not write."""
    last_day: bool = True
    """False on all days but the last, if the fault changes every day of the window."""
    memory: dict[str, Any] = field(default_factory=dict)
    """Values that a fault keeps from day to day, if it changes every day of the window."""
    removed: list[str] = field(default_factory=list)
    """Names of the files that a fault removed."""

    @property
    def contract(self) -> Contract:
        return self.feed.at(self.day)

    def data(self, feed: str | None = None) -> list[Staged]:
        """The data files of a feed on this day. Raises FaultError if there are none."""
        name = feed or self.feed.name
        contract = self.catalog.feeds[name]
        found = [file for file in self.files if file.feed == name and contract.match(file.name) is not None]
        if not found:
            raise FaultError(f"feed {name!r} has no file of {self.day} to break")
        return found

    def control_of(self, file: Staged) -> Staged | None:
        """The control file beside a data file."""
        control = self.catalog.feeds[file.feed].control
        if control is None:
            return None
        name = control_name(control.file, file.name)
        return next((other for other in self.files if other.name == name), None)

    def sheet(self, file: Staged) -> Sheet:
        """The records of the file, which a fault may change."""
        feed = self.catalog.feeds[file.feed]
        return Sheet.read(file.path, feed, feed.at(self.day))

    def write(self, file: Staged, sheet: Sheet, *, recount: bool = True) -> None:
        """Write the records back. `recount`: whether the control file and the trailer get the new number of records."""
        sheet.write(file.path, recount=recount)
        control = self.control_of(file)
        if recount and control is not None:
            self.set_control(file, len(sheet.rows))

    def set_control(self, file: Staged, rows: int) -> None:
        """Write a count into the control file. The rest of the control file stays as it is."""
        control, pattern = self.control_of(file), self.catalog.feeds[file.feed].control
        if control is None or pattern is None:
            raise FaultError(f"feed {file.feed!r} has no control file of {self.day}")
        text = control.path.read_text(encoding="utf-8")
        write_bytes(control.path, replace_count(pattern.rows, text, rows, control.name).encode())

    def bytes_of(self, file: Staged) -> bytes:
        return read_bytes(file.path)

    def put(self, file: Staged, content: bytes) -> None:
        write_bytes(file.path, content)

    def remove(self, file: Staged) -> None:
        """Remove the file and its control file."""
        for gone in (file, self.control_of(file)):
            if gone is not None:
                gone.path.unlink(missing_ok=True)
                self.files.remove(gone)
                self.removed.append(gone.name)

    def copy(self, file: Staged, name: str) -> Staged:
        """Deliver the same bytes under another name."""
        other = Staged(file.feed, file.business_date, file.path.with_name(name), file.arrives_at, file.rows)
        write_bytes(other.path, file.path.read_bytes(), compress=False)
        self.files.append(other)
        return other

    def arrive(self, file: Staged, moment: datetime, *, future: bool = True) -> None:
        """Let the file and its control file arrive at `moment`.

        `future`: what happens if `moment` is in the future. True: the files keep this time. False: they arrive now.
        """
        for moved in (file, self.control_of(file)):
            if moved is not None:
                moved.arrives_at = moment
                moved.may_be_future = future
                os.utime(moved.path, (moment.timestamp(), moment.timestamp()))


def control_name(pattern: str, name: str) -> str:
    """The name of the control file of a data file."""
    return pattern.format(name=name, stem=Path(name).name.split(".", 1)[0])


def replace_count(pattern: str, text: str, rows: int, name: str) -> str:
    """`text` with `rows` in place of the count that `pattern` finds. Raises FaultError if `pattern` finds no count."""
    found = re.search(pattern, text)
    if found is None:
        raise FaultError(f"{name}: no count found by {pattern!r}")
    start, end = found.span("rows")
    return f"{text[:start]}{rows}{text[end:]}"
