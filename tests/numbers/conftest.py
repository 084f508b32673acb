"""Homes that the tests of this folder share, because a history takes seconds to play."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.numbers.played import Played, play

SEEDS = {"ecommerce": 3}
"""Domain → seed of its history; 2 for the others. In these histories each edit of test_gold_from_the_files changes a
figure."""


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Played]:
    """Gives the home of a domain in which a random history was played. A test may read it, or must restore it."""
    homes: dict[str, Played] = {}

    def home_of(domain: str) -> Played:
        if domain not in homes:
            homes[domain] = play(tmp_path_factory.mktemp(domain) / "home", domain, SEEDS.get(domain, 2))
        return homes[domain]

    return home_of
