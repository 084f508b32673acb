"""Faults of volume: too few records, twice as many, the same number every day, and the many records of a holiday.

The control files agree with the files. So only a comparison with earlier days shows that something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ops_project.simulator.faults.fault import Details, Fault
from ops_project.simulator.faults.request import FaultError
from ops_project.simulator.faults.scene import Scene
from ops_project.simulator.outbox import Staged
from ops_project.simulator.records import Row, Sheet

DROPPED_SHARE = 0.3
CONSTANT_SHARE, LEFT_SHARE = 0.7, 0.6
HOLIDAY_COPIES = 2
# Feed → its dependent feeds, whose records belong to records of this feed. Each entry names the dependent feed, a
# column of it, and the column of this feed to which that column refers.
DEPENDENTS = {
    "orders": (("order_items", "order_id", "order_id"),),
    "mart_contacts": (("mart_responses", "treatment_id", "treatment_id"),),
}


def volume_drop(scene: Scene) -> Details:
    def keep(sheet: Sheet) -> Iterable[int]:
        count = len(sheet.rows) - round(len(sheet.rows) * DROPPED_SHARE)
        return np.sort(scene.rng.choice(len(sheet.rows), count, replace=False))

    return _shrink(scene, keep)


def volume_constant(scene: Scene) -> Details:
    """Send the same number of records every day. On the last day, send 60 % of this number."""

    def keep(sheet: Sheet) -> Iterable[int]:
        steady = scene.memory.setdefault("rows", int(len(sheet.rows) * CONSTANT_SHARE))
        return range(min(len(sheet.rows), int(steady * LEFT_SHARE) if scene.last_day else steady))

    return _shrink(scene, keep)


def volume_doubled(scene: Scene) -> Details:
    return _grow(scene, scene.feed.name, copies=1)


def holiday_spike(scene: Scene) -> Details:
    """Deliver three times as many records as usual. For product events, the transactions are tripled too."""
    done = {scene.feed.name: _grow(scene, scene.feed.name, copies=HOLIDAY_COPIES)}
    if scene.feed.name == "product_events":
        done["transactions"] = _grow(scene, "transactions", copies=HOLIDAY_COPIES)
    return {"grown": done}


def _shrink(scene: Scene, keep: Callable[[Sheet], Iterable[int]]) -> Details:
    details: Details = {"files": []}
    for file in scene.data():
        sheet = scene.sheet(file)
        before = list(sheet.rows)
        sheet.rows = [before[index] for index in keep(sheet)]
        scene.write(file, sheet)
        details["files"].append({"file": file.name, "rows_before": len(before), "rows_after": len(sheet.rows)})
        left = set(map(id, sheet.rows))
        gone = [row for row in before if id(row) not in left]
        details |= _drop_dependents(scene, sheet, gone)
    return details


def _drop_dependents(scene: Scene, sheet: Sheet, gone: list[Row]) -> Details:
    dropped: Details = {}
    for feed, column, named in DEPENDENTS.get(scene.feed.name, ()):
        keys = {row.fields[sheet.column(named)] for row in gone}
        for file in _there(scene, feed):
            other = scene.sheet(file)
            before = len(other.rows)
            other.rows = [row for row in other.rows if row.fields[other.column(column)] not in keys]
            scene.write(file, other)
            dropped[f"{feed}_dropped"] = before - len(other.rows)
    return dropped


def _grow(scene: Scene, feed: str, *, copies: int) -> Details:
    """Add every record `copies` times, each time under a new key, together with its dependent records."""
    contract = scene.catalog.feeds[feed]
    if not contract.key:
        raise FaultError(f"feed {feed!r} has no key: copies of its records cannot be distinguished from duplicates")
    column = next((name for name in contract.key if _is_id(contract.columns[name].type, name)), contract.key[0])
    raw = contract.at(scene.day).raw_names.get(column, column)
    details: Details = {"files": []}
    for file in scene.data(feed):
        before, after = _multiply(scene, file, raw, copies)
        details["files"].append({"file": file.name, "rows_before": before, "rows_after": after})
    for other, child, _ in DEPENDENTS.get(feed, ()):
        for file in _there(scene, other):
            _multiply(scene, file, child, copies)
    return details


def _multiply(scene: Scene, file: Staged, raw: str, copies: int) -> tuple[int, int]:
    sheet = scene.sheet(file)
    position, originals = sheet.column(raw), list(sheet.rows)
    for number in range(1, copies + 1):
        for row in originals:
            again = row.copy()
            again.fields[position] = another_id(again.fields[position], number)
            sheet.rows.append(again)
    scene.write(file, sheet)
    return len(originals), len(sheet.rows)


def another_id(value: object, number: int) -> object:
    """An id of the same form that no simulated source uses: the first digit is raised by three times `number`."""
    text = str(value)
    place = next((index for index, char in enumerate(text) if char.isdigit()), None)
    if place is None:
        return f"{text}-{number}"
    digit = (int(text[place]) + 3 * number) % 10
    changed = f"{text[:place]}{digit}{text[place + 1 :]}"
    return int(changed) if isinstance(value, int) else changed


def _is_id(kind: str, name: str) -> bool:
    return name.endswith("_id") or kind in ("bigint", "integer")


def _there(scene: Scene, feed: str) -> list[Staged]:
    """The day's data files of another feed; empty if they are not available."""
    try:
        return scene.data(feed) if feed in scene.catalog.feeds else []
    except FaultError:
        return []


FAULTS = (
    Fault(
        "volume_drop",
        "loses 30 % of the day's records, and what belongs to them",
        "S0 S3",
        "volume_anomaly",
        "orders",
        act=volume_drop,
        any_feed=True,
    ),
    Fault(
        "volume_doubled",
        "sends every record twice, the second time under a new key",
        "S0 S3",
        "volume_anomaly",
        "orders",
        act=volume_doubled,
        any_feed=True,
    ),
    Fault(
        "volume_constant",
        "sends the same number of records every day, and 60 % of it on the last",
        "S3",
        "volume_anomaly",
        "orders",
        act=volume_constant,
        any_feed=True,
        spans_window=True,
    ),
    Fault(
        "holiday_spike",
        "triples use and sales on a public holiday, which is not an anomaly",
        "S2",
        None,
        "product_events",
        act=holiday_spike,
        on_holiday=True,
    ),
)
