"""Finds problems that the file alone does not show: the same file was delivered before, the file is smaller than its
history, or it came late.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from asset_checks.primitives.interval import expected_interval
from ops_project.counted import counted
from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.arrival import in_words, lateness, times_are_the_sources
from ops_project.pipeline.landing.decide.revisions import RevisionOrder, compare_revisions
from ops_project.pipeline.landing.decide.taken import Taken
from ops_project.pipeline.landing.examine.examination import Examination, FileProblem
from ops_project.pipeline.landing.inbox import SAME_MOMENT, InboundFile
from ops_project.pipeline.landing.read.json_document import has_no_record
from ops_project.pipeline.landing.read.scan import Scan

# Two weeks of daily files. They are enough to know the feed, and few enough to follow a change of its delivery.
BATCHES_BEFORE = 14


def duplicate_of(
    context: Context, day: date, part: str, *, scanned: Scan, known: list[Taken], contract: str
) -> Taken | None:
    """The batch that has already loaded these bytes; None if the file must be loaded.

    `contract`: the hash of the present contract.

    Only a batch that is still valid counts. So bytes that a correction has replaced are loaded again when the source
    sends them again. Valid bytes of the same date and part are loaded again if they were loaded under another contract.

    On another date, the same bytes are not a duplicate if repetition is natural. It is natural for a full extract
    without changes, and for a file without records.
    """
    feed = context.feed
    file_format = feed.at(day).format
    natural = feed.extract == "full" or _holds_no_record(scanned, file_format)
    return next(
        (
            batch
            for batch in known
            if batch.status == "loaded"
            and (
                batch.contract in (None, contract) or batch.part != part if batch.business_date == day else not natural
            )
        ),
        None,
    )


def _holds_no_record(scanned: Scan, file_format: Format) -> bool:
    if file_format.kind == "json":
        return has_no_record(scanned.text, file_format)
    above = file_format.skip_lines + (file_format.kind == "csv" and file_format.header)
    return file_format.has_lines and scanned.lines <= above


def duplicate(scanned: Scan, batch: Taken, times: int) -> FileProblem:
    """The finding for a file whose bytes `batch` has loaded. `times`: how often these bytes have arrived."""
    return FileProblem(
        "source_duplicate",
        f"the same content as {batch.file_name} of {batch.business_date} (batch {batch.batch_id}); nothing was loaded"
        + (f"; it has arrived {times} times" if times > 2 else ""),
        True,
        {
            "sha256": scanned.sha256,
            "same_as_batch": batch.batch_id,
            "same_as_file": batch.file_name,
            "arrived_times": times,
        },
    )


def judge_volume(context: Context, found: Examination, file: InboundFile, day: date) -> None:
    """Add the findings about too few rows. A file has too few rows if it has far fewer than the file that it replaces.
    A file without a control count also has too few rows in two other cases: it has fewer than the contract or the
    history expects, or it is a full extract without a record.
    """
    feed, rules = context.feed, context.feed.volume
    if found.rejected or not rules.enabled or _confirmed(context, found, day):
        return
    shrunk = _shrunk(context, found, file.part, day)
    if shrunk is not None and shrunk.rejects:
        found.reject(shrunk.kind, shrunk.message, **shrunk.evidence)
        return
    if shrunk is not None:
        found.problems.append(shrunk)
    if found.control_rows is not None:
        return
    if feed.extract == "full" and found.rows_in == 0:
        found.reject("source_partial", "a full extract without a single record")
        return
    problem = _too_few(context, found.rows_in, file.part, day)
    if problem is None:
        return
    if problem.rejects:
        found.reject(problem.kind, problem.message, **problem.evidence)
    else:
        found.problems.append(problem)


def _confirmed(context: Context, found: Examination, day: date) -> bool:
    """Whether a person has confirmed that this content is complete."""
    return (day, found.scan.sha256) in context.deliveries.confirmed()


def _shrunk(context: Context, found: Examination, part: str, day: date) -> FileProblem | None:
    """The doubt about a correction that has far fewer rows than the file that it replaces (`max_loss`). None if the
    same content was loaded for this date before.
    """
    if not context.deliveries.standing(day, part):
        return None
    loaded = context.rows(
        """
        SELECT string_agg(batch_id, ', '), sum(rows_in - rows_quarantined) FROM ops.batches
        WHERE feed = ? AND business_date = ? AND part IS NOT DISTINCT FROM ? AND status = 'loaded'
        """,
        [context.feed.name, day, part],
    )
    batches, before = loaded[0]
    after = found.rows_in - found.rows_refused
    known = context.count(
        "SELECT count(*) FROM ops.batches WHERE feed = ? AND business_date = ? AND sha256 = ? AND status <> 'rejected'",
        [context.feed.name, day, found.scan.sha256],
    )
    if not before or known or after >= (1 - context.feed.volume.max_loss) * int(before):
        return None
    what = "empties the day" if after == 0 else f"has {counted(after, 'row')} in place of {before}"
    return FileProblem(
        "source_partial",
        f"the correction {what} (batch {batches}): ask the source whether the missing rows are really gone. If they "
        f"are: `ops feed confirm {context.feed.name} --date {day} --why …`; if not, ask for a complete file",
        context.feed.volume.on_low == "reject",
        {"rows": after, "rows_before": int(before), "replaces": batches, "max_loss": context.feed.volume.max_loss},
    )


def judge_revision(context: Context, found: Examination, file: InboundFile, day: date, arrived_at: datetime) -> None:
    """Add a doubt about a file that replaces another one in two cases: its name says that it is the older file, or
    neither name nor time says which file is newer.
    """
    if found.rejected or not context.deliveries.standing(day, file.part):
        return
    standing = context.rows(
        """
        SELECT file_name, arrived_at, (SELECT count(*) FROM ops.batches WHERE feed = $feed AND sha256 = $sha)
        FROM ops.batches
        WHERE feed = $feed AND business_date = $day AND part IS NOT DISTINCT FROM $part AND status = 'loaded'
        ORDER BY load_seq DESC LIMIT 1
        """,
        {"feed": context.feed.name, "day": day, "part": file.part, "sha": found.scan.sha256},
    )
    if not standing or standing[0][0] == file.name or standing[0][2]:
        return
    name, before, _ = standing[0]
    named = context.feed.match(name)
    said = compare_revisions(file.revision, named.revision if named is not None else "")
    together = abs(arrived_at - before.replace(tzinfo=UTC)) <= SAME_MOMENT
    if said is RevisionOrder.OLDER:
        words = f"by its name it is older than {name}, which it replaces"
    elif together and said in (RevisionOrder.UNCLEAR, RevisionOrder.SAME):
        words = f"it came at the same time as {name}, which it replaces, and neither time nor name says which is newer"
    else:
        return
    words += "; if the other one is right, deliver it again"
    found.problems.append(FileProblem("source_partial", words, False, {"replaces": name, "order": said.value}))


def _too_few(context: Context, rows: int, part: str, day: date) -> FileProblem | None:
    rules, reject = context.feed.volume, context.feed.volume.on_low == "reject"
    if rules.min_rows is not None and rows < rules.min_rows:
        message = f"{counted(rows, 'record')}, but the contract expects at least {rules.min_rows}"
        return FileProblem("source_partial", message, reject, {"rows": rows, "min_rows": rules.min_rows})
    history = context.deliveries.rows_before(day, part, rules.history)
    interval = expected_interval([(earlier, float(number)) for earlier, number in history], day, rules)
    if interval is None or rows >= interval.low or interval.holds(rows):
        return None
    return FileProblem(
        "source_partial",
        f"{counted(rows, 'record')}; after {counted(interval.points, 'earlier date')} {interval.expected:.0f} "
        "were expected, "
        f"at least {interval.low:.0f}",
        reject,
        {
            "rows": rows,
            "expected": round(interval.expected),
            "low": round(interval.low),
            "high": round(interval.high),
            "points": interval.points,
            "model": interval.model,
        },
    )


def judge_times(context: Context, waiting: list[tuple[date, datetime]]) -> None:
    """Decide whether the arrival times of the files were set by the source. The decision uses the waiting files and the
    last files before them. A late time proves that a file was late only if the source set the times.
    """
    if not waiting:
        return  # No file will be judged.
    known = [(batch.business_date, batch.arrived_at) for batch in context.deliveries.all()[: -BATCHES_BEFORE - 1 : -1]]
    context.own_times = times_are_the_sources(context.feed, waiting + known)


def judge_lateness(context: Context, found: Examination, file: InboundFile, day: date, arrived_at: datetime) -> None:
    """Add the finding about a late file."""
    still_open = context.deliveries.open_findings()
    missed = [item.observed_at for item in still_open if item.kind == "source_missing" and item.business_date == day]
    missed_at = min(missed, default=None)
    doubted = {item.batch_id for item in still_open}
    was_loaded = any(batch.batch_id not in doubted for batch in context.deliveries.standing(day, file.part))
    late = lateness(
        context.feed,
        day,
        arrived_at,
        was_missing=missed_at is not None,
        was_loaded=was_loaded,
        known_since=context.known_since,
        own_times=context.own_times,
    )
    if late.late and late.deadline is not None:
        found.problems.append(
            FileProblem(
                "source_late",
                in_words(late, arrived_at, missed_at),
                False,
                {
                    "arrived_at": arrived_at,
                    "deadline": late.deadline,
                    "reason": late.reason,
                    **({"missed_at": missed_at} if missed_at is not None else {}),
                },
            )
        )
