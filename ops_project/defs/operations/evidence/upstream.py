"""The present state of the tables upstream: failures, holds, the time of their builds, and files that wait to be
landed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ops_project.counted import counted
from ops_project.defs.operations.evidence.snapshot import line
from ops_project.operations.diagnosis.diagnose import troubles
from ops_project.operations.diagnosis.evidence import Item, Scene
from ops_project.operations.incidents import holds

LISTED = 8


def items_of_upstream(scene: Scene) -> Iterator[Item]:
    """The state of the tables upstream. Tables with a failure, a hold or waiting files come first. If no build of a
    table is known, the table is listed as `never seen built`.
    """
    ledger, lineage = scene.ledger, scene.lineage
    start = scene.assets[0]
    above = lineage.ancestors(start)
    if not above:
        return
    wrong = {trouble.asset: trouble for trouble in reversed(troubles(ledger))}
    built = ledger.last_ok("asset.failure")
    standing = ledger.holds()
    held = holds.held(standing, lineage) if standing else {}
    waiting = {asset: count for asset in above if (count := _waiting(scene, asset))}
    told = []
    for asset in above:
        state = []
        if asset in wrong:
            state.append(f"{wrong[asset].failure_class or wrong[asset].kind} since {wrong[asset].began_at:%m-%d %H:%M}")
        if asset in held:
            state.append("on hold")
        if asset in waiting:
            files = counted(waiting[asset], "file waits", "files wait")
            state.append(f"{files} in the inbound folder")
        state.append(f"built {built[asset]:%m-%d %H:%M}" if asset in built else "never seen built")
        told.append((len(state) == 1, asset in built, asset, ", ".join(state)))
    for _, _, asset, state_words in sorted(told)[:LISTED]:
        yield Item("Upstream now", line(f"{asset}: {state_words}"), "the ledger and the inbound folder")
    if len(told) > LISTED:
        rest = len(told) - LISTED
        yield Item(
            "Upstream now", f"{counted(rest, 'more table')} upstream", "the asset graph", f"ops diagnose {start}"
        )


def _waiting(scene: Scene, asset: str) -> int:
    layer, _, name = asset.partition("/")
    feed = scene.catalog.feeds.get(name) if layer == "bronze" else None
    if feed is None:
        return 0
    from ops_project.pipeline.landing.inbox import pending

    return len(pending(feed, scene.settings.inbound))
