"""After a random history of deliveries every table is equal to the result of one complete build. There are two
exceptions. Figures reported to investors depend on when files came, by intention. The tables of the raw vault keep what
was received (docs/adr/0006): hubs and links name the first extract with a key, and satellites keep the rows of replaced
extracts. The views over these tables, the interface and gold do not depend on when files came.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.numbers.played import BY_DOMAIN, HISTORIES, Played, play
from tests.numbers.site import CLOCKS, Site

DEPENDS_ON_ARRIVAL = re.compile(
    r"silver\.fact_reported_metrics|gold\.rec_restatements"
    r"|silver\.(hub|link|sat|ma_sat|eff_sat)_\w+(?<!_current)(?<!_history)"
)


def tables(site: Site) -> dict[str, list[tuple[Any, ...]]]:
    """Every table and view of silver and gold, without the clocks of builds."""
    with site.connect() as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_schema in ('silver', 'gold') order by all"
        ).fetchall()
        found = {}
        for (name,) in names:
            described = connection.execute(f"describe {name}").fetchall()
            columns = ", ".join(f'"{row[0]}"' for row in described if row[0] not in CLOCKS)
            found[name] = connection.execute(f"select {columns} from {name} order by all").fetchall()
        return found


def compare(played: Played) -> None:
    site = played.site
    step_by_step = tables(site)
    assert step_by_step
    with site.connect() as connection:
        connection.execute("drop schema silver cascade; drop schema gold cascade; delete from ops.builds")
    site.build()
    at_once = tables(site)
    assert set(step_by_step) == set(at_once)
    differ = [
        name for name, rows in step_by_step.items() if rows != at_once[name] and not DEPENDS_ON_ARRIVAL.fullmatch(name)
    ]
    assert differ == [], f"{site.domain}: {differ}"


@pytest.mark.parametrize("domain", BY_DOMAIN)
def test_a_random_history(played: Callable[[str], Played], domain: str) -> None:
    """The result agrees with the files. Then everything is built from nothing, which must change nothing."""
    assert played(domain).oracle.wrong() == []
    compare(played(domain))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 32))
@pytest.mark.parametrize("domain", HISTORIES)
def test_many_random_histories(tmp_path: Path, domain: str, seed: int) -> None:
    played = play(tmp_path / "home", domain, seed)
    assert played.oracle.wrong() == [], f"{domain}, seed {seed}"
    compare(played)
