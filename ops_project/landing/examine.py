"""One file against its contract, up to the point where it could be loaded: nothing is written outside temporary tables.

`land` writes what stands here, `ops feed check` only shows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from ops_project.landing.hints import cut_off, other_dialect
from ops_project.landing.inbox import InboundFile
from ops_project.landing.keys import repeated_keys, repeated_samples
from ops_project.landing.reasons import explain, explained_cast_failures, masked_samples, reasons_summary
from ops_project.landing.records import Record, line_fields
from ops_project.landing.scan import Scan, Undecodable
from ops_project.landing.source import Source, header_of, parquet_fields
from ops_project.landing.stage import STAGED, Stage
from ops_project.model.feed import Contract, Feed
from ops_project.operations.structure import Structure, compare

# Fewer failures than this are bad rows, not a changed type, however few rows the file has.
LEAST_FAILURES = 3
# From here on the failures of a column are counted in one statement before any row is explained.
MANY_BAD = 20_000


@dataclass(frozen=True)
class Problem:
    """A finding about a file. `kind` is a failure class; `rejects` says that the file must not be loaded."""

    kind: str
    message: str
    rejects: bool
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass
class Examination:
    """What landing knows of a file before it writes."""

    scan: Scan
    contract: Contract
    file_date: date
    problems: list[Problem] = field(default_factory=list)
    rows_in: int = 0
    rows_good: int = 0
    rows_refused: int = 0
    rows_filtered: int = 0
    rows_repeated: int = 0
    """Rows whose key was there before: quarantined, or collapsed where the contract keeps the first."""
    rows_collapsed: int = 0
    control_rows: int | None = None
    fast: bool = False
    """True where the fast reader was used."""
    reasons: list[dict[str, object]] = field(default_factory=list)
    samples: list[dict[str, object]] = field(default_factory=list)
    repeated_samples: list[dict[str, object]] = field(default_factory=list)
    stage: Stage | None = None

    @property
    def rejected(self) -> Problem | None:
        """The problem that keeps the file out, None where it can be loaded."""
        return next((problem for problem in self.problems if problem.rejects), None)

    def reject(self, kind: str, message: str, **evidence: Any) -> Examination:
        """This examination with a problem that keeps the file out: every line counts as refused."""
        self.problems.append(Problem(kind, message, True, evidence))
        self.rows_in = self.rows_in or self.scan.lines
        self.rows_refused, self.rows_good, self.rows_filtered, self.rows_collapsed = self.rows_in, 0, 0, 0
        self.stage = None
        return self


def examine(
    connection: duckdb.DuckDBPyConnection, feed: Feed, file: InboundFile, file_date: date, scanned: Scan
) -> Examination:
    """Structure, casts, rules, keys and counts of one file that was scanned."""
    result = Examination(scanned, feed.at(file_date), file_date)
    if scanned.size == 0:
        return result.reject("source_empty", "the file has zero bytes")
    if scanned.error is not None:
        return result.reject("data_invalid", f"undecodable: {scanned.error}")
    if scanned.text_size == 0:
        return result.reject("source_empty", "the file is compressed and holds zero bytes")
    try:
        return _examine(connection, feed, file, result)
    except Undecodable as error:
        return result.reject("data_invalid", f"undecodable or unbalanced: {error}")


def _examine(connection: duckdb.DuckDBPyConnection, feed: Feed, file: InboundFile, result: Examination) -> Examination:
    contract, scanned = result.contract, result.scan
    fields, structure = _structure(feed, contract, result)
    if structure is not None and not structure.same:
        _drift(feed, result, structure)
        if result.rejected:
            return result
    first = contract.format.skip_lines + (contract.format.kind == "csv" and contract.format.header)
    source = Source(scanned, contract.format, fields, first)
    trailer = _Trailer(feed)
    if feed.trailer is not None:
        source.trailer = trailer
    stage = Stage(feed, contract, source, file.name, result.file_date)
    _read(connection, source, stage)
    result.rows_in, result.fast = source.records, source.fast
    if contract.format.kind == "jsonl" and source.records:
        _drift(feed, result, _json_structure(feed, contract, source.seen))
        if result.rejected:
            return result
    if source.problems >= LEAST_FAILURES and source.problems > feed.drift.share * source.records:
        row = connection.execute(
            "SELECT _problem, _line FROM landing_raw WHERE _problem IS NOT NULL LIMIT 1"
        ).fetchone()
        assert row is not None
        return result.reject(
            "schema_mismatch",
            f"{source.problems} of {source.records} records do not have the structure of contract version "
            f"{contract.version}, first line {row[1]}: {row[0]}",
            contract_version=contract.version,
            records=source.records,
            records_that_differ=source.problems,
        )
    states = dict(connection.execute(f"SELECT _state, count(*) FROM {STAGED} GROUP BY 1").fetchall())
    result.rows_good, result.rows_filtered = states.get(0, 0), states.get(1, 0)
    result.rows_refused = states.get(2, 0) + source.problems
    many = states.get(2, 0) >= MANY_BAD
    if many and _changed_type(feed, result, stage.cast_failures(connection)):
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
        if _changed_type(feed, result, explained_cast_failures(stage, connection)):
            return result
    # A control count that agrees proves nothing here: half a record was counted too. A trailer stands behind them all.
    if not trailer.seen and (middle := cut_off(connection, source)) is not None:
        message = f"the file ends in the middle of line {middle}: it was cut off after {result.rows_in} records"
        result.problems.append(Problem("source_partial", message, False, {"line": middle, "records": result.rows_in}))
    result.stage = stage
    _counts(feed, file, trailer, result)
    if result.rejected:
        return result
    if result.rows_refused >= LEAST_FAILURES and result.rows_refused + result.rows_filtered == result.rows_in:
        # Loaded, it would take the place of a good file of the same date with nothing. Of collapsed rows one is loaded.
        if many:
            explain(stage, connection, repeated)
        result.reasons, result.samples = reasons_summary(connection), masked_samples(connection)
        unwanted = result.rows_filtered
        filtered = f" ({unwanted} {'is' if unwanted == 1 else 'are'} filtered out)" if unwanted else ""
        words = f"not one of {result.rows_in} rows can be loaded{filtered}: {_most_frequent(result)}"
        return result.reject("data_invalid", words, reasons=result.reasons, samples=result.samples)
    if result.rows_refused:
        if many:
            explain(stage, connection, repeated)
        result.reasons, result.samples = reasons_summary(connection), masked_samples(connection)
        if repeated:
            result.repeated_samples = repeated_samples(stage, connection)
        _row_findings(feed, result, repeated)
    return result


def _read(connection: duckdb.DuckDBPyConnection, source: Source, stage: Stage) -> None:
    """Stage the rows: by the fast reader if it delivers what the scan has counted, else by the exact one."""
    kind = source.format.kind
    if kind == "parquet":
        source.materialise_parquet(connection)
        stage.stage(connection)
        return
    simple = kind == "csv" or (kind == "lines" and source.format.pattern is None)
    if simple and source.scan.plain and source.trailer is None:
        expected = source.count_fast()
        try:
            source.fast = True
            if stage.needs_line:
                source.materialise_fast(connection)
            stage.stage(connection)
            found = connection.execute(f"SELECT count(*) FROM {STAGED}").fetchone()
            if found is not None and found[0] == expected and not source.hides_fields(connection):
                source.records = expected
                return
        except (duckdb.InvalidInputException, duckdb.ConversionException):
            pass
        source.fast = source.materialised = False
    source.materialise_exact(connection)
    stage.stage(connection)


def _structure(feed: Feed, contract: Contract, result: Examination) -> tuple[list[str], Structure | None]:
    """The raw fields of the file in its order, and how they differ from the contract's."""
    expected, optional = expected_fields(feed, contract)
    kind, scanned = contract.format.kind, result.scan
    if kind == "jsonl":
        return expected, None
    if kind == "lines":
        return line_fields(contract.format), None
    if kind == "parquet":
        found, result.rows_in = parquet_fields(scanned.text)  # it has no lines that could be counted instead
        return [name.strip() for name in found], compare(expected, optional, found)
    if not contract.format.header:
        return expected, None
    header: Record | None = header_of(scanned, contract.format)
    if header is None or header.fields is None:
        return [], compare(expected, (), ())
    found = [(name or "").strip() for name in header.fields]
    return found, compare(expected, optional, found)


