"""Each fault changes the files that it names and nothing else, and landing finds it. An impossible fault is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ops_project.catalog import Catalog
from ops_project.settings import Settings
from ops_project.simulator import simulate
from ops_project.simulator.faults import truth
from ops_project.simulator.faults.registry import REGISTRY, listing
from ops_project.simulator.faults.request import FaultError
from tests.simulator.conftest import END, Deliver, contents, home, landed

# One feed of each kind: CSV with a control file, CSV with a delimiter of its own, JSON lines, Parquet.
KINDS = ("orders", "mart_contacts", "streams", "product_events")
FILE_FAULTS = [fault for fault in REGISTRY.values() if fault.apply == "file"]
FOUND_BY_LANDING = (
    "source_missing",
    "source_late",
    "source_empty",
    "source_partial",
    "source_duplicate",
    "schema_mismatch",
    "data_invalid",
    "key_violation",
)
# Only one format, or one contract, can have these faults.
IMPOSSIBLE = {
    ("control_count", "streams"),
    ("control_count", "product_events"),
    ("unbalanced_quote", "streams"),
    ("unbalanced_quote", "product_events"),
    ("reordered_columns", "streams"),
}
# A late file is found by a run that looked for it before. That has a test of its own.
LATE = ("late", "late_partition")
# Only history shows this: a file without a count of its own has too few records. Landing cannot see it in the file.
BY_HISTORY = {
    ("truncated", "streams"),
    ("truncated", "product_events"),
    ("cdc_gap", "policies"),
    ("fan_out", "experiment_assignments"),
}
# A Parquet file that is cut is no longer a Parquet file. In a file of JSON lines the cut gives one bad row.
OTHERWISE = {
    ("truncated_mid_row", "product_events"): "data_invalid",
    ("truncated_mid_row", "streams"): "data_invalid",
}


def domain_of(catalog: Catalog, feed: str) -> str:
    return catalog.feeds[feed].domain


def differing(clean: Settings, broken: Settings, catalog: Catalog, feed: str) -> set[str]:
    """Names of the feed's files whose content has changed, control files included."""
    domain = domain_of(catalog, feed)
    before, after = contents(clean.inbound / domain), contents(broken.inbound / domain)
    mine = {name for name in before.keys() | after.keys() if name.startswith(f"{feed}_")}
    return {name for name in mine if before.get(name) != after.get(name)}


def cases() -> Iterator[tuple[str, str]]:
    for fault in FILE_FAULTS:
        if fault.on_holiday or fault.id == "restatement":
            continue
        for feed in dict.fromkeys((fault.feed, *KINDS)) if fault.any_feed else (fault.feed,):
            if (fault.id, feed) not in IMPOSSIBLE:
                yield fault.id, feed


@pytest.mark.parametrize(("fault", "feed"), list(cases()))
def test_fault(fault: str, feed: str, clean: Settings, catalog: Catalog, broken: Deliver) -> None:
    domain = domain_of(catalog, feed)
    settings = broken(f"{fault}:{feed}", feeds=[feed])
    known = REGISTRY[fault]
    changed = differing(clean, settings, catalog, feed)
    late = fault in LATE
    assert bool(changed) is not late, "late files are untouched, all others are not"
    if not known.spans_window:
        day = END - timedelta(days=known.days_back)
        assert all(str(day) in name or f"{day:%Y%m%d}" in name for name in changed)
    (told,) = truth.read(settings.truth)
    assert (told["fault"], told["domain"], told["feed"]) == (fault, domain, feed)
    assert told["finding"] == known.finding
    assert told["asset"] == known.asset_of(feed)
    assert told["owners"] and told["details"]
    expected = OTHERWISE.get((fault, feed), known.finding)
    if late or expected not in FOUND_BY_LANDING or (fault, feed) in BY_HISTORY:
        return
    result = landed(settings, catalog, feed)[feed]
    assert expected in {finding.kind for finding in result.findings}
    assert result.rows_in == result.rows_loaded + result.rows_quarantined + result.rows_filtered + result.rows_collapsed


def test_every_fault_has_a_seed_a_finding_and_owners(catalog: Catalog) -> None:
    rows = listing(catalog)
    assert len(rows) == len(REGISTRY) >= 35
    assert all(row["domain"] and row["owners"] and row["origin"] and row["does"] for row in rows)
    assert [row["id"] for row in rows if row["finding"] is None] == ["holiday_spike"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trunkated", r"fault 'trunkated' does not exist \(did you mean truncated\?\); valid: "),
        ("truncated:oders", "feed 'oders' does not exist; valid: "),
        ("cdc_gap:orders", "fault 'cdc_gap' breaks feed 'policies' only, not 'orders'"),
        ("truncated@11.3.2026", "'11.3.2026' is not a date; write it as 2026-11-19"),
        ("truncated:orders@2026-01-01", "2026-01-01 is not simulated in this call"),
        ("control_count:streams", "feed 'streams' has no control file"),
        ("unbalanced_quote:streams", "feed 'streams' has no quotes: its format is jsonl"),
        ("Truncated orders", "is not understood; write ID, ID:FEED"),
    ],
)
def test_an_impossible_fault_says_what_is_possible(text: str, message: str, broken: Deliver, tmp_path: Path) -> None:
    with pytest.raises(FaultError, match=message):
        broken(text)
    assert not (tmp_path / "home" / "truth.json").exists()


def test_truth_is_appended(tmp_path: Path, clean: Settings) -> None:
    settings = home(tmp_path)
    shutil.copytree(clean.inbound, settings.inbound)
    simulate(settings, faults=["truncated:orders"], inbound_only=True)
    simulate(settings, faults=["late:customers", "missing:products"], inbound_only=True)
    told = json.loads(settings.truth.read_text())
    assert [entry["request"] for entry in told] == ["truncated:orders", "late:customers", "missing:products"]
