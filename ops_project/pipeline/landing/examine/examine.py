"""Compares one file with its contract, up to the point where it could be loaded. Only temporary tables are written.

`land` writes the result. `ops feed check` only shows it.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

import duckdb
import pyarrow as pa

from ops_project.counted import counted
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.examine.control_count import Trailer, check_count
from ops_project.pipeline.landing.examine.drift import (
    changed_type,
    drift,
    expected_fields,
    json_structure,
    structure_of,
)
from ops_project.pipeline.landing.examine.examination import LEAST_FAILURES, Examination, FileProblem
from ops_project.pipeline.landing.examine.hints import cut_off
from ops_project.pipeline.landing.examine.keys import repeated_keys, repeated_samples
from ops_project.pipeline.landing.examine.reasons import (
    explain,
    explained_cast_failures,
    masked_samples,
    reasons_summary,
)
from ops_project.pipeline.landing.inbox import InboundFile
from ops_project.pipeline.landing.read.scan import Scan, Undecodable
from ops_project.pipeline.landing.read.source import Source
from ops_project.pipeline.landing.read.stage import BAD_STATE, GOOD_STATE, STAGED, Stage

# For a file of at most this many bytes, a statement takes longer to plan than to execute.
SMALL = 100_000
# With fewer bad rows than this, each one is explained. With more, one statement first counts the failing values of each
# column.
MANY_BAD = 20_000


def examine(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    file: InboundFile,
    *,
    file_date: date,
    scanned: Scan,
    now: datetime,
) -> Examination:
    """Check the structure, casts, rules, keys and counts of one file that was scanned.

    `connection`: must not cache files (bench.without_file_cache).
    `now`: has a time zone.
    """
    result = Examination(scanned, feed.at(file_date), file_date)
    if scanned.size == 0:
        return result.reject("source_empty", "the file has zero bytes")
    if scanned.error is not None:
        return result.reject("data_invalid", f"undecodable: {scanned.error}")
    if scanned.text_size == 0:
        return result.reject("source_empty", "the file is compressed and holds zero bytes")
    if (other := scanned.other_encoding) is not None:
        expected = result.contract.format.encoding
        evidence = {"encoding": expected, "found": other.encoding, "line": other.line, "characters": other.characters}
        result.problems.append(FileProblem("schema_mismatch", other.words(expected), False, evidence))
    if file.business_date is not None and file.business_date < feed.plausible.first:
        return result.reject(
            "data_invalid",
            f"the date in its name, {file.business_date}, is before {feed.plausible.first}, the first plausible one; "
            "correct the name, or the contract's plausible.from",
        )
    try:
        return _examine(connection, feed, file, result, now.astimezone(feed.date_zone).date())
    except Undecodable as error:
        return result.reject("data_invalid", f"undecodable or unbalanced: {error}")
    except (UnicodeError, RecursionError, pa.ArrowException) as error:
        # If a reader fails unexpectedly, the file must not stay in the inbound folder for ever.
        return result.reject(
            "data_invalid", f"not readable: {type(error).__name__}: {str(error).splitlines()[0][:200]}"
        )


def _examine(
    connection: duckdb.DuckDBPyConnection, feed: Feed, file: InboundFile, result: Examination, today: date
) -> Examination:
    contract, scanned = result.contract, result.scan
    fields, structure = structure_of(feed, contract, result)
    if len(fields) > contract.format.max_columns:
        return result.reject(
            "schema_mismatch",
            f"{len(fields):,} fields are more than {contract.format.max_columns:,}, the contract's max_columns",
        )
    if structure is not None and not structure.same:
        drift(feed, result, structure)
        if result.rejected:
            return result
    first = contract.format.skip_lines + (contract.format.kind == "csv" and contract.format.header)
    source = Source(scanned, contract.format, fields, first)
    trailer = Trailer(feed)
    if feed.trailer is not None:
        source.trailer = trailer
    stage = Stage(feed, contract, source, file.name, result.file_date)
    stage.last_date = feed.plausible.last(today)
    states = _read(connection, source, stage)
    result.rows_in, result.fast = source.records, source.fast
    if source.problems >= LEAST_FAILURES and source.problems > feed.drift.share * source.records:
        row = connection.execute(
            "SELECT _problem, _line FROM landing_raw WHERE _problem IS NOT NULL LIMIT 1"
        ).fetchone()
        assert row is not None
        return result.reject(
            "schema_mismatch",
            f"{source.problems} of {counted(source.records, 'record')} do not have the structure of contract version "
            f"{contract.version}, first line {row[1]}: {row[0]}",
            contract_version=contract.version,
            records=source.records,
            records_that_differ=source.problems,
        )
    if contract.format.is_json and source.records:
        drift(feed, result, json_structure(feed, contract, source.seen))
        if result.rejected:
            return result
    result.rows_good, result.rows_filtered = states.get(0, 0), states.get(1, 0)
    result.rows_refused = states.get(2, 0) + source.problems
    many = states.get(2, 0) >= MANY_BAD
    if many and changed_type(feed, result, stage.cast_failures(connection)):
        return result
    if feed.key:
        result.rows_repeated = repeated_keys(stage, connection)
        result.rows_good -= result.rows_repeated
        if feed.keep_first is not None:
            result.rows_collapsed = result.rows_repeated
        else:
            result.rows_refused += result.rows_repeated
    repeated = bool(result.rows_repeated) and feed.keep_first is None
    if result.rows_refused and not many:
        explain(stage, connection, repeated)
        if changed_type(feed, result, explained_cast_failures(stage, connection)):
            return result
    # The control count can agree although the file ends in the middle of a record, because half a record was counted as
    # one. A trailer comes after all records, so a trailer proves that the file is complete.
    if not trailer.seen and (middle := cut_off(connection, source)) is not None:
        message = (
            f"the file ends in the middle of line {middle}: it was cut off after {counted(result.rows_in, 'record')}"
        )
        result.problems.append(
            FileProblem("source_partial", message, False, {"line": middle, "records": result.rows_in})
        )
    result.stage = stage
    check_count(feed, file, trailer, result)
    if result.rejected:
        return result
    if result.rows_refused >= LEAST_FAILURES and result.rows_refused + result.rows_filtered == result.rows_in:
        # If this file were loaded, it would replace a good file of the same date with an empty result. Collapsed rows
        # are not counted here, because one row of each key is loaded.
        if many:
            explain(stage, connection, repeated)
        result.reasons, result.samples = reasons_summary(connection), masked_samples(connection)
        unwanted = result.rows_filtered
        filtered = f" ({unwanted} {'is' if unwanted == 1 else 'are'} filtered out)" if unwanted else ""
        words = f"not one of {counted(result.rows_in, 'row')} can be loaded{filtered}: {_most_frequent(result)}"
        return result.reject("data_invalid", words, reasons=result.reasons, samples=result.samples)
    if result.rows_refused:
        if many:
            explain(stage, connection, repeated)
        result.reasons, result.samples = reasons_summary(connection), masked_samples(connection)
        if repeated:
            result.repeated_samples = repeated_samples(stage, connection)
        _row_findings(feed, result, repeated)
    return result


def _read(connection: duckdb.DuckDBPyConnection, source: Source, stage: Stage) -> dict[int, int]:
    """Stage the rows. The fast reader is used if it delivers as many records as the scan counted. Otherwise the exact
    reader is used.

    Returns the number of rows in each state.
    """
    kind = source.format.kind
    if kind == "parquet":
        source.materialise_parquet(connection, expected_fields(stage.feed, stage.contract)[0])
        return _staged(connection, stage)
    simple = kind == "csv" or (kind == "lines" and source.format.pattern is None)
    if simple and source.scan.plain and source.trailer is None:
        expected = source.count_fast()
        try:
            source.fast = True
            if stage.needs_line:
                source.materialise_fast(connection)
            states = _staged(connection, stage)
            if sum(states.values()) == expected and not source.hides_fields(connection):
                source.records = expected
                return states
        except (duckdb.InvalidInputException, duckdb.ConversionException):
            pass
        source.fast = source.materialised = False
    source.materialise_exact(connection)
    return _staged(connection, stage)


def _staged(connection: duckdb.DuckDBPyConnection, stage: Stage) -> dict[int, int]:
    """Stage the rows, and count them by state. A small file is first read as if every value were in the engine's own
    spelling, which is usually so. If any row is then bad, the file is read again with every spelling that the contract
    allows.
    """
    if _is_small(stage) and not stage.has_expressions:
        stage.brief = True
        try:
            states = _counted(connection, stage)
        finally:
            stage.brief = False
        if not states.get(BAD_STATE):
            return states
    return _counted(connection, stage)


def _is_small(stage: Stage) -> bool:
    return stage.source.scan.text_size <= SMALL


def _counted(connection: duckdb.DuckDBPyConnection, stage: Stage) -> dict[int, int]:
    stage.stage(connection)
    key = ", ".join(map(stage.value, stage.feed.key))
    if not key or stage.clock_keys or not _is_small(stage):
        return dict(connection.execute(f"SELECT _state, count(*) FROM {STAGED} GROUP BY 1").fetchall())
    rows = connection.execute(f"SELECT _state, hash({key}) FROM {STAGED}").fetchall()
    states = Counter(state for state, _ in rows)
    stage.good_rows = states[GOOD_STATE]
    stage.distinct_keys = len({hashed for state, hashed in rows if state == GOOD_STATE})
    return states


def _row_findings(feed: Feed, result: Examination, repeated: bool) -> None:
    if repeated:
        key = ", ".join(feed.key)
        result.problems.append(
            FileProblem(
                "key_violation",
                f"{counted(result.rows_repeated, 'row repeats', 'rows repeat')} a key ({key})",
                False,
                {"key": list(feed.key), "rows": result.rows_repeated, "samples": result.repeated_samples},
            )
        )
    others = result.rows_refused - (result.rows_repeated if repeated else 0)
    if others:
        result.problems.append(
            FileProblem(
                "data_invalid",
                f"{others} of {counted(result.rows_in, 'row')} quarantined: {_most_frequent(result)}",
                False,
                {"rows": others, "rows_in": result.rows_in, "reasons": result.reasons, "samples": result.samples},
            )
        )


def _most_frequent(result: Examination) -> str:
    """The most frequent reasons, each with the first line to which it applies."""
    return "; ".join(
        f"{item['rows']} × {(str(item['column']) + ' ') if item['column'] else ''}{item['reason']} "
        f"({'first ' if item['rows'] != 1 else ''}line {item['first_line']})"
        for item in result.reasons[:3]
    )
