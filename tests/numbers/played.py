"""A home in which a random history of deliveries was played, and what its gold should say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tests.numbers.histories import Source
from tests.numbers.mailings import Mailings
from tests.numbers.oracle.figures import Oracle
from tests.numbers.site import Site
from tests.numbers.sources import Investor, Listening, Policies, Shop

HISTORIES: dict[str, type[Source]] = {
    "ecommerce": Shop,
    "insurance": Policies,
    "investor": Investor,
    "marketing": Mailings,
    "streaming": Listening,
}
# For parametrize: all tests that use the home of one domain run in one process. Marketing has sixty models, so its
# histories are played only by the soak.
BY_DOMAIN = [
    pytest.param(
        domain,
        marks=[pytest.mark.xdist_group(f"played-{domain}"), *([pytest.mark.soak] if domain == "marketing" else [])],
    )
    for domain in HISTORIES
]


@dataclass(frozen=True)
class Played:
    site: Site
    oracle: Oracle


def play(home: Path, domain: str, seed: int, days: Sequence[date] = ()) -> Played:
    """The history of `seed`, over a week if no other days are asked for."""
    site = Site(home, domain, may_reject=True)
    oracle = Oracle(site)
    source = HISTORIES[domain](seed, days=list(days)) if days else HISTORIES[domain](seed)
    source.history().play(site, oracle.after_run)
    return Played(site, oracle)
