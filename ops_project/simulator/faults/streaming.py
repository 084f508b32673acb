"""Faults of music streaming that exceed its alert thresholds: errors in 15 minutes, and unknown references in an hour.
A third fault makes streams wait upstream.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from ops_project.simulator.faults.fault import Details, Fault
from ops_project.simulator.faults.request import FaultError
from ops_project.simulator.faults.rows import UNKNOWN_REFERENCES, unknown_id
from ops_project.simulator.faults.scene import Scene
from ops_project.simulator.outbox import Staged
from ops_project.simulator.records import Sheet

ERROR_WINDOW = timedelta(minutes=15)
ERROR_SHARE = 0.3
REFERENCE_WINDOW = timedelta(hours=1)


def error_rate(scene: Scene) -> Details:
    """Give 30 % of the streams in 15 minutes a negative duration. The alert threshold is 5 % of the streams that were
    listened to in 15 minutes.
    """
    file, sheet, start, inside = _busiest(scene, ERROR_WINDOW)
    seconds = sheet.column("listen_seconds")
    broken = inside[: max(1, round(len(inside) * ERROR_SHARE))]
    for index in broken:
        sheet.rows[index].fields[seconds] = -1
    scene.write(file, sheet)
    return {"file": file.name, "window_start": start, "streams": len(inside), "broken": len(broken)}


def unknown_songs(scene: Scene) -> Details:
    """Replace the songs of fifteen streams in one hour by songs that are in no catalogue. The streams are spread over
    the hour, so that no 15 minutes of it have 5 % of errors.
    """
    file, sheet, start, inside = _busiest(scene, REFERENCE_WINDOW)
    song = sheet.column("song_id")
    chosen = inside[:: max(1, len(inside) // UNKNOWN_REFERENCES)][:UNKNOWN_REFERENCES]
    for number, index in enumerate(chosen):
        sheet.rows[index].fields[song] = unknown_id(str(sheet.rows[index].fields[song]), number)
    scene.write(file, sheet)
    return {"file": file.name, "window_start": start, "songs": [sheet.rows[index].fields[song] for index in chosen]}


def consumer_lag(scene: Scene) -> Details:
    """Deliver only the first file of streams of the day, as if the later files waited upstream."""
    first, *held = sorted(scene.data(), key=lambda file: file.name)
    if not held:
        raise FaultError(f"feed {scene.feed.name!r} has one file of {scene.day} only: none of it can lag behind")
    for file in held:
        scene.remove(file)
    return {"came": first.name, "held_back": [file.name for file in held]}


def _busiest(scene: Scene, window: timedelta) -> tuple[Staged, Sheet, datetime, list[int]]:
    """The largest file, its records, the start of its busiest window, and the positions of the records in this window.
    A window begins at a multiple of its length.
    """
    file = max(scene.data(), key=lambda one: one.path.stat().st_size)
    sheet = scene.sheet(file)
    when = sheet.column("listened_at")
    seconds = int(window.total_seconds())
    moments = [datetime.fromisoformat(str(row.fields[when])).replace(tzinfo=UTC) for row in sheet.rows]
    slots = [int(moment.timestamp()) // seconds for moment in moments]
    slot, _ = Counter(slots).most_common(1)[0]
    start = datetime.fromtimestamp(slot * seconds, UTC)
    return file, sheet, start, [index for index, own in enumerate(slots) if own == slot]


FAULTS = (
    Fault(
        "error_rate",
        "breaks 30 % of the streams of a quarter of an hour",
        "S4",
        "data_invalid",
        "streams",
        act=error_rate,
    ),
    Fault(
        "unknown_songs",
        "plays fifteen unknown songs within an hour",
        "S4",
        "reference_violation",
        "streams",
        act=unknown_songs,
    ),
    Fault(
        "consumer_lag",
        "holds back all streams of a day except those of its first hours",
        "S2 S4",
        "volume_anomaly",
        "streams",
        act=consumer_lag,
    ),
    Fault(
        "serving_throttled",
        "lets the serving store refuse every write for ten minutes",
        "S4",
        "resource_exhausted",
        "streams",
        asset="serving/listening_kpis",
        apply="serving",
    ),
)
