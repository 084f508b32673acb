"""The last measurement of the diagnosis is on its page and keeps its promises; `make soak` measures a few faults
again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.operations.diagnosis import measure_faults, measured_page
from tests.operations.diagnosis.measured import ALONE, SITUATIONS, Judged, summary

AGAIN = ("policies_lost", "cdc_gap", "negative_premium", "duplicate_delivery")


def test_the_page_shows_the_figures_and_names_what_was_not_measured(tmp_path: Path) -> None:
    there_are = measure_faults.cases(tmp_path)
    every = {case.fault for case in there_are}
    found = measured_page.kept()
    said = measured_page.PAGE.read_text(encoding="utf-8")
    planned = measure_faults.planned(there_are)
    assert said == measured_page.page(found, every, planned)
    assert all(f" of {count} {one} on seed {seed}" in said for (one, seed), count in planned.items())
    assert {item.fault for item in found} <= every
    assert all(f"`{fault}`" in said for fault in every)
    measured = {item.situation for item in found}
    assert all((f"| {one} | 0 | not measured" in said) is (one not in measured) for one in SITUATIONS)


def test_the_true_root_is_first_and_more_often_than_by_the_simple_rule() -> None:
    said = summary(measured_page.kept())
    assert said["first"] >= 0.9 and said["first"] >= said["nearest_failing_first"] + 0.1, said
    assert said["seconds"] <= 3, said


@pytest.mark.soak
@pytest.mark.xdist_group("runs")
@pytest.mark.timeout(1800)
def test_measured_again_the_root_is_where_it_was(tmp_path: Path) -> None:
    wanted = [
        case
        for case in measure_faults.cases(tmp_path)
        if case.fault in AGAIN and case.situation == ALONE and case.seed == measure_faults.SEEDS[0]
    ]
    measure_faults.measure(tmp_path, wanted)
    before = {(item.fault, item.seed, item.situation): item.place for item in measured_page.kept()}

    def place(item: Judged) -> tuple[tuple[str, int, str], int]:
        return (item.fault, item.seed, item.situation), item.place

    found = dict(map(place, measure_faults.judge(tmp_path, wanted)))
    assert len(found) == len(AGAIN) and found == {key: before[key] for key in found}
