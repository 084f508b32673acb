"""roles.yaml: who may run the commands that act. Reading is open to everybody."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field, model_validator

from ops_project.model.base import Model

Words = Annotated[str, Field(pattern=r"^[a-z*][a-z* -]*$")]


class Role(Model):
    """The permissions of one role."""

    title: str = ""
    """The role's name for people."""
    may: tuple[Words, ...] = ()
    """Commands without `ops`, such as `incidents ack`. `incidents *` means all commands of a group, `*` means every
    command.
    """

    def allows(self, command: str) -> bool:
        return any(fnmatchcase(command, pattern) for pattern in self.may)


class Roles(Model):
    """roles.yaml: who has which role. A person without an entry has the role `otherwise`."""

    otherwise: str
    """The role of a person without an entry."""
    roles: dict[str, Role] = Field(min_length=1)
    people: dict[str, str] = {}
    """User name → role."""

    @model_validator(mode="after")
    def _known_roles(self) -> Roles:
        valid = ", ".join(self.roles)
        if self.otherwise not in self.roles:
            raise ValueError(f"role {self.otherwise!r} does not exist; valid: {valid}")
        for person, role in self.people.items():
            if role not in self.roles:
                raise ValueError(f"{person} has role {role!r}, which does not exist; valid: {valid}")
        return self

    def of(self, user: str) -> str:
        """The role of a user."""
        return self.people.get(user, self.otherwise)
