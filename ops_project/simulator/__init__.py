"""Simulated source systems. They write the inbound files that real sources would write, and put faults into them on
request. A seed makes the data repeatable.

The pipeline reads nothing from this package. To use your own files, put them in place of these files; no Python code is
needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from ops_project.settings import Settings
from ops_project.simulator.domains import SIMULATED

if TYPE_CHECKING:
    from ops_project.simulator.simulation import Result


def simulate(
    settings: Settings,
    *,
    domain: str | Sequence[str] = (),
    days: int | None = None,
    end: date | None = None,
    scale: float | None = None,
    seed: int | None = None,
    feeds: Sequence[str] = (),
    faults: Sequence[str] = (),
    inbound_only: bool = False,
    postgres: str | None = None,
    now: datetime | None = None,
) -> Result:
    """Deliver files as `ops simulate` does. Raises ValueError if the request cannot be fulfilled; see
    `simulation.simulate`.

    `feeds`: only files of these feeds are delivered.

    `faults`: each fault is written ID[:FEED][@DATE].

    `postgres`: the URL of a database that gets the transactions in place of the inbound folder.
    """
    # The imports are here, so that the command line can show this package's constants without numpy and the catalog.
    from ops_project import catalog
    from ops_project.simulator.faults.request import Request
    from ops_project.simulator.plans import Asked
    from ops_project.simulator.simulation import simulate as carry_out

    asked = Asked(
        domains=(domain,) if isinstance(domain, str) else tuple(domain),
        days=days,
        end=end,
        scale=scale,
        seed=seed,
        feeds=tuple(feeds),
        faults=[Request.parse(text) for text in faults],
        inbound_only=inbound_only,
        postgres=postgres,
    )
    return carry_out(settings, catalog.load(settings), now or settings.now(), asked)


__all__ = ["SIMULATED", "simulate"]