def expected_fields(feed: Feed, contract: Contract) -> tuple[list[str], set[str]]:
    """Raw fields that the contract expects, in order, and those that may be absent."""
    names = [*feed.raw_fields, *contract.raw_names.values()]
    optional = {
        contract.raw_names[name]
        for name, column in contract.columns.items()
        if column.may_be_absent and name in contract.raw_names
    }
    return [name.strip() for name in dict.fromkeys(names)], optional


def _json_structure(feed: Feed, contract: Contract, seen: set[str]) -> Structure:
    expected, optional = expected_fields(feed, contract)
    given = [name for name in expected if name in seen or name.partition(".")[0] in seen]
    extra = sorted(seen - set(expected) - {name.partition(".")[0] for name in expected})
    return compare(expected, optional, [*given, *extra])


def _drift(feed: Feed, result: Examination, structure: Structure) -> None:
    if structure.same:
        return
    version, contract = result.contract.version, result.contract
    others = _fitting_versions(feed, result, structure)
    if structure.missing and contract.format.kind == "csv" and contract.format.header and not others:
        others = other_dialect(result.scan, contract.format, *expected_fields(feed, contract))
    message = f"structure differs from contract {feed.name} version {version}: {structure.describe()}" + others
    evidence = {
        "contract": feed.name,
        "contract_version": version,
        "missing": list(structure.missing),
        "extra": list(structure.extra),
        "repeated": list(structure.repeated),
        "reordered": list(structure.moved),
    }
    only_extra = structure.extra and not structure.missing and not structure.repeated
    lenient = (only_extra and feed.drift.extra == "load") or (structure.moved and feed.drift.reordered == "load")
    if lenient:
        how = "loaded by name" if structure.moved else "loaded without the extra fields"
        result.problems.append(Problem("schema_mismatch", f"{message}; {how}", False, evidence))
    else:
        result.reject("schema_mismatch", message, **evidence)


