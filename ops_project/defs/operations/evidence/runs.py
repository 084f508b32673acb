"""Evidence from runs and logs: the failed step, recent runs, and lines of the log."""

from __future__ import annotations

from collections.abc import Iterator

from ops_project.defs.operations.evidence.snapshot import line
from ops_project.operations.diagnosis.evidence import Item, Scene

RUNS, LINES = 5, 6
LOG = "logs/dagster.log"
LOG_BYTES = 400_000


def items_of_runs(scene: Scene) -> Iterator[Item]:
    """The failed step, and recent runs with their outcomes."""
    for signal in scene.ledger.latest("asset.failure").values():
        if signal.state == "firing" and signal.asset in scene.assets:
            yield Item("Failed step", line(f"{signal.asset}: {signal.message}"), f"run {signal.run_id}")
    runs = sorted(scene.ledger.latest("run.outcome").values(), key=lambda item: item.event_at, reverse=True)
    took = {signal.pipeline: signal.value for signal in scene.ledger.latest("run.duration_seconds").values()}
    for signal in runs[:RUNS]:
        ended = "failed" if signal.state == "firing" else "succeeded"
        seconds = took.get(signal.pipeline)
        text = f"{signal.pipeline} {ended} at {signal.event_at:%Y-%m-%d %H:%M} UTC"
        yield Item("Recent run", text + (f", {seconds:,.0f} s" if seconds else ""), f"run {signal.run_id}")


def items_of_logs(scene: Scene) -> Iterator[Item]:
    """The place of each log, and the last warnings and errors about the run or the tables."""
    path = scene.settings.home / LOG
    words = [word for word in (scene.run_id, *(asset.replace("/", ".") for asset in scene.assets[:2])) if word]
    if path.is_file():
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
        found = [
            text for text in lines if any(word in text for word in words) and (" WARNING " in text or " ERROR " in text)
        ]
        if found:
            yield Item("Log", " | ".join(line(text) for text in found[-LINES:]), str(LOG), f"grep {words[0]} {path}")
    run = f"/runs/{scene.run_id}" if scene.run_id else "/runs"
    yield Item(
        "Where the logs are",
        f"Steps and return codes: `ops ui`, {run}. Warnings and errors of every step: {LOG}. SQL errors of dbt: in the "
        "step's log. Files: `ops.batches`, `ops.findings`, `ops.quarantine`.",
        "",
        f"tail -n 50 {path}",
    )
