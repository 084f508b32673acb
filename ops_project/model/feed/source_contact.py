"""Whom to call at the source of a feed, and how."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from ops_project.model.base import Model


class SourceContact(Model):
    """A person or team at the source. A contract may give one text instead: an e-mail address or a name."""

    name: str = ""
    """The person or team."""
    email: str = ""
    """The e-mail address."""
    phone: str = ""
    """The telephone number."""
    hours: str = ""
    """When the contact answers, in words."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"email" if "@" in value and " " not in value.strip() else "name": value.strip()}
        return value

    def __str__(self) -> str:
        """In one line: the name, the address, the telephone, the hours."""
        return ", ".join(part for part in (self.name, self.email, self.phone, self.hours) if part)

    def __bool__(self) -> bool:
        return bool(str(self))