def _fitting_versions(feed: Feed, result: Examination, structure: Structure) -> str:
    """A hint where the file is of another announced version."""
    expected, _ = expected_fields(feed, result.contract)
    found = [name for name in expected if name not in structure.missing] + list(structure.extra)
    for contract in feed.contracts():
        names, optional = expected_fields(feed, contract)
        if contract.version != result.contract.version and set(names) - optional <= set(found) <= set(names):
            effective = next((v.effective for v in feed.versions if v.version == contract.version), None)
            return f"; it is of version {contract.version}" + (f", effective from {effective}" if effective else "")
    return ""


def _changed_type(feed: Feed, result: Examination, failures: dict[str, tuple[int, int]]) -> bool:
    """True, with the finding, where so many values of a column fail their cast that its type must have changed."""
    changed = {
        name: pair
        for name, pair in failures.items()
        if pair[0] >= LEAST_FAILURES and pair[0] > feed.drift.share * pair[1]
    }
    if not changed:
        return False
    version = result.contract.version
    listed = ", ".join(
        f"{name} ({bad} of {all_} values are no {result.contract.columns[name].type})"
        for name, (bad, all_) in changed.items()
    )
    result.reject(
        "schema_mismatch",
        f"structure differs from contract {feed.name} version {version}: changed type of {listed}",
        contract=feed.name,
        contract_version=version,
        changed_type={name: {"failed": bad, "values": all_} for name, (bad, all_) in changed.items()},
    )
    return True


class _Trailer:
    """Recognises the last line and keeps its count."""

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
    return int(digits) if digits else None


def _counts(feed: Feed, file: InboundFile, trailer: _Trailer, result: Examination) -> None:
    """The count that came with the file against the records that are in it."""
    source, declared, where, reject = feed.trailer, trailer.rows, "its trailer", True
    if source is not None:
        reject = source.on_mismatch == "reject"
        if declared is None and source.required:
            _partial(result, reject, f"the trailer is missing: the file was cut off after {result.rows_in} records")
            return
    elif feed.control is not None and file.control is not None:
        reject, where = feed.control.on_mismatch == "reject", f"control file {file.control.name}"
        text = file.control.read_bytes()[:65536].decode("utf-8", "replace")
        found = re.search(feed.control.rows, text)
        declared = _number(found["rows"]) if found else None
        if declared is None:
            _partial(result, reject, f"{where} holds no count that {feed.control.rows!r} finds")
            return
    if declared is None:
        return
    result.control_rows = declared
    if declared != result.rows_in:
        _partial(
            result, reject, f"{where} says {declared} records, the file has {result.rows_in}",
            control_rows=declared, records=result.rows_in,
        )  # fmt: skip


def _partial(result: Examination, reject: bool, message: str, **evidence: Any) -> None:
    if reject:
        result.reject("source_partial", message, **evidence)
    else:
        result.problems.append(Problem("source_partial", message, False, evidence))


def _row_findings(feed: Feed, result: Examination, repeated: bool) -> None:
    if repeated:
        key = ", ".join(feed.key)
        result.problems.append(
            Problem(
                "key_violation",
                f"{result.rows_repeated} rows repeat a key ({key})",
                False,
                {"key": list(feed.key), "rows": result.rows_repeated, "samples": result.repeated_samples},
            )
        )
    others = result.rows_refused - (result.rows_repeated if repeated else 0)
    if others:
        result.problems.append(
            Problem(
                "data_invalid",
                f"{others} of {result.rows_in} rows quarantined: {_most_frequent(result)}",
                False,
                {"rows": others, "rows_in": result.rows_in, "reasons": result.reasons, "samples": result.samples},
            )
        )


def _most_frequent(result: Examination) -> str:
    """The most frequent reasons, each with the first line that it was found on."""
    return "; ".join(
        f"{item['rows']} × {(str(item['column']) + ' ') if item['column'] else ''}{item['reason']} "
        f"({'first ' if item['rows'] != 1 else ''}line {item['first_line']})"
        for item in result.reasons[:3]
    )
