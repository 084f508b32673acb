"""Finds files whose fields differ from the contract, and files in which a whole column has another type.

The contract decides which of these files are still loaded. A guess about the cause only appears in the message.
"""

from __future__ import annotations

from ops_project.counted import counted
from ops_project.model.feed.feed import Contract, Feed
from ops_project.pipeline.landing.decide.structure import Structure, compare
from ops_project.pipeline.landing.examine.examination import LEAST_FAILURES, Examination, FileProblem
from ops_project.pipeline.landing.examine.hints import other_dialect
from ops_project.pipeline.landing.read.parquet import parquet_fields
from ops_project.pipeline.landing.read.records import Record, line_fields
from ops_project.pipeline.landing.read.source import header_of


def structure_of(feed: Feed, contract: Contract, result: Examination) -> tuple[list[str], Structure | None]:
    """The raw fields in the order of the file, and how they differ from the fields of the contract. The difference is
    None for files that contain no names of fields.
    """
    expected, optional = expected_fields(feed, contract)
    kind, scanned = contract.format.kind, result.scan
    if contract.format.is_json:
        return expected, None
    if kind == "lines":
        return line_fields(contract.format), None
    if kind == "parquet":
        # A Parquet file has no lines, so its own count of rows is used.
        found, result.rows_in = parquet_fields(scanned.text, expected)
        return [name.strip() for name in found], compare(expected, optional, found, _anywhere(feed, contract))
    if not contract.format.header:
        return expected, None
    header: Record | None = header_of(scanned, contract.format)
    if header is None or header.fields is None:
        return [], compare(expected, (), ())
    found = [(name or "").strip() for name in header.fields]
    return found, compare(expected, optional, found, _anywhere(feed, contract))


def expected_fields(feed: Feed, contract: Contract) -> tuple[list[str], set[str]]:
    """The raw fields that the contract expects, in order, and the fields that may be absent."""
    read = contract.raw_names.values()
    # If `raw_fields` names every field that a column reads, its order is the order of the fields. Otherwise the fields
    # in `raw_fields` may stand anywhere among the fields that columns read.
    names = [*feed.raw_fields, *read] if set(read) <= set(feed.raw_fields) else [*read, *feed.raw_fields]
    optional = {
        contract.raw_names[name]
        for name, column in contract.columns.items()
        if column.may_be_absent and name in contract.raw_names
    }
    return [name.strip() for name in dict.fromkeys(names)], optional


def _anywhere(feed: Feed, contract: Contract) -> set[str]:
    """Raw fields whose position in the file is not fixed."""
    read = set(contract.raw_names.values())
    return set() if read <= set(feed.raw_fields) else {name.strip() for name in set(feed.raw_fields) - read}


def json_structure(feed: Feed, contract: Contract, seen: set[str]) -> Structure:
    """How the keys that occur in JSON objects differ from the contract's fields."""
    expected, optional = expected_fields(feed, contract)
    expected = sorted(expected, key=lambda name: "." in name)  # The keys of the record itself come first.
    given = [name for name in expected if name in seen]
    extra = sorted(seen - set(expected))
    return compare(expected, optional, [*given, *extra])


def drift(feed: Feed, result: Examination, structure: Structure) -> None:
    """Report a structure that differs from the contract, and reject the file unless the contract allows the
    difference.
    """
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
        "absent": list(structure.absent),
    }
    only_extra = structure.extra and not structure.missing and not structure.repeated
    lenient = (only_extra and feed.drift.extra == "load") or (structure.moved and feed.drift.reordered == "load")
    if lenient:
        how = "loaded by name" if structure.moved else "loaded without the extra fields"
        result.problems.append(FileProblem("schema_mismatch", f"{message}; {how}", False, evidence))
    else:
        result.reject("schema_mismatch", message, **evidence)


def _fitting_versions(feed: Feed, result: Examination, structure: Structure) -> str:
    """A hint if the file has the structure of another version of the contract; empty otherwise."""
    expected, _ = expected_fields(feed, result.contract)
    found = [name for name in expected if name not in structure.missing] + list(structure.extra)
    for contract in feed.contracts():
        names, optional = expected_fields(feed, contract)
        if contract.version != result.contract.version and set(names) - optional <= set(found) <= set(names):
            effective = next((v.effective for v in feed.versions if v.version == contract.version), None)
            return f"; it fits version {contract.version}" + (f", effective from {effective}" if effective else "")
    return ""


def changed_type(feed: Feed, result: Examination, failures: dict[str, tuple[int, int]]) -> bool:
    """Whether so many values of a column fail their cast that its type must have changed. In that case the file is
    rejected.
    """
    changed = {
        name: pair
        for name, pair in failures.items()
        if pair[0] >= LEAST_FAILURES and pair[0] > feed.drift.share * pair[1]
    }
    if not changed:
        return False
    version = result.contract.version
    listed = ", ".join(
        f"{name} ({bad} of {counted(all_, 'value')} are not valid as {result.contract.columns[name].type})"
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
