"""Wrong SQL in insurance, investor and streaming: their unit tests pass, and a wrong join, sum, filter or edge makes
one fail.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops_project.settings import Settings
from tests.dbt.test_mutants import Mutant, by_cost, rounds, unit_tests, without_their_text

pytestmark = pytest.mark.xdist_group("built_empty")

DOMAINS = ("insurance", "investor", "streaming")
MUTANTS = [
    # joins on wrong keys, joins that lose or multiply rows
    Mutant("int_investor_days", "left join spend", "inner join spend"),
    Mutant("int_experiment_unit_days", "and transactions.occurred_at >= assignments.assigned_at", ""),
    Mutant("int_experiment_assignments", " and is_in_one_arm", ""),
    Mutant("rec_transaction_units", "left join known", "inner join known"),
    Mutant(
        "kpi_experiment_unit_profit",
        "left join {{ ref('int_experiment_unit_days') }}",
        "inner join {{ ref('int_experiment_unit_days') }}",
    ),
    Mutant("kpi_experiment_daily_growth", "    left join sales\n", "    inner join sales\n"),
    Mutant("int_streams", "and streams.business_date < songs.known_until", ""),
    # wrong aggregates, edges, choices among versions, treatment of NULL
    Mutant("ods_policies", "order by cdc_seq desc", "order by cdc_seq"),
    Mutant("fact_policies", "greatest(business_date, effective_date)", "business_date"),
    Mutant("kpi_policies", "-premium as amount", "premium as amount"),
    Mutant("rec_policy_sequence_gaps", "refused_in_gap.refused_changes = gaps.missing_changes", "false"),
    Mutant("stg_transactions", "then 0", "then transactions.quantity * transactions.unit_revenue"),
    Mutant("fact_transactions", "place = 1 and", "place >= 1 and"),
    Mutant("kpi_aggregate_growth", "count(distinct unit_id) as buyers", "count(unit_id) as buyers"),
    Mutant(
        "kpi_aggregate_profit",
        "when has_transactions and has_spend then 1 else 0 end) as days_delivered",
        "when has_transactions then 1 else 0 end) as days_delivered",
    ),
    Mutant("rec_experiment_arms", "when arms > 1 then 1", "when arms > 0 then 1"),
    Mutant("fact_listening_sessions", "listened_at > silent_since", "listened_at >= silent_since"),
    Mutant("rec_stream_validation", "worst_rates.errors * 100 <=", "worst_rates.errors * 100 <"),
    Mutant("kpi_genre_daily", "count(distinct user_id)", "count(user_id)"),
    Mutant("kpi_top_songs", "where ranked.song_rank <= 3", "where ranked.song_rank < 3"),
    Mutant("kpi_top_genres", "order by listens desc", "order by listens"),
    # a second mutant of the same models, in a round of its own
    Mutant("int_streams", "and streams.business_date >= users.known_from", ""),
    Mutant(
        "rec_stream_validation", "worst_violations.reference_violations <=", "worst_violations.reference_violations <"
    ),
    Mutant("int_experiment_unit_days", "and transactions.business_date <= assignments.last_date", ""),
    Mutant("rec_transaction_units", "days.unknown_units <= {{", "days.unknown_units < {{"),
    Mutant("kpi_policies", "(valid_to is null or in_force_from < valid_to)", "true"),
]


@pytest.fixture(scope="module")
def built(built_empty: Settings) -> Any:
    """A home in which every table of the three domains exists, because dbt reads the types of a unit test's inputs in
    this home.
    """
    return SimpleNamespace(home=Path(built_empty.home), settings=built_empty)


def test_each_mutant_finds_the_text_that_it_edits() -> None:
    assert without_their_text(MUTANTS) == []


def test_the_sql_as_it_is_passes(built: Any) -> None:
    outcomes = unit_tests(built, [], *DOMAINS)
    assert len(outcomes) > 25
    assert all(statuses == {"pass"} for statuses in outcomes.values()), outcomes


@pytest.mark.parametrize("group", by_cost(rounds(MUTANTS)), ids=lambda group: f"{len(group)} mutants")
def test_a_mutant_is_caught(built: Any, group: list[Mutant]) -> None:
    outcomes = unit_tests(built, group)
    survivors = [str(mutant) for mutant in group if "fail" not in outcomes.get(mutant.tested, set())]
    assert not survivors
