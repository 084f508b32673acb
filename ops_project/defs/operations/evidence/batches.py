"""Evidence from landed files: the newest batches with a finding or refused rows, and masked samples of these rows."""

from __future__ import annotations

from collections.abc import Iterator

from ops_project.counted import counted
from ops_project.defs.operations.evidence.snapshot import asked, line, newest
from ops_project.masking import mask
from ops_project.operations.diagnosis.evidence import Item, Scene
from ops_project.sql_text import literal

SAMPLES, BATCHES = 3, 3
LISTED_ASSETS = 8


def items_of_batches(scene: Scene) -> Iterator[Item]:
    """The newest files with a finding or refused rows, for the feeds concerned, and masked samples of refused rows. If
    the problem is about one batch, this batch is always shown.
    """
    snapshot = newest(scene)
    feeds = [asset.partition("/")[2] for asset in scene.assets if asset.startswith("bronze/")]
    feeds = [feed for feed in feeds if feed in scene.catalog.feeds][:LISTED_ASSETS]
    if snapshot is None or not feeds:
        return
    names = ", ".join(literal(feed) for feed in feeds)
    wanted = f"batch_id = {literal(scene.batch_id)}" if scene.batch_id else "true"
    for row in asked(
        snapshot,
        "select feed, file_name, business_date, rows_in, rows_loaded, rows_quarantined, rows_collapsed, status, finding"
        f" from ops.batches where feed in ({names}) and {wanted} and (finding is not null or rows_quarantined > 0 or "
        f"{'true' if scene.batch_id else 'false'}) order by load_seq desc limit {BATCHES}",
    ):
        feed, file, day, rows, loaded, refused, collapsed, status, finding = row
        text = f"{file} of {day}, {status}: {counted(rows, 'row')} in, {loaded:,} loaded, {refused:,} quarantined"
        text += f", {collapsed:,} duplicates" if collapsed else ""
        yield Item(f"Batch of {feed}", line(f"{text}{f'; finding {finding}' if finding else ''}"), "ops.batches")
    for feed, file, number, column, reason, raw in asked(
        snapshot,
        "select feed, file_name, line, column_name, reason, raw_text from ops.quarantine"
        f" where feed in ({names}) and {wanted} order by batch_id desc, line limit {SAMPLES}",
    ):
        personal = bool(scene.catalog.feeds[feed].personal_columns())
        shown = "***" if personal else mask(str(raw or ""))
        where = f"{file}, line {number}{f', column {column}' if column else ''}"
        yield Item(f"Refused row of {feed}", line(f"{where}: {reason}: {shown}"), "ops.quarantine")
