"""Turns an unexpected error of one file into a finding, so that the other files are still landed."""

from __future__ import annotations

from datetime import date

import duckdb

from ops_project.failures import Unusable, classify
from ops_project.masking import mask
from ops_project.model.finding import FileFindingKind
from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.inbox import NotRegular
from ops_project.pipeline.landing.read.fragments import FragmentError
from ops_project.pipeline.landing.result import Finding
from ops_project.pipeline.landing.write import journal

# While a file is landed, only the SQL of a contract can raise these errors.
CONTRACT_ERRORS = (
    duckdb.BinderException,
    duckdb.ParserException,
    duckdb.CatalogException,
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
)

# DuckDB raises a RuntimeError with this text if Ctrl-C is pressed while it works.
INTERRUPTED = "Query interrupted"


class NothingRecorded(Unusable):
    """A file could not be landed, and the warehouse does not even accept the finding about it."""


def record_failure(context: Context, file_name: str, day: date, error: Exception) -> None:
    """Write a finding for an unexpected error. The file stays in the inbound folder, and the next run tries it again.

    Raises NothingRecorded if the disk is too full for the finding itself. Raises `error` if a person ended the work,
    because the file did not cause that error.
    """
    if classify(error).failure_class == "process_killed" or str(error) == INTERRUPTED:
        raise error
    kind: FileFindingKind = "code_error"
    hint = told = ""
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        kind = "resource_exhausted"
    elif classify(error).failure_class == "storage_full":
        kind = "storage_full"
        hint = "; free space on that disk; the file stays where it is, and the next run loads it"
    elif isinstance(error, NotRegular):
        kind, told = (
            "data_invalid",
            "was replaced by something that is not a regular file while it was read; deliver it again",
        )
    elif isinstance(error, PermissionError):
        kind, told = "config_error", "cannot be read by this process; give its user the right to read the file"
    elif isinstance(error, FragmentError):
        kind, told = "config_error", f"was not read: {error}"
    elif isinstance(error, CONTRACT_ERRORS):
        kind = "config_error"
        hint = "; look at the contract's expressions, filter and rules"
    text = mask(str(error).splitlines()[0]) if str(error) else type(error).__name__
    finding = Finding(
        kind=kind,
        feed=context.feed.name,
        business_date=day,
        file_name=file_name,
        message=f"{file_name} {told or f'could not be landed ({type(error).__name__}: {text}){hint}'}",
        evidence={"error": type(error).__name__, "message": text},
    )
    try:
        journal.write_findings(context.connection, [finding], context.now, context.run_id)
    except duckdb.Error as second:
        if classify(second).failure_class != "storage_full":
            raise
        raise NothingRecorded(
            f"{finding.message}. Nothing can be recorded in the warehouse either: {str(second).splitlines()[0]}. Free "
            "space on that disk, then run the command again: no half-written file is used."
        ) from error
    context.deliveries.findings_changed()
    context.result.findings.append(finding)
