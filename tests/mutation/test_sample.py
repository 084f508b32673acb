"""Single edits that once survived every test are noticed by the unit tests beside the models; `make mutants` makes all
edits.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_project.settings import Settings
from tests.mutation import cases, score
from tests.mutation.score import Mutant

pytestmark = pytest.mark.xdist_group("built_empty")

# (model, words of the edit): each was a plausible mistake that nobody would have seen.
EDITS = [
    ("campaign_performance", "without WHERE is_control"),
    ("campaign_performance", "without WHERE NOT is_control"),
    ("kpi_experiment_daily_growth", "= 1: 1 becomes 2"),
    ("kpi_experiment_daily_growth", "without partition by days.arm"),
    ("executive_summary", "-13: 13 becomes 14"),
    ("executive_summary", "-59: 59 becomes 60"),
    ("executive_summary", "-29: 29 becomes 30"),
    ("executive_summary", "days.order_date BETWEEN periods.previous_start"),
    ("executive_summary", "COUNT(DISTINCT customer_days.customer_id) without distinct"),
    ("kpi_aggregate_engagement", "without LAG(period_end)"),
    ("kpi_aggregate_growth", "without LAG(period_end)"),
    ("kpi_aggregate_profit", "without LAG(period_end)"),
    ("int_unit_event_days", "COUNT(DISTINCT session_id) without distinct"),
]


@pytest.fixture(scope="module")
def mutants(built_empty: Settings) -> list[Mutant]:
    return score.mutants(cases.compiled(built_empty, *sorted({model for model, _ in EDITS})))


@pytest.mark.parametrize(("model", "words"), EDITS, ids=str)
def test_the_edit_is_noticed(built_empty: Settings, mutants: list[Mutant], model: str, words: str) -> None:
    meant = [mutant for mutant in mutants if mutant.model == model and words in mutant.text]
    assert meant, f"no edit of {model} reads {words!r}"
    score.judge(meant, Path(built_empty.warehouse))
    assert {mutant.verdict for mutant in meant} == {"killed"}, [str(m) for m in meant if m.verdict != "killed"]
