"""Observer of the archive: reports archived files that a check found altered, missing or unreadable. The observer reads
the result of that check and opens no archived file. There is one signal for each feed.
"""

from __future__ import annotations

from ops_project.model.alerting.signal import FIRING, Signal, digest
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.pipeline.recovery.archive_check import Damage, damaged

KIND = "archive.damaged"
SHOWN = 5


def look(view: View) -> Observation:
    """A signal for each feed whose damaged files differ from those in the last cycle."""
    found: dict[str, list[Damage]] = {}
    for damage in damaged(view.settings):
        found.setdefault(f"bronze/{damage.feed}", []).append(damage)
    before = {signal.asset: signal for signal in view.ledger.latest(KIND).values()}
    firing = {asset for asset, signal in before.items() if signal.state == FIRING}
    signals = []
    for asset in sorted(found.keys() | firing):
        of_feed = sorted(found.get(asset, []), key=lambda damage: damage.path)
        message = _message(of_feed)
        if (asset in firing) == bool(of_feed) and (not of_feed or before[asset].message == message):
            continue
        signals.append(_signal(view, asset, of_feed, message))
    return Observation(signals)


def _signal(view: View, asset: str, of_feed: list[Damage], message: str) -> Signal:
    facts = view.lineage.get(asset)
    feed = view.catalog.feeds.get(asset.removeprefix("bronze/"))
    owners = facts.owners or tuple(view.catalog.owners.dagster(owner) for owner in (feed.owners if feed else ()))
    domain = facts.domain or (of_feed[0].domain if of_feed else feed.domain if feed is not None else "")
    return view.state(
        KIND,
        bool(of_feed),
        occurrence=f"{digest(*(damage.path for damage in of_feed))}:{view.now.isoformat()}",
        asset=asset,
        domain=domain,
        owners=owners,
        message=message,
        labels={"feed": asset.removeprefix("bronze/"), "files": str(len(of_feed))},
    )


def _message(of_feed: list[Damage]) -> str:
    words = [
        f"archive/{damage.path} ({damage.file_name} of {damage.business_date}) {damage.what}"
        for damage in of_feed[:SHOWN]
    ]
    more = f"; and {len(of_feed) - SHOWN} more" if len(of_feed) > SHOWN else ""
    return "; ".join(words) + more
