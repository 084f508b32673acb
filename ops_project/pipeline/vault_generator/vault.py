"""Writes hubs, links, satellites and the views of their states. Each file is a call of a vault macro."""

from __future__ import annotations

from ops_project.model.metadata import Entity, Metadata
from ops_project.pipeline.vault_generator import naming, stages
from ops_project.pipeline.vault_generator.rendering import SQL_HEADER, Value, call, config

LOAD: dict[str, Value] = {"src_ldts": "load_datetime", "src_source": "record_source"}
CURRENT, HISTORY = "current", "history"
MACROS = {"satellite": "sat", "multi_active_satellite": "ma_sat", "effectivity_satellite": "eff_sat"}


def hub_sql(meta: Metadata, hub: Entity) -> str:
    """The text of hub_<entity>.sql."""
    sources = naming.hub_sources(meta, hub.entity)
    key = naming.business_key(meta, hub.entity).attribute
    plain = all(names == [key] for names in sources.values())
    models: Value = [naming.stage(feed) for feed in sources]
    if not plain:
        models = {naming.stage(feed): list(names) for feed, names in sources.items()}
    arguments: dict[str, Value] = {
        "src_pk": naming.hub_key(meta, hub.entity),
        "src_nk": key,
        **LOAD,
        "source_model": models,
    }
    return SQL_HEADER + config(list(sources)) + "\n" + call("hub", arguments)


def link_sql(meta: Metadata, link: Entity) -> str:
    """The text of link_<entity>.sql."""
    feed = naming.feed_of(meta, link)
    arguments: dict[str, Value] = {
        "src_pk": naming.link_key(link),
        "src_fk": foreign_keys(meta, link),
        **LOAD,
        "source_model": naming.stage(feed),
    }
    if extra := extra_columns(meta, link):
        arguments["src_extra_columns"] = extra
    if stages.key_columns(meta, feed) == [meta.attributes_of(link.entity, "driving_key")[0].attribute]:
        arguments["stated_once"] = True
    return SQL_HEADER + config([feed]) + "\n" + call("link", arguments)


def foreign_keys(meta: Metadata, link: Entity) -> list[str]:
    """The names of the hub keys in a link."""
    return [naming.reference_key(meta, item) for item in meta.attributes_of(link.entity) if item.references]


def extra_columns(meta: Metadata, link: Entity) -> list[str]:
    """The names of the hash and of the value of a link's driving key. Empty if the driving key is the key of a hub."""
    own = [item for item in meta.attributes_of(link.entity, "driving_key") if not item.references]
    return [naming.driving_key(meta, link), *(item.attribute for item in own)] if own else []


def satellite_sql(meta: Metadata, satellite: Entity) -> str:
    """The text of sat_, ma_sat_ or eff_sat_<entity>.sql."""
    feed = naming.feed_of(meta, satellite)
    call_of = call(
        MACROS[satellite.kind],
        {**_keys(meta, satellite), **LOAD, "source_model": naming.stage(feed)}
        | ({"src_extra_columns": ["is_deleted"]}),
    )
    return SQL_HEADER + config([feed]) + "\n" + call_of


def states_sql(meta: Metadata, satellite: Entity, view: str) -> str:
    """The text of <satellite>_current.sql or <satellite>_history.sql."""
    arguments: dict[str, Value] = {
        "satellite": satellite.entity,
        "src_pk": naming.satellite_key(meta, satellite),
    }
    if children := child_keys(meta, satellite):
        arguments["src_cdk"] = children
    arguments |= {
        "src_hashdiff": naming.hashdiff(satellite),
        "src_payload": [*payload(meta, satellite), "is_deleted"],
        **LOAD,
    }
    return SQL_HEADER + call(f"sat_{view}", arguments)


def child_keys(meta: Metadata, satellite: Entity) -> list[str]:
    """The columns that distinguish the states of a multi-active satellite."""
    return [item.attribute for item in meta.attributes_of(satellite.entity, "child_key")]


def payload(meta: Metadata, satellite: Entity) -> list[str]:
    """The columns of a satellite other than its key, its fingerprint and the load columns."""
    names = [item.attribute for item in meta.attributes_of(satellite.entity, "payload", "start_date", "end_date")]
    parent = meta.entity(satellite.parent)
    assert parent is not None
    if parent.kind == "hub":
        return names
    if satellite.kind == "effectivity_satellite":
        return [naming.link_key(parent), *_secondary(meta, satellite, parent), *names]
    return [naming.link_key(parent), *names]


def _secondary(meta: Metadata, satellite: Entity, parent: Entity) -> list[str]:
    driving = naming.satellite_key(meta, satellite)
    return [name for name in foreign_keys(meta, parent) if name != driving]


def _keys(meta: Metadata, satellite: Entity) -> dict[str, Value]:
    key = naming.satellite_key(meta, satellite)
    if satellite.kind == "effectivity_satellite":
        parent = meta.entity(satellite.parent)
        assert parent is not None
        dates: dict[str, Value] = {
            f"src_{item.role}": item.attribute
            for item in meta.attributes_of(satellite.entity, "start_date", "end_date")
        }
        return {
            "src_pk": naming.link_key(parent),
            "src_dfk": key,
            "src_sfk": _secondary(meta, satellite, parent),
            **dates,
            "src_hashdiff": naming.hashdiff(satellite),
        }
    result: dict[str, Value] = {"src_pk": key}
    if children := child_keys(meta, satellite):
        result["src_cdk"] = children
    return result | {"src_hashdiff": naming.hashdiff(satellite), "src_payload": payload(meta, satellite)}
