"""After somebody has stopped a run, no step of checks begins in any domain."""

from __future__ import annotations

from types import SimpleNamespace

import dagster as dg
import pytest

from ops_project.definitions import defs
from ops_project.process.watchdog import Watchdog

CHECKS = {
    found.node_def.name: found
    for found in defs.resolve_asset_graph().assets_defs
    if isinstance(found, dg.AssetChecksDefinition) and "warehouse" in found.required_resource_keys
}


class Stopped:
    """The session of a run that was stopped. It has no connection that a check could ask."""

    stopped = "interrupted by you"
    watchdog = Watchdog()


def test_the_checks_of_every_domain_are_asked() -> None:
    assert len(CHECKS) > 15


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_step_of_checks_does_not_begin(name: str) -> None:
    step = CHECKS[name].node_def
    context = SimpleNamespace(
        resources=SimpleNamespace(warehouse=Stopped()), op_execution_context=SimpleNamespace(op_def=step)
    )
    with pytest.raises(dg.Failure, match="not begun, interrupted by you"):
        list(step.compute_fn.decorated_fn(context))  # type: ignore[union-attr]  # made by a decorator
