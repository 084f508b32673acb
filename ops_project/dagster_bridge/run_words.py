"""How a run ended: `ops run` and `ops status` judge it by the same rule, and say it in the same words.

For Dagster, a run is a success as soon as its steps have succeeded.
"""

from __future__ import annotations

from ops_project.counted import counted

SUCCEEDED = ("succeeded", "success")
"""How `ops run` and Dagster call a run whose steps have succeeded."""
CHECKS_FAILED = "checks failed"
NOT_PUBLISHED = "not published"


def ending(state: str, *, checks_failed: bool, published: bool) -> str:
    """How the run ended, for programs. `state`: how its steps ended. `published`: False only if the snapshot or the
    publication failed.
    """
    if state not in SUCCEEDED:
        return state
    return NOT_PUBLISHED if not published else CHECKS_FAILED if checks_failed else state


def words_of(ended: str, failed_checks: int | None) -> str:
    """How the run ended, for people. `failed_checks`: their number; None if it is not known."""
    if ended == NOT_PUBLISHED:
        return f"built, {NOT_PUBLISHED}"
    if ended == CHECKS_FAILED:
        return f"built, {counted(failed_checks, 'check') if failed_checks else 'checks'} failed"
    return ended
