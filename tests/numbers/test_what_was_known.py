"""For a past day, learning uses what the files up to that day contained, whatever came later."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ops_project.pipeline.learning import changes
from tests.numbers.histories import DAYS
from tests.numbers.oracle import archive, ecommerce
from tests.numbers.played import Played

DAYS_LESS_CHANGES = """
    select customer_id, business_date, sum(orders), sum(undone), sum(sales), case when count(revenue) = count(*) then sum(revenue) end, sum(views)
    from (
        select customer_id, business_date, orders, undone_orders as undone, sales_orders as sales,
            gross_revenue as revenue, product_views as views
        from silver.int_customer_days
        union all
        select customer_id, business_date, -orders, -undone_orders, -sales_orders, -gross_revenue, -product_views
        from customer_day_changes
        where known_on >= date '{cutoff}'
    )
    where business_date < date '{cutoff}'
    group by all
"""


@pytest.mark.xdist_group("played-ecommerce")
def test_days_less_the_changes_since_a_date_are_what_earlier_files_said(played: Callable[[str], Played]) -> None:
    site = played("ecommerce").site
    files = archive.read(site)
    changed = 0
    for cutoff in DAYS[1:]:
        with site.connect() as connection:
            changes.define(connection)
            rows = connection.execute(DAYS_LESS_CHANGES.format(cutoff=cutoff)).fetchall()
            changed += len(connection.execute(f"from {changes.VIEW} where known_on >= '{cutoff}'").fetchall())
        known = {row[:2]: row[2:] for row in rows}
        said = ecommerce.customer_days(ecommerce.shop_of(files.before(cutoff)))
        expected = {key: figures for key, figures in said.items() if key[1] < cutoff and any(figures)}
        # An amount that is unknown today, or was unknown then, stays unknown. Nothing can be subtracted from it.
        shown = {
            key: (*figures[:3], expected[key][3] if key in expected and figures[3] is None else figures[3], figures[4])
            for key, figures in known.items()
            if any(figures)
        }
        assert shown == expected, cutoff
    assert changed
