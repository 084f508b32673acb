"""Whether what an alert is about still exists: its asset, and the check of it.

A service level, an expectation and a schedule are looked at by their own observers, which say when one is no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops_project.operations.alerting.decide.state import AlertConfig


def of_check(asset: str, check: str) -> str:
    """The name of a check of an asset among what was removed."""
    return f"{asset}:{check}"


def gone(labels: Mapping[str, str], config: AlertConfig) -> str:
    """What does not exist any more, in words; empty where everything does, or nobody knows."""
    asset, check = labels.get("asset", ""), labels.get("check", "")
    if not asset or not config.removed:
        return ""
    if asset in config.removed:
        return f"the asset {asset} does not exist any more"
    if check and of_check(asset, check) in config.removed:
        return f"the check {check} of {asset} does not exist any more"
    return ""
