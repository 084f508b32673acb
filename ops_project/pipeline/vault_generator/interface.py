"""Writes the SQL of the canonical tables. There are three kinds of files: a view of every mapped row, the table of the
rows whose mappings all succeeded, and one view of all rejected rows.
"""

from __future__ import annotations

from collections.abc import Mapping as Mappings

from ops_project.model.metadata import SATELLITES, Entity, Mapping, Metadata
from ops_project.pipeline.vault_generator import naming
from ops_project.pipeline.vault_generator.rendering import SQL_HEADER, Value, call
from ops_project.pipeline.vault_generator.types import castability, normal

Types = Mappings[tuple[str, str], str]
REJECTS = "interface_rejects"
# Mapped and rejected rows are read once or twice a night, and never by a consumer. So their models are views.
VIEW = "{{ config(materialized='view') }}\n\n"


def table_sql(meta: Metadata, interface: Entity) -> str:
    """The text of uds_<entity>.sql: the rows whose mappings all succeeded."""
    names = [item.target_column for item in meta.mappings_of(interface.entity)] + ["extracted_at", "load_seq"]
    listed = "".join(f"    {name},\n" for name in names).rstrip(",\n")
    return (
        f"{SQL_HEADER}select\n{listed}\nfrom {{{{ ref('{naming.mapped(interface)}') }}}}\nwhere failed_mappings = ''\n"
    )


def rejects_sql(meta: Metadata) -> str:
    """The text of interface_rejects.sql: the rows that the canonical tables leave out."""
    entities: dict[str, Value] = {
        item.entity: {
            "mapped": naming.mapped(item),
            "key": [row.target_column for row in meta.mappings_of(item.entity) if row.is_key],
        }
        for item in meta.of_kind("interface")
    }
    return SQL_HEADER + VIEW + call("interface_rejects", {"entities": entities})


def mapped_sql(meta: Metadata, interface: Entity, types: Types) -> str:
    """The text of int_<entity>_mapped.sql: every row that still exists in the source, mapped and cast, with the
    mappings that failed.
    """
    mappings = meta.mappings_of(interface.entity)
    sources, joins, primary = _joins(meta, interface, list(dict.fromkeys(item.source for item in mappings)))
    primary_model = sources[primary]
    imports = "\n\n".join(
        f"{name} as (\n{_rows(meta, name, model, primary_model if index == 0 else None)}\n),"
        for index, (name, model) in enumerate(sources.items())
    )
    selected = [f"        {_named(item, types)}," for item in mappings]
    raw = {item.target_column: f"raw_{item.target_column}" for item in mappings if _may_fail(item, types)}
    selected += [
        f"        {_expression(item)} as {raw[item.target_column]}," for item in mappings if item.target_column in raw
    ]
    anchor = next(iter(sources))
    # A key that its own feed has not delivered has no extract. Its `extracted_at` is then NULL. Its `load_seq` is that
    # of the batch in which another feed first named the key. The order of the files alone decides which batch that is.
    as_of = f"{primary}.load_datetime"
    seq = f"{primary}.load_seq" if primary == anchor else f"coalesce({primary}.load_seq, {anchor}.named_in) as load_seq"
    arguments: dict[str, Value] = {"mandatory": [item.target_column for item in mappings if item.mandatory]}
    if raw:
        arguments["cast"] = dict(raw)
    failed = call("failed_mappings", arguments).strip().replace("\n", "\n    ")
    columns = "".join(f"    {item.target_column},\n" for item in mappings)
    return (
        f"{SQL_HEADER}{VIEW}with {imports}\n\nmapped as (\n    select\n" + "\n".join(selected) + "\n"
        f"        {as_of} as extracted_at,\n        {seq}\n"
        f"    from {anchor}\n"
        + "".join(f"    {line}\n" for line in joins)
        + (
            f"    where not {primary}.is_deleted\n"
            if primary == anchor
            else f"    where not coalesce({primary}.is_deleted, false)\n"
        )
        + f")\n\nselect\n{columns}    extracted_at,\n    load_seq,\n    {failed} as failed_mappings\nfrom mapped\n"
    )


