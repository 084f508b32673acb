"""Decides whether the subject of an alert still exists. A subject is an asset, a check of an asset, the freshness
policy of an asset, a job or a sensor. Service levels, expectations and schedules have observers of their own, which
report when one no longer exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops_project.operations.alerting.decide.state import AlertConfig


FRESHNESS = "(freshness)"
"""Stands in place of a check's name. It means the freshness of an asset, which Dagster judges."""
# The first words of the kinds of signals that are about a job if they name no asset.
_OF_JOBS = frozenset({"run", "step", "publication", "resource"})


def of_job(name: str) -> str:
    """The name under which a removed job is listed."""
    return f"job:{name}"


def of_sensor(name: str) -> str:
    """The name under which a removed sensor is listed."""
    return f"sensor:{name}"


def of_check(asset: str, check: str) -> str:
    """The name under which a removed check of an asset is listed."""
    return f"{asset}:{check}"


def gone(labels: Mapping[str, str], config: AlertConfig) -> str:
    """A text that says what no longer exists. Empty if the subject exists, or if that is unknown."""
    asset, check = labels.get("asset", ""), labels.get("check", "")
    if config.switched_off and (off := _switched_off(labels, asset, config)):
        return off
    if not config.removed:
        return ""
    kind = labels.get("kind", "")
    if not asset:
        job = labels.get("pipeline", "")
        if job and of_job(job) in config.removed and kind.partition(".")[0] in _OF_JOBS:
            return f"the job {job} does not exist any more"
        if kind == "schedule.tick_failure" and of_sensor(check) in config.removed:
            return f"the sensor {check} does not exist any more"
        return ""
    if kind == "freshness.state" and of_check(asset, FRESHNESS) in config.removed:
        return f"{asset} has no freshness policy any more"
    if asset in config.removed:
        return f"the asset {asset} does not exist any more"
    if check and of_check(asset, check) in config.removed:
        return f"the check {check} of {asset} does not exist any more"
    return ""


def _switched_off(labels: Mapping[str, str], asset: str, config: AlertConfig) -> str:
    domain = labels.get("domain", "") or (config.lineage.get(asset).domain if asset else "")
    if domain in config.switched_off:
        return f"the domain {domain} is switched off"
    job = labels.get("pipeline", "")
    return f"{job} builds a domain that is switched off" if not domain and job in config.switched_off else ""
