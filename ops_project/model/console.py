"""Who may open the console from another machine. roles.yaml says what these people may do."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from datetime import timedelta

from pydantic import Field, field_validator

from ops_project.model.base import Model
from ops_project.model.duration import Duration
from ops_project.model.owner import Slug

_PARTS = 6


class ConsoleUser(Model):
    """A person of owners.yaml who may log in."""

    role: str | None = None
    """The role of a person whom roles.yaml does not name. Without a role the person may only read."""
    password: str | None = None
    """The line that `ops serve --new-password` prints. Without a password the person can log in only through the
    trusted proxy.
    """

    @field_validator("password")
    @classmethod
    def _scrypt(cls, value: str | None) -> str | None:
        if value is not None and not is_scrypt(value):
            raise ValueError("a password is written as the line that `ops serve --new-password` prints (scrypt$…)")
        return value


class TrustedProxy(Model):
    """A proxy that has already authenticated people and names them in a header."""

    header: str = Field(default="X-Forwarded-User", pattern=r"^[A-Za-z0-9-]+$")
    """The header that holds the person's id or e-mail. The proxy must remove it from requests that come from
    outside.
    """
    addresses: tuple[str, ...] = Field(min_length=1)
    """Addresses or networks of the proxy. The header of any other sender is ignored."""

    @field_validator("addresses")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                raise ValueError(
                    f"{text!r} is neither an address nor a network; write 10.0.0.5 or 10.0.0.0/24"
                ) from None
        return value

    def trusts(self, address: str) -> bool:
        """Whether a request from this address comes from the proxy."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in ipaddress.ip_network(text) for text in self.addresses)


class Console(Model):
    """console.yaml: who may log in. Without users and without a proxy, the console answers only this machine."""

    users: dict[Slug, ConsoleUser] = {}
    """Person of owners.yaml → how the person logs in."""
    proxy: TrustedProxy | None = None
    session: Duration = timedelta(hours=12)
    """How long a login is valid."""
    secure_cookie: bool = False
    """True if browsers reach the console only by https. The session is then never sent in clear text."""


def is_scrypt(text: str) -> bool:
    """Whether `text` is scrypt$N$r$p$salt$hash, with salt and hash in base64."""
    parts = text.split("$")
    if len(parts) != _PARTS or parts[0] != "scrypt" or not all(part.isdecimal() for part in parts[1:4]):
        return False
    try:
        return all(base64.b64decode(part, validate=True) for part in parts[4:])
    except (binascii.Error, ValueError):
        return False
