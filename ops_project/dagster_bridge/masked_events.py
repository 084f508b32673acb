"""Masks personal data and secrets in the events of Dagster's log. Names of runs, steps and assets stay as they are.

Every event is masked before it is stored, whichever program wrote it. An error of the engine quotes the value that it
could not read, a check shows rows that failed, and a contract may not say that a column holds addresses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import dagster as dg
from dagster import EventLogEntry
from dagster._core.storage.event_log import EventLogStorage
from dagster._serdes import deserialize_value, serialize_value

from ops_project.masking import mask

# Dagster uses these texts as keys to find entries again.
NAMES = frozenset(
    {
        "__class__",
        "__enum__",
        "asset_key",
        "asset_selection",
        "check_name",
        "event_type_value",
        "handle",
        "job_name",
        "key",
        "level",
        "logging_tags",
        "parents",
        "partition",
        "path",
        "pipeline_name",
        "run_id",
        "solid_handle",
        "step_handle",
        "step_key",
        "step_kind_value",
        "tags",
    }
)


class MaskedEvents(EventLogStorage):
    """A mixin that masks every event before it is stored. List the mixin before the storage among the base classes."""

    def store_event(self, event: EventLogEntry) -> None:
        super().store_event(masked(event))  # type: ignore[safe-super]  # the class that follows among the bases has it

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        super().store_event_batch([masked(event) for event in events])


def unmasked(instance: dg.DagsterInstance) -> str | None:
    """A sentence that says that events of this instance are stored unmasked; None if they are masked."""
    storage = instance.event_log_storage
    if isinstance(storage, MaskedEvents):
        return None
    name = f"{type(storage).__module__}.{type(storage).__name__}"
    return (
        f"Dagster's events are stored by {name}, which keeps personal data that errors and samples quote. To mask it, "
        "name a storage of ops_project.dagster_bridge in dagster.yaml, as SECURITY.md shows."
    )


def masked(event: EventLogEntry) -> EventLogEntry:
    """The event, in whose texts everything that looks like personal data or a secret is masked."""
    return masked_text(event)[0]


def masked_text(event: EventLogEntry) -> tuple[EventLogEntry, str]:
    """The masked event and its serialized form. Serializing takes only a tenth of the time that storing takes."""
    text = serialize_value(event)
    if mask(text) == text:
        return event, text
    event = deserialize_value(json.dumps(_texts(json.loads(text))), EventLogEntry)
    return event, serialize_value(event)


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, dict):
        return {key: item if key in NAMES else _texts(item) for key, item in value.items()}
    return value
