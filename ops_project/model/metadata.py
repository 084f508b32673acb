"""The metadata tables of a vault: entities, attributes and source-to-interface mappings. Each row is one object. The
name of an entity begins with the prefix of its kind, so that a reader of SQL knows the kind. The module reads no files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ops_project.model.base import Model

Kind = Literal["hub", "link", "satellite", "multi_active_satellite", "effectivity_satellite", "interface"]
Role = Literal[
    "business_key", "driving_key", "reference", "parent_key", "child_key", "payload", "start_date", "end_date"
]

PREFIXES: dict[Kind, str] = {
    "hub": "hub_",
    "link": "link_",
    "satellite": "sat_",
    "multi_active_satellite": "ma_sat_",
    "effectivity_satellite": "eff_sat_",
    "interface": "uds_",
}
SATELLITES: frozenset[Kind] = frozenset({"satellite", "multi_active_satellite", "effectivity_satellite"})
ROLES: dict[Kind, tuple[Role, ...]] = {
    "hub": ("business_key",),
    "link": ("driving_key", "reference"),
    "satellite": ("parent_key", "payload"),
    "multi_active_satellite": ("parent_key", "child_key", "payload"),
    "effectivity_satellite": ("parent_key", "start_date", "end_date"),
    "interface": (),
}

_IDENTIFIER = r"^[a-z][a-z0-9_]*$"


class Entity(Model):
    """A table of the vault or of the interface layer: a row of entities.csv."""

    line: int
    entity: str = Field(pattern=_IDENTIFIER)
    kind: Kind
    parent: str = ""
    """For a satellite, its hub or link. For an interface table, the hub or satellite whose rows it has: one row for
    each row of the parent.
    """
    description: str = Field(min_length=1)

    @property
    def short(self) -> str:
        """The name without the prefix of its kind."""
        return self.entity.removeprefix(PREFIXES[self.kind])


class Attribute(Model):
    """A column of a vault table and where it comes from: a row of attributes.csv."""

    line: int
    entity: str
    attribute: str = Field(pattern=_IDENTIFIER)
    role: Role
    references: str = ""
    """The hub whose business key this attribute is."""
    feed: str = ""
    """The feed; empty for a hub to which other tables only refer."""
    source_column: str
    mandatory: bool
    description: str = Field(min_length=1)


class Mapping(Model):
    """A column of a canonical table and where it comes from: a row of mappings.csv."""

    line: int
    interface: str
    target_column: str = Field(pattern=_IDENTIFIER)
    source: str
    """A hub, link or satellite."""
    source_column: str
    rule: str = ""
    """SQL. {source} in it is replaced by the source column."""
    data_type: str = Field(min_length=1)
    mandatory: bool
    is_key: bool
    description: str = Field(min_length=1)

    @property
    def name(self) -> str:
        """The mapping's name among the rejects: interface.target_column."""
        return f"{self.interface}.{self.target_column}"


@dataclass(frozen=True)
class Metadata:
    """The three tables of one domain, each in the file's order, with the files' names for messages."""

    domain: str
    entities: tuple[Entity, ...]
    attributes: tuple[Attribute, ...]
    mappings: tuple[Mapping, ...]
    files: dict[str, str]
    """entities, attributes, mappings → the file that was read."""

    def entity(self, name: str) -> Entity | None:
        """The entity of that name."""
        return next((item for item in self.entities if item.entity == name), None)

    def of_kind(self, *kinds: Kind) -> list[Entity]:
        """The entities of these kinds, in the file's order."""
        return [item for item in self.entities if item.kind in kinds]

    def attributes_of(self, entity: str, *roles: Role) -> list[Attribute]:
        """The attributes of an entity; with `roles`, only those of these roles."""
        return [item for item in self.attributes if item.entity == entity and (not roles or item.role in roles)]

    def mappings_of(self, interface: str) -> list[Mapping]:
        """The mappings of a canonical table."""
        return [item for item in self.mappings if item.interface == interface]
