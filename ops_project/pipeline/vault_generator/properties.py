"""Writes the YAML files for the generated SQL: the meaning, the grain, the contract and the tests of each table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Mappings

from ops_project.model.feed.feed import Feed
from ops_project.model.metadata import SATELLITES, Attribute, Entity, Metadata
from ops_project.pipeline.vault_generator import naming, stages, vault
from ops_project.pipeline.vault_generator.interface import REJECTS
from ops_project.pipeline.vault_generator.rendering import YAML_HEADER, flow, text
from ops_project.pipeline.vault_generator.types import normal

# At least this share of the rows must be mapped without a failure. If fewer are, the mapping is probably wrong, and not
# the rows.
ACCEPTED_SHARE = 0.95
_EXTRACT, _BATCH = "load_datetime (time of the extract)", "load_seq (number of the load)"


def staging(meta: Metadata) -> str:
    """The text of _staging.yml."""
    models: list[str] = []
    for feed in naming.feeds(meta):
        keys = [*stages.key_columns(meta, feed), "load_datetime"]
        models += _model(
            naming.stage(feed),
            f"Rows of {feed} with the vault's keys and fingerprints",
            f"One row per {_words(keys)}, because an extract contains a key only once",
            [_primary_key(keys)],
        )
    return _document(models)


def raw_vault(meta: Metadata, personal: Personal) -> str:
    """The text of _raw_vault.yml."""
    models: list[str] = []
    for hub in meta.of_kind("hub"):
        key, name = naming.hub_key(meta, hub.entity), naming.business_key(meta, hub.entity).attribute
        tests = [_primary_key([key]), _primary_key([name])]
        models += _model(hub.entity, hub.description, f"One row per {name} that a feed named", tests)
    for link in meta.of_kind("link"):
        names = [item.attribute for item in meta.attributes_of(link.entity)]
        models += _model(
            link.entity,
            link.description,
            f"One row per combination of {_words(names)}",
            [_primary_key([naming.link_key(link)])],
            _foreign_keys(meta, link),
        )
    for satellite in meta.of_kind(*SATELLITES):
        keys = _state_keys(meta, satellite)
        parent = meta.entity(satellite.parent)
        assert parent is not None
        target = parent.entity
        driving = meta.attributes_of(parent.entity, "driving_key")
        if driving and driving[0].references:
            target = driving[0].references
        # A contact that lacks a mandatory reference is in no link, but it still has a state. The test leaves out
        # deleted contacts.
        guard = "record_source <> 'ghost'" + (" and not is_deleted" if parent.kind == "link" else "")
        models += _model(
            satellite.entity,
            satellite.description,
            f"One row per {_words([*keys, _EXTRACT, _BATCH])}",
            [_primary_key([*keys, "load_datetime", "load_seq"], where="record_source <> 'ghost'")],
            {keys[0]: ("", _relationship(target, keys[0], where=guard))},
        )
        for item in meta.attributes_of(satellite.entity, "payload"):
            if (item.entity, item.attribute) in personal:
                models += [
                    f"      - name: {item.attribute}",
                    f"        description: {text(item.description)}",
                    PERSONAL,
                ]
    return _document(models)


def states(meta: Metadata) -> str:
    """The text of _states.yml."""
    models: list[str] = []
    for satellite in meta.of_kind(*SATELLITES):
        keys = _state_keys(meta, satellite)
        models += _model(
            f"{satellite.entity}_current",
            f"{satellite.description}: the newest state",
            f"One row per {_words(keys)}",
            [_primary_key(keys)],
        )
        models += _model(
            f"{satellite.entity}_history",
            f"{satellite.description}: all states, one after the other",
            f"One row per {_words([*keys, 'effective_from'])}",
            [_primary_key([*keys, "effective_from"])],
        )
    return _document(models)


def interface(meta: Metadata, entity: Entity, personal: Personal) -> str:
    """The text of uds_<entity>.yml, for the canonical table and its view of mapped rows."""
    mappings = meta.mappings_of(entity.entity)
    keys = [item.target_column for item in mappings if item.is_key]
    accepted = ["- accepted_share:", f"    arguments: {{min: {ACCEPTED_SHARE}}}"]
    meaning = f"{entity.description}: every mapped row, with the mappings that failed"
    lines = _model(naming.mapped(entity), meaning, f"One row per {_words(keys)}", [accepted])
    kept = [
        "- kept_or_rejected:",
        f"    arguments: {{mapped: ref('{naming.mapped(entity)}'), rejects: ref('{REJECTS}')}}",
    ]
    nothing = [
        "- nothing_rejected:",
        f"    arguments: {{rejects: ref('{REJECTS}')}}",
        "    config: {severity: warn}",
    ]
    tests = [_primary_key(keys), kept, nothing]
    lines += _model(entity.entity, entity.description, f"One row per {_words(keys)}", tests)
    lines += ["    config:", "      contract: {enforced: true}", "    columns:"]
    for item in mappings:
        lines += _column(item.target_column, item.description, normal(item.data_type) or item.data_type)
        if item.mandatory:
            lines.append("        constraints: [{type: not_null}]")
        if (item.source, item.source_column) in personal:
            lines.append(PERSONAL)
    lines += _column("extracted_at", "As-of time of the newest extract with the row (UTC)", "timestamp")
    lines += _column("load_seq", "Number of the load that brought the row; see ops.batches", "bigint")
    return _document(lines)


def rejects() -> str:
    """The text of interface_rejects.yml."""
    lines = _model(
        REJECTS,
        "Rows that are kept out of the canonical tables, each with the mapping that failed",
        "One row per entity, entity_key and mapping",
        [_primary_key(["entity", "entity_key", "mapping"])],
    )
    lines += ["    config:", "      contract: {enforced: true}", "    columns:"]
    for name, data_type, description in (
        ("entity", "varchar", "The canonical table out of which the row is kept"),
        ("entity_key", "varchar", "Key of the row in that table; ? stands for an empty part"),
        ("mapping", "varchar", "The mapping that failed, as entity.column; `ops metadata show` shows it"),
        ("reason", "varchar", "Why the mapping failed: mandatory_is_empty or not_castable"),
        ("extracted_at", "timestamp", "As-of time of the extract with the row (UTC)"),
        ("load_seq", "bigint", "Number of the load that brought the row; see ops.batches"),
    ):
        lines += _column(name, description, data_type)
    return _document(lines)


Personal = frozenset[tuple[str, str]]
"""(vault table, column) of personal data. Such data is masked in samples and evidence."""
PERSONAL = "        config: {meta: {personal_data: true}}"


def sources(meta: Metadata, feeds: Mappings[str, Feed]) -> str:
    """The text of _sources.yml."""
    lines = ["  - name: bronze", "    schema: bronze", "    tables:"]
    for name in naming.feeds(meta):
        meaning = feeds[name].description or f"Rows of {name} as landing loaded them"
        lines += [f"      - name: {name}", f"        description: {text(meaning)}"]
    return YAML_HEADER + "version: 2\n\nsources:\n" + "\n".join(lines) + "\n"


def _document(lines: Sequence[str]) -> str:
    return YAML_HEADER + "version: 2\n\nmodels:\n" + "\n".join(lines).rstrip("\n") + "\n"


def _model(
    name: str,
    meaning: str,
    grain: str,
    tests: Sequence[list[str]],
    columns: dict[str, tuple[str, list[str]]] | None = None,
) -> list[str]:
    lines = [f"  - name: {name}", f"    description: {text(f'{meaning}. {grain}.')}"]
    if tests:
        lines += ["    data_tests:", *(f"      {line}" for test in tests for line in test)]
    if columns:
        lines.append("    columns:")
        for column, (description, column_tests) in columns.items():
            lines.append(f"      - name: {column}")
            if description:
                lines.append(f"        description: {text(description)}")
            lines += ["        data_tests:", *(f"          {line}" for line in column_tests)]
    return lines


def _primary_key(keys: Sequence[str], where: str = "") -> list[str]:
    lines = ["- primary_key:", f"    arguments: {{columns: {flow(keys)}}}"]
    return [*lines, f'    config: {{where: "{where}"}}'] if where else lines


def _foreign_keys(meta: Metadata, link: Entity) -> dict[str, tuple[str, list[str]]]:
    result: dict[str, tuple[str, list[str]]] = {}
    for item in meta.attributes_of(link.entity):
        if item.references:
            result[naming.reference_key(meta, item)] = (item.description, _reference(meta, item))
    return result


def _reference(meta: Metadata, item: Attribute) -> list[str]:
    column = naming.reference_key(meta, item)
    where = "" if item.mandatory else f"{column} <> 0"
    return _relationship(item.references, naming.hub_key(meta, item.references), where)


def _relationship(target: str, field: str, where: str = "") -> list[str]:
    lines = ["- relationships:", f"    arguments: {{to: ref('{target}'), field: {field}}}"]
    return [*lines, f'    config: {{where: "{where}"}}'] if where else lines


def _state_keys(meta: Metadata, satellite: Entity) -> list[str]:
    return [naming.satellite_key(meta, satellite), *vault.child_keys(meta, satellite)]


def _column(name: str, description: str, data_type: str) -> list[str]:
    return [
        f"      - name: {name}",
        f"        data_type: {data_type}",
        f"        description: {text(description)}",
    ]


def _words(names: Iterable[str]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last
