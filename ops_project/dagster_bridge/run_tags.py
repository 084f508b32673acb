"""The names of the tags of our runs.

Dagster shows each tag of a run in its list of runs. Tags that only this code reads begin with a prefix that Dagster
hides. The domain and a person's order stay visible. In runs of earlier versions all of these tags begin with `ops/`.
"""

from __future__ import annotations

from collections.abc import Mapping

HIDDEN = ".dagster/ops_"
VISIBLE = "ops/"

DOMAIN_TAG = f"{VISIBLE}domain"
PROCESS_TAG = f"{HIDDEN}process"
AS_OF_TAG = f"{HIDDEN}as_of"
COMMIT_TAG = f"{HIDDEN}commit"
BACKFILL_TAG = f"{VISIBLE}backfill"
"""The hash of the plan that a run carries out."""
PART_TAG = f"{HIDDEN}part"
"""The run builds only some of the assets of its job."""
PARENT_TAG = "dagster/parent_run_id"
"""Dagster's tag for the run that this run repeats."""
TIMEOUT_TAG = f"{HIDDEN}timeout_seconds"


def former(name: str) -> str:
    """The name that an earlier version gave to a tag."""
    return name.replace(HIDDEN, VISIBLE, 1)


def tag_of(tags: Mapping[str, str], name: str, default: str = "") -> str:
    """The value of a tag. A tag that an earlier version wrote under another name is found too."""
    if name in tags:
        return tags[name]
    return tags.get(former(name), default)
