"""The recovery page with real backups, proofs, drills, a plan and a restore of one small home; and the text of the page
if there is none of these.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ops_project.catalog import load
from ops_project.console.backups_health import of_backups
from ops_project.model.platform import Platform
from ops_project.pipeline.recovery import out_of_date, plans
from ops_project.pipeline.recovery.backup import drill
from ops_project.pipeline.recovery.backup.create import Taker
from ops_project.pipeline.recovery.backup.routine import routine
from ops_project.pipeline.recovery.backup.shelf import Register, Shelf
from ops_project.pipeline.recovery.decide.backfill import Plan
from ops_project.pipeline.recovery.decide.backups import Backup, Outcome, Proof
from ops_project.pipeline.recovery.stores import open_store
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from tests.console.visit import Visit
from tests.operations.incidents.world import IncidentWorld

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
MOST = timedelta(hours=36)


def test_without_a_destination_nothing_is_said_to_be_well(visit):
    text = visit.text("/recovery")
    assert "It is not known whether the home can be rebuilt" in text and "backups.destination" in text
    assert "Never practised" in text and "The home can be rebuilt" not in text


def test_backups_proofs_drills_plans_and_restores_are_shown(tmp_path):
    store = tmp_path / "backups"
    day = IncidentWorld(
        tmp_path, "2026-03-04 04:10", platform=lambda data: data.update(backups={"destination": str(store)})
    )
    platform: Platform = load(day.settings).platform
    with writer(day.settings, platform, owner="test", now=day.now) as held:
        held.connection().execute("CREATE SCHEMA gold; CREATE TABLE gold.sales AS SELECT range AS id FROM range(10)")
        snapshots.take(held, run_id="night", as_of=day.now, commit="c0ffee")
    shelf = Shelf(open_store(str(store)))
    taker = Taker(day.settings, platform, "ada", day.now, "c0ffee")
    manifest, _ = routine(taker, shelf, str(store))
    unproved, _ = routine(taker, shelf, str(store), verify=False)
    drill.drill(day.settings, shelf, manifest, now=day.now + timedelta(hours=2))
    day.ledger.audit(
        day.now,
        who="engineer-a",
        source="shell",
        action="restore",
        subject="gold.sales",
        outcome="done",
        detail="from snapshot 000001",
    )
    out_of_date.mark(day.settings, ["gold.sales"], "silver.orders was restored", day.now)
    windows = ((date(2026, 2, 1), date(2026, 2, 3)),)
    plan = Plan("gold.sales", "ecommerce", "j", windows, ("gold.sales",), (), (), 30, None, "no run", "s", (), None)
    plans.keep(day.settings, plan)

    day.now += timedelta(hours=3)
    with Visit(day) as visit:
        text = visit.text("/recovery")
        for words in (
            "The home can be rebuilt",
            manifest.id,
            "every table&#39;s checksum compared",
            f"ops backup verify {unproved.id}",
            "2 h of work would have been lost",
            "Engineer A",
            "silver.orders was restored",
            f"ops backfill gold.sales --apply {plan.hash}",
            "2026-02-01 to 2026-02-03",
            "0 of 1",
            snapshots.newest(day.settings).id,
        ):
            assert words in text, words
        day.now += timedelta(hours=40)
        assert "The newest proved backup is older than 36 hours" in visit.text("/recovery")


BACKUP = Backup("000001-a", NOW - timedelta(hours=5), None, 1, 1, 1)
FAILED = Proof(Outcome.FAILED, NOW, "gold.sales differs")
PROVED = Proof(Outcome.PROVED, NOW, "compared")
EARLIER = NOW - timedelta(days=4)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (None, "unknown"),
        (Register("/b", NOW), "unknown"),
        (Register("/b", EARLIER), "wrong"),
        (Register("/b", NOW, (BACKUP,)), "unknown"),
        (Register("/b", NOW, (BACKUP,), {"000001-a": FAILED}), "wrong"),
        (Register("/b", NOW, (BACKUP,), {"000001-a": Proof(Outcome.INCONCLUSIVE, NOW, "full disk")}), "unknown"),
        (Register("/b", EARLIER, (BACKUP,), {"000001-a": PROVED}), "well"),
    ],
)
def test_only_a_proved_backup_is_well(found, state):
    assert of_backups(found, MOST, NOW).state == state


def test_an_old_backup_is_wrong_only_by_a_rule():
    found = Register("/b", EARLIER, (BACKUP,), {"000001-a": PROVED})
    assert of_backups(found, MOST, NOW + timedelta(days=9)).state == "wrong"
    assert of_backups(found, None, NOW + timedelta(days=9)).state == "well"
