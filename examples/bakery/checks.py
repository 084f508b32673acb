"""Checks of the bakery that take more than a query."""

from asset_checks.own import Situation, check


@check(table="gold.bakery_daily", severity="medium")
def bakery_days_are_alike(situation: Situation) -> str | None:
    """No shop's newest day is below a tenth of its best day."""
    rows = situation.rows(
        "select shop, max_by(revenue, business_date), max(revenue) from gold.bakery_daily group by shop order by shop"
    )
    weak = [shop for shop, newest, best in rows if newest * 10 < best]
    return f"{', '.join(weak)} sold less than a tenth of the best day" if weak else None
