"""A segment is named by its position, whatever the order of the clusters."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_project.pipeline.learning.judge import metrics
from ops_project.pipeline.learning.judge.profiles import PROFILES, names

CENTRES = np.array([[-1.1, 1.4, 1.6], [1.6, -0.9, -0.7], [-0.8, -0.5, -0.7], [0.5, 0.4, 0.7]])


def test_centres_are_named_by_their_profile_whatever_their_order() -> None:
    expected = dict(zip(map(tuple, CENTRES), ["Champions", "Lapsed", "Recent", "At Risk"], strict=True))
    for order in permutations(range(4)):
        shuffled = CENTRES[list(order)]
        assert names(shuffled) == [expected[tuple(centre)] for centre in shuffled]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-3, 3)] * 3), min_size=1, max_size=6, unique=True))
def test_every_centre_has_a_name_of_its_own(centres: list[tuple[float, float, float]]) -> None:
    given_names = names(np.array(centres))
    assert len(set(given_names)) == len(centres)
    assert set(given_names) <= set(PROFILES)


def test_auc_counts_ties_half() -> None:
    assert metrics.auc(np.array([0.0, 1.0]), np.array([1.0, 1.0])) == 0.5
    assert metrics.auc(np.array([0.0, 0.0, 1.0]), np.array([1.0, 2.0, 3.0])) == 1.0
    assert metrics.auc(np.ones(3), np.arange(3.0)) == 0.5


def test_auc_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(3)
    outcome, scores = (rng.random(200) < 0.3).astype(float), np.round(rng.random(200), 1)
    assert metrics.auc(outcome, scores) == pytest.approx(roc_auc_score(outcome, scores))


def test_stability_index_is_zero_for_the_same_population_and_large_for_another() -> None:
    rng = np.random.default_rng(4)
    values = np.log1p(rng.poisson(2, 3000).astype(float))
    edges = metrics.bin_edges(values)
    shares = metrics.bin_shares(values, edges)
    rounded = [float(f"{edge:.8g}") for edge in edges]
    assert metrics.psi(shares, metrics.bin_shares(values, rounded)) == pytest.approx(0, abs=1e-9)
    assert metrics.psi(shares, metrics.bin_shares(values + 1, edges)) > 0.25


def test_calibration_error_of_a_perfect_forecast_is_small() -> None:
    rng = np.random.default_rng(5)
    probability = rng.random(20_000)
    outcome = (rng.random(20_000) < probability).astype(float)
    assert metrics.calibration_error(outcome, probability) < 0.02
    assert metrics.calibration_error(outcome, np.clip(probability + 0.2, 0, 1)) > 0.12