def _rows(meta: Metadata, name: str, model: str, described_by: str | None) -> str:
    """The SELECT of one CTE of the view. If the view is built on a hub, the hub gives only the keys that an extract
    still names.

    `described_by`: the model that says whether a row still exists. It is None for every CTE except the first.
    """
    entity = meta.entity(name)
    if described_by is None or entity is None or entity.kind != "hub":
        return f"    select * from {{{{ ref('{model}') }}}}"
    sources: Value = {naming.stage(feed): list(names) for feed, names in naming.hub_sources(meta, name).items()}
    arguments: dict[str, Value] = {
        "hub": model,
        "src_pk": naming.hub_key(meta, name),
        "src_nk": naming.business_key(meta, name).attribute,
        "described_by": described_by,
        "source_model": sources,
    }
    return "    " + call("standing_keys", arguments).strip().replace("\n", "\n    ")


def _named(mapping: Mapping, types: Types) -> str:
    expression = _cast(mapping, types)
    plain = expression == f"{mapping.source}.{mapping.target_column}"
    return expression if plain else f"{expression} as {mapping.target_column}"


def _expression(mapping: Mapping) -> str:
    column = f"{mapping.source}.{mapping.source_column}"
    return mapping.rule.replace("{source}", column) if mapping.rule else column


def _cast(mapping: Mapping, types: Types) -> str:
    source, target = _types(mapping, types)
    if _may_fail(mapping, types):
        return "{{ cast_or_null('" + _expression(mapping).replace("'", "\\'") + f"', '{target}') }}}}"
    # A rule on text gives text. With numbers, coalesce() and arithmetic may give another type than that of the
    # attribute.
    if source == target and (not mapping.rule or target == "varchar"):
        return _expression(mapping)
    return f"cast({_expression(mapping)} as {target})"


def _may_fail(mapping: Mapping, types: Types) -> bool:
    # A rule must itself give values that fit the type of the attribute, so its result is not tested.
    return not mapping.rule and castability(*_types(mapping, types)) == "sometimes"


def _types(mapping: Mapping, types: Types) -> tuple[str, str]:
    target = normal(mapping.data_type) or mapping.data_type
    return normal(types.get((mapping.source, mapping.source_column), "varchar")) or "varchar", target


def _joins(meta: Metadata, interface: Entity, wanted: list[str]) -> tuple[dict[str, str], list[str], str]:
    """Three values: CTE → model, the join clauses, and the name of the CTE whose satellite says whether a row still
    exists.

    `wanted`: the entities that the mappings read.
    """
    anchor = meta.entity(interface.parent)
    assert anchor is not None
    models = {anchor.entity: _model(anchor)}
    joins: list[str] = []
    if anchor.kind == "hub":
        for name in wanted:
            satellite = meta.entity(name)
            if satellite is not None and satellite.kind in SATELLITES:
                _join(models, joins, satellite, naming.hub_key(meta, anchor.entity), anchor.entity)
        return models, joins, next(name for name in models if name != anchor.entity)
    parent = meta.entity(anchor.parent)
    assert parent is not None
    if parent.kind == "hub":
        _join(models, joins, parent, naming.hub_key(meta, parent.entity), anchor.entity)
        return models, joins, anchor.entity
    _join(models, joins, parent, naming.link_key(parent), anchor.entity)
    references = {item.references: item for item in meta.attributes_of(parent.entity) if item.references}
    for name in wanted:
        entity = meta.entity(name)
        if entity is None or name in models:
            continue
        hub = entity.entity if entity.kind == "hub" else entity.parent
        key = naming.reference_key(meta, references[hub])
        driven = references[hub].role == "driving_key"
        _join(models, joins, entity, key, anchor.entity if driven else parent.entity)
    return models, joins, anchor.entity


def _join(models: dict[str, str], joins: list[str], entity: Entity, key: str, to: str) -> None:
    models[entity.entity] = _model(entity)
    joins.append(f"left join {entity.entity} on {to}.{key} = {entity.entity}.{key}")


def _model(entity: Entity) -> str:
    return f"{entity.entity}_current" if entity.kind in SATELLITES else entity.entity
