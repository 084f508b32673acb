"""A request with a fault that cannot be carried out changes nothing, whichever of its faults is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops_project.simulator import memory, simulate
from ops_project.simulator.faults import appliers
from ops_project.simulator.faults.registry import REGISTRY
from ops_project.simulator.faults.request import FaultError
from tests.simulator.conftest import contents, home

ELSEWHERE = [fault.id for fault in REGISTRY.values() if fault.apply == "warehouse"]


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (["control_count:streams"], "no control file of"),
        (["truncated:streams", "control_count:streams"], "no control file of"),
        (["truncated:policies", "control_count:streams"], "no control file of"),
        (["truncated:streams", ELSEWHERE[0]], "no warehouse yet"),
    ],
)
def test_no_day_is_delivered_if_a_fault_is_refused(tmp_path: Path, faults: list[str], words: str) -> None:
    settings = home(tmp_path)
    with pytest.raises(FaultError, match=words):
        simulate(settings, domain=["streaming", "insurance"], days=3, scale=0.05, faults=faults)
    assert contents(settings.inbound) == {}
    assert not list(settings.inbound.rglob(".staging-*"))
    assert memory.recall(settings.home) == {} and not settings.truth.exists()
    simulate(settings, domain="streaming", days=2, scale=0.05)
    assert memory.recall(settings.home)["streaming"].since is not None


@pytest.mark.parametrize("second", ["control_count:streams", ELSEWHERE[0]])
def test_the_files_that_lie_in_inbound_stay_whole_if_a_fault_is_refused(tmp_path: Path, second: str) -> None:
    settings = home(tmp_path)
    simulate(settings, domain="streaming", days=2, scale=0.05)
    before = contents(settings.inbound)
    with pytest.raises(FaultError, match=r"no control file of|no warehouse yet"):
        simulate(settings, faults=["truncated:streams", second], inbound_only=True)
    assert contents(settings.inbound) == before and not settings.truth.exists()


def test_a_file_of_an_earlier_delivery_is_not_taken_back_if_another_fault_is_refused(tmp_path: Path) -> None:
    settings = home(tmp_path)
    simulate(settings, domain="streaming", days=2, scale=0.05)
    before = contents(settings.inbound)
    with pytest.raises(FaultError, match=r"has no file of .* to break"):
        simulate(settings, domain="streaming", faults=["missing:streams", "control_count:streams"])
    assert contents(settings.inbound) == before
    simulate(settings, domain="streaming", faults=["missing:streams"])
    assert contents(settings.inbound).keys() < before.keys()


def test_a_fault_that_was_carried_out_before_a_refused_one_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = home(tmp_path)

    def carry_out(fault: object, *_others: object) -> dict[str, object]:
        if carried:
            raise FaultError("the table is empty")
        carried.append(fault)
        return {"fault": "carried out"}

    carried: list[object] = []
    monkeypatch.setattr(appliers, "carry_out", carry_out)
    with pytest.raises(FaultError, match="the table is empty"):
        simulate(settings, faults=ELSEWHERE[:2])
    assert [item["fault"] for item in json.loads(settings.truth.read_text(encoding="utf-8"))] == ["carried out"]
