"""Faults of whole files: absent, late, empty, cut off, unreadable, delivered twice, or with a wrong count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from ops_project.simulator.faults.fault import Details, Fault
from ops_project.simulator.faults.request import FaultError
from ops_project.simulator.faults.scene import Scene, control_name
from ops_project.simulator.outbox import Staged

KEPT_SHARE = 0.6
LATE_BY = timedelta(minutes=150)


def missing(scene: Scene) -> Details:
    gone = [file.name for file in scene.data()]
    for file in scene.data():
        scene.remove(file)
    return {"removed": gone}


def late(scene: Scene) -> Details:
    """Let the last file arrive after the contract's deadline but within its grace time."""
    arrival = scene.feed.arrival
    due_day = scene.day + timedelta(days=arrival.after_days)
    deadline = datetime.combine(due_day, arrival.by, arrival.zone).astimezone(UTC)
    moment = deadline + min(LATE_BY, arrival.grace / 2)
    last = scene.data()[-1]
    scene.arrive(last, moment)
    return {"file": last.name, "due": deadline.isoformat(), "arrives": moment.isoformat()}


def late_partition(scene: Scene) -> Details:
    """Let the files arrive together with those of the next day. The partition is late, not lost."""
    moved = []
    for file in scene.data():
        scene.arrive(file, file.arrives_at + timedelta(days=1))
        moved.append({"file": file.name, "arrives": file.arrives_at.isoformat()})
    return {"moved": moved}


def zero_bytes(scene: Scene) -> Details:
    file = scene.data()[-1]
    size = len(scene.bytes_of(file))
    scene.put(file, b"")
    return {"file": file.name, "bytes_before": size}


def truncated(scene: Scene) -> Details:
    """Keep only the first 60 % of the records. The control file still counts all of them."""
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    before = len(sheet.rows)
    sheet.rows = sheet.rows[: int(before * KEPT_SHARE)]
    sheet.trailer = None
    scene.write(file, sheet, recount=False)
    return {"file": file.name, "rows_before": before, "rows_after": len(sheet.rows)}


def truncated_mid_row(scene: Scene) -> Details:
    """Keep only the first 60 % of the bytes, so that the file ends within a record."""
    file = scene.data()[-1]
    content = scene.bytes_of(file)
    cut = int(len(content) * KEPT_SHARE)
    line_start = content.rfind(b"\n", 0, cut) + 1
    line_end = content.find(b"\n", cut)
    if scene.contract.format.kind != "parquet" and line_end > line_start:
        cut = (line_start + line_end) // 2
        quote = (scene.contract.format.quote or "").encode()
        while quote and content[line_start:cut].count(quote) % 2:
            cut -= 1  # A cut inside quotes would also leave a quote open, which is another fault.
    scene.put(file, content[:cut])
    return {"file": file.name, "bytes_before": len(content), "bytes_after": cut}


def undecodable(scene: Scene) -> Details:
    """Put bytes that the contract's encoding does not know into the middle of the file. In a Parquet file, the bytes
    replace the last four bytes.
    """
    file = scene.data()[-1]
    content, kind = scene.bytes_of(file), scene.contract.format.kind
    middle = content.find(b"\n", len(content) // 2) + 1
    # The bytes 0xFE and 0xFF occur in no UTF-8 text. The last four bytes of a Parquet file mark it as Parquet.
    at = len(content) - 4 if kind == "parquet" else middle
    rest = b"" if kind == "parquet" else content[middle:]
    scene.put(file, content[:at] + b"\xff\xfe\x80\xff" + rest)
    return {"file": file.name, "at_byte": at}


def unbalanced_quote(scene: Scene) -> Details:
    """Open a quote in one record and never close it."""
    form = scene.contract.format
    if form.kind != "csv" or not form.quote:
        raise FaultError(f"feed {scene.feed.name!r} has no quotes: its format is {form.kind}")
    file = scene.data()[-1]
    lines = scene.bytes_of(file).splitlines(keepends=True)
    line = max(1, len(lines) // 2)
    lines[line] = form.quote.encode(form.encoding) + lines[line]
    scene.put(file, b"".join(lines))
    return {"file": file.name, "line": line + 1}


def duplicate_delivery(scene: Scene) -> Details:
    """Deliver the same bytes again, as a second file of the same date."""
    file = scene.data()[0]
    for name in _other_names(file):
        named, own = scene.feed.match(name), scene.feed.match(file.name)
        if named is not None and own is not None and named.date == own.date and not file.path.with_name(name).exists():
            copy = scene.copy(file, name)
            control = scene.control_of(file)
            if control is not None and scene.feed.control is not None:
                scene.copy(control, control_name(scene.feed.control.file, name))
            scene.arrive(copy, file.arrives_at + timedelta(minutes=5), future=False)
            return {"file": file.name, "again_as": name}
    raise FaultError(
        f"feed {scene.feed.name!r}: no second name of {file.name} fits its inbound pattern; give it {{revision}}"
    )


def _other_names(file: Staged) -> list[str]:
    path = Path(file.name)
    suffix = "".join(path.suffixes)
    stem = file.name.removesuffix(suffix)
    return [f"{stem}{mark}{suffix}" for mark in ("_again", "-again", "a")]


def control_count(scene: Scene) -> Details:
    """Let the control file count seven records more than the file has."""
    file = scene.data()[-1]
    if scene.control_of(file) is None:
        raise FaultError(f"feed {scene.feed.name!r} has no control file of {scene.day} to falsify")
    rows = len(scene.sheet(file).rows)
    scene.set_control(file, rows + 7)
    return {"file": file.name, "rows": rows, "control_says": rows + 7}


FAULTS = (
    Fault("missing", "removes the file", "S0", "source_missing", "orders", act=missing, any_feed=True),
    Fault(
        "late", "delivers the file hours after its deadline", "S0 S2", "source_late", "orders", act=late, any_feed=True
    ),
    Fault(
        "late_partition",
        "delivers a day's file together with the next day's",
        "S1",
        "source_late",
        "policies",
        act=late_partition,
        any_feed=True,
        days_back=1,
    ),
    Fault("zero_bytes", "leaves a file of no bytes", "S0", "source_empty", "orders", act=zero_bytes, any_feed=True),
    Fault(
        "truncated",
        "cuts the file to 60 % of its records, between two records",
        "S0 S3",
        "source_partial",
        "orders",
        act=truncated,
        any_feed=True,
    ),
    Fault(
        "truncated_mid_row",
        "cuts the file to 60 % of its bytes, within a record",
        "S0",
        "source_partial",
        "orders",
        act=truncated_mid_row,
        any_feed=True,
    ),
    Fault(
        "undecodable",
        "puts bytes into the file that its encoding does not know",
        "S0",
        "data_invalid",
        "customers",
        act=undecodable,
        any_feed=True,
    ),
    Fault(
        "unbalanced_quote",
        "opens a quote and never closes it",
        "S0",
        "data_invalid",
        "customers",
        act=unbalanced_quote,
        any_feed=True,
    ),
    Fault(
        "duplicate_delivery",
        "delivers the same bytes a second time under another name",
        "S0 S2",
        "source_duplicate",
        "orders",
        act=duplicate_delivery,
        any_feed=True,
    ),
    Fault(
        "control_count",
        "makes the control file count seven records too many",
        "S0",
        "source_partial",
        "mart_contacts",
        act=control_count,
        any_feed=True,
    ),
)
