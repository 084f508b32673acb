"""The source numbers the changes of a policy. A change that arrives late does not undo a later change."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ops_project import catalog
from tests.numbers.site import Site
from tests.pipeline.reconcile.chains import reconcile

DAYS = [date(2026, 5, number) for number in (4, 5, 6, 7)]


def change(number: int, policy: int, premium: int, *, status: str = "active") -> dict[str, object]:
    cancelled = "2026-05-05" if status == "cancelled" else None
    return {
        "cdc_seq": number,
        "policy_id": f"POL{policy:08}",
        "premium": premium,
        "policy_status": status,
        "cancelled_date": cancelled,
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("policies") / "home", "insurance")
    site.put("policies", DAYS[0], [change(1, 1, 60), change(2, 2, 100)])
    site.run()
    site.put("policies", DAYS[1], [change(4, 2, 120, status="cancelled")])
    site.run()
    return site


def test_a_lost_change_that_is_sent_again_revives_no_cancelled_policy(site: Site) -> None:
    site.put("policies", DAYS[2], [change(3, 2, 120)])
    site.run()
    newest = (
        "select sum(policy_count), sum(premium_amount) from gold.kpi_policies where business_date = date '2026-05-06'"
    )
    assert site.ask(newest) == [(1, 60)]
    with site.connect() as connection:
        chain = catalog.load(site.settings).reconciliations.reconciliations["policies"]
        assert reconcile(connection, "policies", chain, archive=site.settings.archive).first_hops == ()
        connection.execute("begin")
        connection.execute(
            "insert into silver.fact_policies by name select * replace (true as is_in_force, 3 as cdc_seq,"
            " date '2026-05-06' as business_date) from silver.fact_policies where cdc_seq = 4"
        )
        broken = reconcile(connection, "policies", chain, archive=site.settings.archive)
        assert "silver.fact_policies" in {hop.target for hop in broken.first_hops}
        connection.execute("rollback")


def test_incremental_and_full_agree(site: Site, tmp_path: Path) -> None:
    at_once = Site(tmp_path / "home", "insurance", clock=site.clock)
    for day, rows in zip(
        DAYS,
        ([change(1, 1, 60), change(2, 2, 100)], [change(4, 2, 120, status="cancelled")], [change(3, 2, 120)]),
        strict=False,
    ):
        at_once.put("policies", day, rows)
    at_once.run()
    versions = "select policy_id, cdc_seq, valid_from, valid_to, is_in_force from silver.fact_policies order by all"
    assert at_once.ask(versions) == site.ask(versions)
