"""Shows open alerts on their assets in the Dagster UI. The check `open_alerts` fails while an alert is open, and passes
afterwards.

The check is evaluated outside of a run. Of the forms that were tried, this one is the clearest: the asset turns yellow
or red, the text stands under Checks with its history, and the asset turns green again. An observation has no colour,
and only the timeline would show that the alert has ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from ops_project.masking import mask
from ops_project.model.alerting.alert import Alert
from ops_project.operations.alerting.dagster.events import SHOWN_CHECK

SEVERE = ("critical", "high")
MESSAGE_LENGTH = 300


def evaluation(asset: str, alerts: Sequence[Alert]) -> dg.AssetCheckEvaluation:
    """The result of the check for one asset. It passes if there is no open alert."""
    severe = any(alert.severity in SEVERE for alert in alerts)
    alerts = sorted(alerts, key=lambda alert: alert.number)
    # The UI sorts the entries as text. Numbers of equal width keep their order.
    width = len(str(alerts[-1].number)) if alerts else 0
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset.split("/")),
        check_name=SHOWN_CHECK,
        passed=not alerts,
        severity=dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
        # The UI shows the text as one paragraph, so line breaks would be lost.
        description=" · ".join(f"#{a.number} {a.severity}: {a.summary}" for a in alerts) or "No open alert.",
        metadata={f"alert {alert.number:0{width}}": dg.MetadataValue.text(_words(alert)) for alert in alerts},
    )


def _words(alert: Alert) -> str:
    said = mask(" ".join(alert.message.split()))
    return "\n".join(
        line
        for line in (
            f"{alert.severity}: {alert.summary}",
            said[:MESSAGE_LENGTH] + (" …" if len(said) > MESSAGE_LENGTH else ""),
            f"since {alert.starts_at:%Y-%m-%d %H:%M} UTC, owners: {', '.join(alert.owners) or 'nobody'}",
            f"acknowledged by {alert.acknowledged_by}" if alert.acknowledged_at else "",
            f"ops alerts show {alert.number}",
        )
        if line
    )


def show(instance: dg.DagsterInstance, asset: str, alerts: Sequence[Alert]) -> None:
    """Report the open alerts of one asset to Dagster."""
    instance.report_runless_asset_event(evaluation(asset, alerts))


def shown_check_spec(asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """The definition of the check. With it, the UI lists the check even before an alert fires."""
    return dg.AssetCheckSpec(
        SHOWN_CHECK, asset=asset, description="Alerts that are open on this asset. Written by the cycle."
    )
