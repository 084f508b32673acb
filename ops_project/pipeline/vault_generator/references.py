"""Finds mistakes in metadata that could be read. Each problem names the file, the row, the wrong name and the valid
names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Mappings

from ops_project.model.document import ConfigProblem
from ops_project.model.feed.feed import Feed
from ops_project.model.metadata import PREFIXES, ROLES, SATELLITES, Attribute, Entity, Mapping, Metadata
from ops_project.pipeline.vault_generator import naming
from ops_project.pipeline.vault_generator.types import BASE_TYPES, castability, normal


def problems(meta: Metadata, feeds: Mappings[str, Feed]) -> list[ConfigProblem]:
    """Every problem of the metadata, in the order of the files.

    `feeds`: the contracts of the domain.
    """
    found = [*_entities(meta), *_attributes(meta, feeds)]
    # If an entity or attribute is wrong, completeness and mappings are not checked. Most of their problems would only
    # repeat the first ones.
    return found or [*_completeness(meta), *_mappings(meta, feeds)]


def _valid(names: Iterable[str]) -> str:
    return f"valid: {', '.join(names) or 'none'}"


def _entities(meta: Metadata) -> Iterator[ConfigProblem]:
    file = meta.files["entities"]
    counts = Counter(item.entity for item in meta.entities)
    for item in meta.entities:
        if counts[item.entity] > 1:
            yield ConfigProblem(file, item.line, f"entity {item.entity!r} stands in more than one row")
        if not item.entity.startswith(PREFIXES[item.kind]):
            yield ConfigProblem(
                file, item.line, f"entity {item.entity!r} is a {item.kind}: its name begins with {PREFIXES[item.kind]}"
            )
        parents = _possible_parents(meta, item)
        if item.parent not in parents:
            yield ConfigProblem(
                file, item.line, f"parent {item.parent!r} of {item.entity} does not exist as such; {_valid(parents)}"
            )


def _possible_parents(meta: Metadata, item: Entity) -> list[str]:
    if item.kind in ("hub", "link"):
        return [""]
    if item.kind == "interface":
        return [other.entity for other in meta.of_kind("hub", *SATELLITES)]
    kinds = ("link",) if item.kind == "effectivity_satellite" else ("hub", "link")
    return [other.entity for other in meta.entities if other.kind in kinds]


def _attributes(meta: Metadata, feeds: Mappings[str, Feed]) -> Iterator[ConfigProblem]:
    file = meta.files["attributes"]
    counts = Counter((item.entity, item.attribute) for item in meta.attributes)
    for item in meta.attributes:
        entity = meta.entity(item.entity)
        if entity is None or entity.kind == "interface":
            names = [other.entity for other in meta.entities if other.kind != "interface"]
            yield ConfigProblem(file, item.line, f"entity {item.entity!r} is not in entities.csv; {_valid(names)}")
            continue
        if counts[item.entity, item.attribute] > 1:
            yield ConfigProblem(
                file, item.line, f"attribute {item.attribute!r} of {item.entity} stands in more than one row"
            )
        if item.role not in ROLES[entity.kind]:
            yield ConfigProblem(
                file, item.line, f"role {item.role!r} means nothing for a {entity.kind}; {_valid(ROLES[entity.kind])}"
            )
        hubs = [other.entity for other in meta.of_kind("hub")]
        if (item.references or item.role == "reference") and item.references not in hubs:
            yield ConfigProblem(file, item.line, f"references {item.references!r} is not a hub; {_valid(hubs)}")
        yield from _source(file, item, entity, feeds)


def _source(file: str, item: Attribute, entity: Entity, feeds: Mappings[str, Feed]) -> Iterator[ConfigProblem]:
    if not item.feed and entity.kind == "hub":
        return
    if item.feed not in feeds:
        yield ConfigProblem(file, item.line, f"feed {item.feed!r} of {item.attribute} does not exist; {_valid(feeds)}")
        return
    columns = feeds[item.feed].bronze_columns()
    if item.source_column not in columns:
        yield ConfigProblem(
            file, item.line, f"source_column {item.source_column!r} is not a column of {item.feed}; {_valid(columns)}"
        )
    elif item.attribute != item.source_column and item.attribute in columns:
        yield ConfigProblem(
            file,
            item.line,
            f"attribute {item.attribute!r} is also the name of a column of {item.feed}, but its source_column is "
            f"{item.source_column!r}",
        )


def _completeness(meta: Metadata) -> Iterator[ConfigProblem]:
    file = meta.files["entities"]
    for item in meta.entities:
        roles: Counter[str] = Counter(row.role for row in meta.attributes_of(item.entity))
        needed: dict[str, tuple[str, ...]] = {
            "hub": ("business_key",),
            "link": ("driving_key", "reference"),
            "satellite": ("parent_key", "payload"),
            "multi_active_satellite": ("parent_key", "child_key", "payload"),
            "effectivity_satellite": ("parent_key",),
            "interface": (),
        }
        for role in needed[item.kind]:
            if not any(row.role == role for row in meta.attributes_of(item.entity)):
                yield ConfigProblem(file, item.line, f"{item.entity} has no {role} in attributes.csv")
        for role in ("business_key", "driving_key", "parent_key", "start_date", "end_date"):
            if any(row.role == role for row in meta.attributes_of(item.entity)) and roles[role] != 1:
                yield ConfigProblem(
                    file, item.line, f"{item.entity} has {roles[role]} attributes of role {role}; one is needed"
                )
        feeds = sorted({row.feed for row in meta.attributes_of(item.entity)})
        if item.kind not in ("hub", "interface") and len(feeds) > 1:
            yield ConfigProblem(file, item.line, f"{item.entity} reads {', '.join(feeds)}; a {item.kind} has one feed")
        if item.kind == "hub" and not naming.hub_sources(meta, item.entity):
            yield ConfigProblem(
                file, item.line, f"{item.entity} has no source: no attribute of a feed is or references its key"
            )


def _mappings(meta: Metadata, feeds: Mappings[str, Feed]) -> Iterator[ConfigProblem]:
    file, types = meta.files["mappings"], naming.source_types(meta, feeds)
    counts = Counter(item.name for item in meta.mappings)
    interfaces = [item.entity for item in meta.of_kind("interface")]
    for item in meta.mappings:
        entity = meta.entity(item.interface)
        if entity is None or entity.kind != "interface":
            yield ConfigProblem(
                file, item.line, f"interface {item.interface!r} is not in entities.csv; {_valid(interfaces)}"
            )
            continue
        if counts[item.name] > 1:
            yield ConfigProblem(file, item.line, f"{item.name} is mapped in more than one row")
        if item.rule and "{source}" not in item.rule:
            yield ConfigProblem(file, item.line, f"rule {item.rule!r} of {item.name} does not use {{source}}")
        reachable = _reachable(meta, entity)
        if item.source not in reachable:
            yield ConfigProblem(
                file,
                item.line,
                f"source {item.source!r} of {item.name} cannot be reached from {entity.parent}; {_valid(reachable)}",
            )
            continue
        yield from _cast(file, item, meta, types)
    for name in interfaces:
        rows = meta.mappings_of(name)
        entity = meta.entity(name)
        assert entity is not None
        if not any(row.is_key for row in rows):
            yield ConfigProblem(meta.files["entities"], entity.line, f"{name} has no mapping with is_key")
        parent = meta.entity(entity.parent)
        has_satellite = any((found := meta.entity(row.source)) and found.kind in SATELLITES for row in rows)
        if parent is not None and parent.kind == "hub" and not has_satellite:
            yield ConfigProblem(
                meta.files["entities"], entity.line, f"{name} maps nothing from a satellite of {parent.entity}"
            )


def _reachable(meta: Metadata, interface: Entity) -> list[str]:
    anchor = meta.entity(interface.parent)
    assert anchor is not None
    if anchor.kind == "hub":
        return [anchor.entity, *_plain_satellites(meta, anchor.entity)]
    parent = meta.entity(anchor.parent)
    assert parent is not None
    if parent.kind == "hub":
        return [anchor.entity, parent.entity]
    hubs = [item.references for item in meta.attributes_of(parent.entity) if item.references]
    return [anchor.entity, parent.entity, *hubs, *(name for hub in hubs for name in _plain_satellites(meta, hub))]


def _plain_satellites(meta: Metadata, hub: str) -> list[str]:
    # A multi-active satellite has several rows for a key. A join with it would multiply the rows.
    return [item.entity for item in meta.of_kind("satellite") if item.parent == hub]


def _cast(file: str, item: Mapping, meta: Metadata, types: Mappings[tuple[str, str], str]) -> Iterator[ConfigProblem]:
    names = [row.attribute for row in meta.attributes_of(item.source)]
    if item.source_column not in names:
        yield ConfigProblem(
            file,
            item.line,
            f"source_column {item.source_column!r} is not an attribute of {item.source}; {_valid(names)}",
        )
        return
    target = normal(item.data_type)
    if target is None:
        yield ConfigProblem(
            file,
            item.line,
            f"data_type {item.data_type!r} of {item.name} is not known; {_valid(sorted(BASE_TYPES))}, decimal(p,s)",
        )
        return
    source = normal(types.get((item.source, item.source_column), "varchar")) or "varchar"
    if not item.rule and castability(source, target) == "never":
        yield ConfigProblem(
            file,
            item.line,
            f"{item.name}: {item.source}.{item.source_column} is {source} and cannot be cast to {target}; give a rule",
        )
