"""The probability behind a lift is exact, and few of many reported lifts are chance."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from tests.dbt.macros import rendered, variable

FILE = "statistics/tests.sql"


def test_the_normal_probability_is_as_exact_as_it_says() -> None:
    z = np.linspace(-12, 12, 2401)
    with duckdb.connect() as connection:
        connection.register("deviates", pa.table({"z": z}))
        found = connection.execute(f"select z, {rendered(FILE, 'normal_two_sided_p', 'z')} from deviates").fetchall()
    for value, probability in found:
        assert probability == pytest.approx(2 * stats.norm.sf(abs(value)), rel=2e-7)


def q_values(p: list[float | None]) -> list[float | None]:
    with duckdb.connect() as connection:
        connection.register("tests", pa.table({"number": range(len(p)), "p": pa.array(p, pa.float64())}))
        rows = connection.execute(
            f"""
            with counted as (select *, {rendered(FILE, "tests_counted", "p")} from tests)

            select {rendered(FILE, "false_discovery_rate", "p")} from counted order by number
            """
        ).fetchall()
    return [row[0] for row in rows]


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    random = np.random.default_rng(4)
    p = [float(value) for value in [*random.random(40), *random.random(10) / 1000]] + [0.02, 0.02, 1.0]
    assert q_values(p) == pytest.approx(list(stats.false_discovery_control(p)))
    with_unknown = q_values([None, *p, None])
    assert with_unknown[0] is None
    assert with_unknown[-1] is None
    assert with_unknown[1:-1] == pytest.approx(list(stats.false_discovery_control(p)))


def test_of_the_campaigns_that_are_said_to_have_a_lift_few_have_none() -> None:
    """200 campaigns, a fifth of them with an effect. Computes the share of the reported lifts that are chance."""
    random = np.random.default_rng(8)
    rounds, limit, false, called, found_by_interval = 20, variable("lift_false_discovery_rate"), 0, 0, 0
    z = rendered(FILE, "two_rates_z", "won", "audience", "won_without", "control")
    p = rendered(FILE, "normal_two_sided_p", z)
    with duckdb.connect() as connection:
        for _ in range(rounds):
            effect = np.where(np.arange(200) < 40, 0.04, 0.0)
            connection.register(
                "campaigns",
                pa.table(
                    {
                        "real": effect > 0,
                        "won": random.binomial(2000, 0.05 + effect),
                        "audience": np.full(200, 2000),
                        "won_without": random.binomial(2000, 0.05, 200),
                        "control": np.full(200, 2000),
                    }
                ),
            )
            rows = connection.execute(
                f"""
                with tested as (select *, {p} as p from campaigns),

                counted as (select *, {rendered(FILE, "tests_counted", "p")} from tested)

                select real, p, {rendered(FILE, "false_discovery_rate", "p")} as q from counted
                """
            ).fetchall()
            called += sum(q <= limit for _, _, q in rows)
            false += sum(q <= limit and not real for real, _, q in rows)
            found_by_interval += sum(p <= 0.05 and not real for real, p, _ in rows)
    assert false / called <= 0.06
    assert called >= 0.9 * 40 * rounds
    assert found_by_interval > 5 * false, "one test after another calls far more of them by chance"


def test_a_rate_that_cannot_be_tested_has_no_z() -> None:
    with duckdb.connect() as connection:
        for won, audience, won_without, control in (
            (0, 10, 0, 10),
            (10, 10, 10, 10),
            (None, None, None, None),
            (1, 2, None, None),
            (1, 2, 0, 0),
            (0, 0, 1, 2),
            (0, 0, 0, 0),
        ):
            z = rendered(FILE, "two_rates_z", "a", "b", "c", "d")
            [[found]] = connection.execute(
                f"select {z} from (select ?::int as a, ?::int as b, ?::int as c, ?::int as d)",
                [won, audience, won_without, control],
            ).fetchall()
            assert found is None
