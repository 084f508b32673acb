"""Names that follow from the metadata by convention: names of keys, stages and views. This module also tells which feed
fills which table.
"""

from __future__ import annotations

from collections.abc import Mapping as Mappings

from ops_project.model.feed.feed import Feed
from ops_project.model.metadata import SATELLITES, Attribute, Entity, Metadata

# A column with one of these names says whether a row of an extract is an insert, an update or a delete.
OPERATION_COLUMNS = ("op", "operation")
DELETION = "D"
AS_OF_COLUMN = "extract_at"


def stage(feed: str) -> str:
    """The name of a feed's stage (the view in which dbt prepares the rows of the feed)."""
    return f"stg_{feed}"


def mapped(interface: Entity) -> str:
    """The name of the view of all mapped rows of a canonical table. The view also contains the rows that the table
    leaves out.
    """
    return f"int_{interface.short}_mapped"


def business_key(meta: Metadata, hub: str) -> Attribute:
    """The attribute that is the business key of a hub."""
    return meta.attributes_of(hub, "business_key")[0]


def hub_key(meta: Metadata, hub: str) -> str:
    """The name of a hub's hash key."""
    entity = meta.entity(hub)
    assert entity is not None
    return f"{entity.short}_hk"


def reference_key(meta: Metadata, attribute: Attribute) -> str:
    """The name of the hash key of a reference. It is the hash key of the hub, or a separate one if the reference has
    another name than the hub's business key.
    """
    if attribute.attribute == business_key(meta, attribute.references).attribute:
        return hub_key(meta, attribute.references)
    return f"{attribute.attribute}_hk"


def link_key(link: Entity) -> str:
    """The name of a link's hash key, which is computed from all keys of the link together."""
    return f"{link.entity}_hk"


def driving_key(meta: Metadata, link: Entity) -> str:
    """The name of the hash key of a link's driving key. This is the key of the link's satellites."""
    attribute = meta.attributes_of(link.entity, "driving_key")[0]
    return reference_key(meta, attribute) if attribute.references else f"{link.short}_hk"


def satellite_key(meta: Metadata, satellite: Entity) -> str:
    """The name of a satellite's hash key. It is the hash key of its hub, or that of its link's driving key."""
    parent = meta.entity(satellite.parent)
    assert parent is not None
    return hub_key(meta, parent.entity) if parent.kind == "hub" else driving_key(meta, parent)


def hashdiff(satellite: Entity) -> str:
    """The name of the fingerprint column of a satellite's state. An effectivity satellite has a separate name for it,
    because the same link may have other satellites.
    """
    return f"{satellite.short}_{'effectivity_' if satellite.kind == 'effectivity_satellite' else ''}hashdiff"


def feed_of(meta: Metadata, entity: Entity) -> str:
    """The name of the feed that fills a link or satellite."""
    return meta.attributes_of(entity.entity)[0].feed


def hub_sources(meta: Metadata, hub: str) -> dict[str, list[str]]:
    """Feed → the names of its columns that contain this hub's business key, in the order of the metadata."""
    result: dict[str, list[str]] = {}
    for attribute in meta.attributes:
        entity = meta.entity(attribute.entity)
        of_parent = (
            attribute.role == "parent_key" and entity is not None and entity.kind in SATELLITES and entity.parent == hub
        )
        if attribute.feed and (attribute.entity == hub or attribute.references == hub or of_parent):
            names = result.setdefault(attribute.feed, [])
            if attribute.attribute not in names:
                names.append(attribute.attribute)
    return result


def feeds(meta: Metadata) -> list[str]:
    """The feeds that the vault reads, in the order of the metadata."""
    return list(dict.fromkeys(attribute.feed for attribute in meta.attributes if attribute.feed))


def is_deleted(feed: Feed) -> str:
    """SQL that is true if a row of the extract says that its key was deleted."""
    column = next((name for name in OPERATION_COLUMNS if name in feed.bronze_columns()), None)
    return f"{column} = '{DELETION}'" if column else "false"


def load_datetime(feed: Feed) -> str:
    """SQL of the as-of time of the extract. If the rows contain no as-of time, the business date is used."""
    if AS_OF_COLUMN in feed.bronze_columns():
        return AS_OF_COLUMN
    return "cast(business_date as timestamp)"


def personal(meta: Metadata, known: Mappings[str, Feed]) -> frozenset[tuple[str, str]]:
    """The columns that the contract calls personal data, as (vault table, column)."""
    return frozenset(
        (item.entity, item.attribute)
        for item in meta.attributes
        if item.feed in known and item.source_column in known[item.feed].personal_columns()
    )


def source_types(meta: Metadata, known: Mappings[str, Feed]) -> dict[tuple[str, str], str]:
    """(vault table, column) → the type in the contract."""
    return {
        (item.entity, item.attribute): known[item.feed].bronze_columns()[item.source_column].type
        for item in meta.attributes
        if item.feed in known and item.source_column in known[item.feed].bronze_columns()
    }
