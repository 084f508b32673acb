"""Defines a fault: what it damages, and what the platform must then find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ops_project.model.failure_class import FailureClass

Kind = Literal["file", "warehouse", "serving", "model"]
Details = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One fault that can be requested."""

    id: str
    title: str
    """What the fault does, as a phrase in the third person: "removes the header"."""
    origin: str
    """The code of the requirement that asks for the fault. docs/requirements.md explains the codes."""
    finding: FailureClass | None
    """The expected class of the finding. None: the platform must find nothing, because the change only looks like a
    fault.
    """
    feed: str
    """The feed that the fault breaks if the request names none."""
    asset: str = "bronze/{feed}"
    """The asset at which the platform must find the fault, as schema/table."""
    apply: Kind = "file"
    act: Callable[..., Details] | None = None
    """Does the damage and returns what was done. Its arguments depend on `apply`:

    - file: act(Scene)
    - warehouse: act(connection, table, day or None), in its own transaction
    - another kind: the arguments that the applier of this kind passes (see `appliers`)
    """
    any_feed: bool = False
    """True: the fault can damage any feed, including a feed of a domain that is not simulated."""
    spans_window: bool = False
    """True: the fault changes every day from the start of the window to its own day. False: only its own day."""
    days_back: int = 0
    """How many days before the last simulated day the default day of the fault is."""
    on_holiday: bool = False
    """True: the default day is the latest public holiday of the window."""

    def asset_of(self, feed: str) -> str:
        return self.asset.format(feed=feed)
