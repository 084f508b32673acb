"""A key that is missing in a full extract is kept or ended, as the contract says. A file that may be cut off never
ends it.
"""

from __future__ import annotations

import random
from datetime import date
from typing import Any

from tests.dbt.shop import Shop, customer, day


def extract(shop: Shop, number: int, *customers: int, **more: Any) -> None:
    shop.land("customers", day(number), [customer(n, f"City {number // 4}") for n in customers], **more)


def versions(shop: Shop, number: int = 1) -> list[tuple[date, date | None, bool]]:
    shop.build("dim_customers")
    return shop.ask(
        f"select valid_from, valid_to, is_current from silver.dim_customers where customer_id = 'C{number}' order by all"
    )


def test_a_contract_that_says_nothing_keeps_the_version(shop: Shop) -> None:
    extract(shop, 0, 1, 2)
    extract(shop, 1, 2)
    assert versions(shop) == [(day(0), None, True)]


def test_the_first_whole_extract_without_the_key_ends_it(shop: Shop) -> None:
    shop.contract("customers", absent_keys="end")
    extract(shop, 0, 1, 2)
    extract(shop, 1, 2, quarantined=1)
    extract(shop, 2, 2, partial=True)
    assert versions(shop) == [(day(0), None, True)]
    extract(shop, 3, 2)
    assert versions(shop) == [(day(0), day(3), False)]
    extract(shop, 3, 1, 2, replaces=True)
    assert versions(shop) == [(day(0), None, True)]


def test_any_order_of_arrival_gives_the_same_versions(shop: Shop, tmp_path) -> None:
    chance = random.Random(7)
    history = {n: [c for c in range(6) if chance.random() < 0.6] or [0] for n in range(8)}
    at_once = Shop(tmp_path / "at-once")
    for place in (shop, at_once):
        place.contract("customers", absent_keys="end")
    for number, present in history.items():
        extract(at_once, number, *present)
    at_once.build("dim_customers")
    shuffled = list(history)
    chance.shuffle(shuffled)
    for position, number in enumerate(shuffled):
        extract(shop, number, *history[number])
        if position % 3 == 1:
            shop.build("dim_customers")
    shop.build("dim_customers")
    assert shop.tables() == at_once.tables()
    ended = shop.ask("select count(*) from silver.dim_customers where not is_current")
    assert ended > [(5,)]
