"""The generic faults break files that a user brought, without simulating others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ops_project import catalog as catalogs
from ops_project.settings import Settings
from ops_project.simulator import simulate
from ops_project.simulator.faults.registry import REGISTRY
from ops_project.simulator.faults.request import FaultError
from tests.simulator.conftest import END, NOW, contents, home, landed

LATE = ("late", "late_partition")
FILE_FAULTS = [fault for fault in REGISTRY.values() if fault.apply == "file"]


OVERLAY = """
domain: parcels
owners: [team:data-engineering]
defaults: {expected: daily}
feeds:
  scans:
    inbound: "scans_{date:%Y-%m-%d}{revision}.csv"
    format: {kind: csv, delimiter: ";", encoding: latin-1, decimal: ","}
    trailer: {pattern: 'ENDE (?P<rows>\\d+)'}
    key: scan_id
    columns:
      scan_id: {type: integer, required: true, from: Nr}
      place: {type: string, required: true, from: Ort}
      weight_kg: {type: "decimal(8,2)", required: true, min: 0, from: Gewicht}
"""


@pytest.fixture
def parcels(tmp_path: Path) -> Settings:
    """A user's own domain, with files that the simulator did not write."""
    (tmp_path / "config/feeds").mkdir(parents=True)
    (tmp_path / "config/feeds/parcels.yaml").write_text(OVERLAY)
    settings = home(tmp_path / "home", tmp_path / "config")
    folder = settings.inbound / "parcels"
    folder.mkdir(parents=True)
    for day in (END - timedelta(days=1), END):
        lines = ["Nr;Ort;Gewicht", *(f'{n};"Köln; Süd";{n},5' for n in range(1, 41)), "ENDE 40"]
        (folder / f"scans_{day}.csv").write_bytes("".join(f"{line}\r\n" for line in lines).encode("latin-1"))
    return settings


@pytest.mark.parametrize("fault", [fault for fault in FILE_FAULTS if fault.any_feed], ids=lambda fault: fault.id)
def test_generic_faults_break_a_users_own_files(
    fault: object, parcels: Settings, request: pytest.FixtureRequest
) -> None:
    identity = request.node.callspec.id
    possible = identity not in ("control_count", "unknown_reference")
    before = contents(parcels.inbound)
    asked = {"faults": [f"{identity}:scans"], "inbound_only": True}
    if not possible:
        with pytest.raises(FaultError, match=r"no control file|no reference"):
            simulate(parcels, **asked)
        assert contents(parcels.inbound) == before
        return
    simulate(parcels, **asked)
    after = contents(parcels.inbound)
    assert (after != before) is (identity not in LATE)
    assert not [name for name in after if "/." in name]
    catalog = catalogs.load(parcels)
    settings = Settings.load(home=parcels.home, overlay=parcels.overlay, as_of=NOW + timedelta(days=1), environ={})
    findings = {finding.kind for finding in landed(settings, catalog, "scans")["scans"].findings}
    expected = REGISTRY[identity].finding
    assert expected in findings or expected == "volume_anomaly" or identity in LATE


def test_an_overlay_domain_is_not_simulated(parcels: Settings) -> None:
    with pytest.raises(FaultError, match=r"domain 'parcels' is not simulated; .* --inbound-only"):
        simulate(parcels, faults=["truncated:scans"])


def test_inbound_only_needs_files(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="no file of feed 'orders' lies in"):
        simulate(home(tmp_path), faults=["truncated:orders"], inbound_only=True)
