"""Writes the stage of each feed: a view with the hash keys and fingerprints that the tables of the vault need from the
feed.
"""

from __future__ import annotations

from ops_project.model.feed.feed import Feed
from ops_project.model.metadata import SATELLITES, Attribute, Entity, Metadata
from ops_project.pipeline.vault_generator import naming
from ops_project.pipeline.vault_generator.rendering import SQL_HEADER, Value, call


def sql(meta: Metadata, feed: Feed) -> str:
    """The text of stg_<feed>.sql."""
    derived: dict[str, Value] = {
        item.attribute: item.source_column
        for item in meta.attributes
        if item.feed == feed.name and item.attribute != item.source_column
    }
    derived |= {
        "is_deleted": naming.is_deleted(feed),
        "load_datetime": naming.load_datetime(feed),
        "record_source": f"'{feed.name}'",
    }
    arguments: dict[str, Value] = {
        "source_model": {"bronze": feed.name},
        "derived_columns": derived,
        "hashed_columns": dict(hashed_columns(meta, feed.name)),
    }
    return SQL_HEADER + call("stage", arguments)


def key_columns(meta: Metadata, feed: str) -> list[str]:
    """The columns that distinguish the rows of one extract. Among the feed's satellites, the one whose key has the most
    columns decides.
    """
    keys = [
        [item.attribute for item in meta.attributes_of(entity.entity, "parent_key", "child_key")]
        for entity in meta.of_kind(*SATELLITES)
        if naming.feed_of(meta, entity) == feed
    ]
    return max(keys, key=len, default=[])


def hashed_columns(meta: Metadata, feed: str) -> dict[str, Value]:
    """Name of a hash → the columns from which it is computed, in the form that the macro `stage` reads."""
    keys: dict[str, Value] = {}
    for attribute in meta.attributes:
        if attribute.feed == feed:
            keys |= _key(meta, attribute)
    for link in meta.of_kind("link"):
        if naming.feed_of(meta, link) == feed:
            keys[naming.link_key(link)] = _combination(meta.attributes_of(link.entity))
    diffs: dict[str, Value] = {
        naming.hashdiff(satellite): {"is_hashdiff": True, "columns": _state(meta, satellite)}
        for satellite in meta.of_kind(*SATELLITES)
        if naming.feed_of(meta, satellite) == feed
    }
    return keys | diffs


def _key(meta: Metadata, attribute: Attribute) -> dict[str, Value]:
    entity = meta.entity(attribute.entity)
    assert entity is not None
    if attribute.role == "business_key":
        return {naming.hub_key(meta, entity.entity): [attribute.attribute]}
    if attribute.references and entity.kind == "link":
        return {naming.reference_key(meta, attribute): [attribute.attribute]}
    if attribute.role == "driving_key":
        return {naming.driving_key(meta, entity): [attribute.attribute]}
    if attribute.role == "parent_key":
        return {naming.satellite_key(meta, entity): [attribute.attribute]}
    return {}


def _combination(attributes: list[Attribute]) -> Value:
    names = [item.attribute for item in attributes]
    optional = [item.attribute for item in attributes if not item.mandatory]
    return {"columns": names, "optional": optional} if optional else names


def _state(meta: Metadata, satellite: Entity) -> list[str]:
    names = [item.attribute for item in meta.attributes_of(satellite.entity, "payload", "start_date", "end_date")]
    parent = meta.entity(satellite.parent)
    if parent is not None and parent.kind == "link":
        # The state of a link's satellite includes the references of the link. So a contact has a new state if its
        # customer or its offer changes.
        names += [item.attribute for item in meta.attributes_of(parent.entity, "reference")]
    return [*dict.fromkeys(names), "is_deleted"]
