"""The values that the labels of alerts can have in this home. They come from the catalog, the stored asset graph and
the open alerts.
"""

from __future__ import annotations

from collections.abc import Iterable

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import Alert
from ops_project.model.failure_class import FAILURE_CLASSES
from ops_project.model.severity import SEVERITIES
from ops_project.operations.alerting.decide.vocabulary import Vocabulary
from ops_project.operations.domains import domains_of

OPEN = (
    "asset",
    "pipeline",
    "partition",
    "check",
    "owner",
    "kind",
    "layer",
    "tier",
    "feed",
    "finding",
    "sla",
    "sla_at_risk",
    "job",
    "step",
    "team",
    "file",
    "scheduled",
    "partitions",
    "dates",
    "blocking",
)


def known_labels(catalog: Catalog, lineage: Lineage, firing: Iterable[Alert]) -> Vocabulary:
    """The known labels and their values. A label without a list of values may have any value. As long as nothing has
    run, assets and pipelines may have any value too.
    """
    rules = catalog.rules.rules
    facts = lineage.assets.values()
    domains = domains_of(catalog, lineage)
    values: dict[str, set[str]] = {
        "alertname": set(rules),
        "severity": set(SEVERITIES),
        "category": {rule.category for rule in rules.values()},
        "domain": set(domains),
        "failure_class": set(FAILURE_CLASSES),
        "kind": set(catalog.metrics.metrics),
        "feed": set(catalog.feeds),
        "sla_at_risk": {"true", "false"},
        "team": {rule.labels["team"] for rule in rules.values() if "team" in rule.labels},
        "owner": {catalog.owners.dagster(owner) for owner in catalog.owners.valid()},
    }
    if catalog.watches:
        values["owner"] |= {owner for fact in facts for owner in fact.owners}
    if facts:
        values["asset"] = {fact.key for fact in facts} | {f"bronze/{feed}" for feed in catalog.feeds}
        values["layer"] = {fact.layer for fact in facts} - {""}
        values["tier"] = {fact.tier for fact in facts} - {""}
    if lineage.jobs:
        values["pipeline"] = {*lineage.jobs, *(catalog.domains.main_job(name) for name in domains)}
    names = {*OPEN, *values, *(label for rule in rules.values() for label in rule.labels)}
    # An open alert can always be silenced, even by a label that only its signal has.
    for alert in firing:
        names |= set(alert.labels)
        for label, value in alert.labels.items():
            if label in values:
                values[label].add(value)
    meant = {("owner", owner): catalog.owners.dagster(owner) for owner in catalog.owners.valid()}
    meant |= {("asset", key.partition("/")[2]): key for key in sorted(values.get("asset", ()))}
    meant = {written: value for written, value in meant.items() if written[1] not in values.get(written[0], ())}
    return Vocabulary(frozenset(names), {label: frozenset(found) for label, found in values.items()}, meant)
