"""The check `open_alerts` on every asset. The alert cycle writes its results, and the Dagster UI shows them. No job
includes the check. If a person runs it, it reads the ledger and gives the same result.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from ops_project.defs.shared.site import Site
from ops_project.operations.alerting.dagster.events import SHOWN_CHECK
from ops_project.operations.alerting.dagster.shown_alerts import evaluation, shown_check_spec
from ops_project.operations.alerting.decide.inhibition import subjects
from ops_project.operations.ledger import open_ledger


def open_alert_checks(site: Site, assets: Sequence[dg.AssetKey]) -> dg.AssetChecksDefinition:
    """One Dagster definition that contains the check of each of the `assets`."""

    @dg.multi_asset_check(
        name=SHOWN_CHECK,
        specs=[shown_check_spec(key) for key in assets],
        can_subset=True,
        description="What is open in the ledger, by asset.",
    )
    def open_alerts(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        found = open_ledger(site.settings).alerts("open", limit=None)
        for key in sorted(context.selected_asset_check_keys):
            asset = "/".join(key.asset_key.path)
            result = evaluation(asset, [alert for alert in found if asset in subjects(alert)])
            yield dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=result.passed,
                severity=result.severity,
                description=result.description,
                metadata=result.metadata,
            )

    return open_alerts
