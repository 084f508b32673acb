"""Compares the count in a trailer or control file with the number of records in the file."""

from __future__ import annotations

import re
from typing import Any

from ops_project.counted import counted
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.examine.examination import Examination, FileProblem
from ops_project.pipeline.landing.inbox import InboundFile

# A number with more digits cannot be stored in the journal, and no file has so many records.
MOST_DIGITS = 18


class Trailer:
    """Recognises the trailer, which is the last line of a file, and keeps the count in it."""

    def __init__(self, feed: Feed) -> None:
        self.pattern = re.compile(feed.trailer.pattern) if feed.trailer is not None else None
        self.rows: int | None = None
        self.seen = False

    def __call__(self, text: str) -> bool:
        found = self.pattern.fullmatch(text.strip()) if self.pattern is not None else None
        if found is None:
            return False
        self.rows, self.seen = _number(found["rows"]), True
        return True


def _number(text: str) -> int | None:
    digits = re.sub(r"[^0-9]", "", text)
    number = digits.lstrip("0") or "0"
    return int(number) if digits and len(number) <= MOST_DIGITS else None


def check_count(feed: Feed, file: InboundFile, trailer: Trailer, result: Examination) -> None:
    """Compare the count in the trailer or control file with the number of records in the file."""
    source, declared, where, reject = feed.trailer, trailer.rows, "its trailer", True
    if source is not None:
        reject = source.on_mismatch == "reject"
        if declared is None and trailer.seen:
            _partial(
                result, reject, f"its trailer holds no count: a number of at most {MOST_DIGITS} digits is expected"
            )
            return
        if declared is None and source.required:
            _partial(
                result,
                reject,
                f"the trailer is missing: the file was cut off after {counted(result.rows_in, 'record')}",
            )
            return
    elif feed.control is not None and file.control is not None:
        reject, where = feed.control.on_mismatch == "reject", f"control file {file.control.name}"
        text = file.control.read_bytes()[:65536].decode("utf-8", "replace")
        found = re.search(feed.control.rows, text)
        declared = _number(found["rows"]) if found else None
        if declared is None:
            _partial(result, reject, f"{feed.control.rows!r} finds no count in {where}")
            return
    if declared is None:
        return
    result.control_rows = declared
    if declared != result.rows_in:
        _partial(
            result,
            reject,
            f"{where} says {counted(declared, 'record')}, but the file has {result.rows_in}",
            control_rows=declared,
            records=result.rows_in,
        )


def _partial(result: Examination, reject: bool, message: str, **evidence: Any) -> None:
    if reject:
        result.reject("source_partial", message, **evidence)
    else:
        result.problems.append(FileProblem("source_partial", message, False, evidence))
