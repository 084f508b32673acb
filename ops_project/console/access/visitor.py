"""Decides who sent a request. It uses only the connection, the headers and the session."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ops_project.console.access.session import LOGIN, LOOPBACK, PROXY, Session
from ops_project.model.console import Console
from ops_project.model.owner import Owners
from ops_project.model.roles import Role, Roles

READER = "viewer"
"""The role of a person who may log in but has no other role."""

FORWARDED = ("x-forwarded-for", "forwarded", "x-forwarded-host", "x-real-ip")
"""Headers that a proxy adds. A request with one of them does not come from this machine, whatever its address is."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person behind a request."""

    who: str
    """The person's id; empty if no person has been chosen."""
    role: str
    how: str
    """How the person was recognised: loopback, login or proxy."""
    rights: Role = field(default_factory=Role)

    def may(self, command: str) -> bool:
        """Whether the person's role allows `ops <command>`. An empty command stands for reading, which is always
        allowed.
        """
        return not command or self.rights.allows(command)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A visitor who is not known. `why`: the reason, which the page shows. `login`: whether logging in would help."""

    why: str
    login: bool


def identify(
    address: str,
    headers: Mapping[str, str],
    *,
    names: frozenset[str],
    session: Session | None,
    console: Console,
    owners: Owners,
    roles: Roles,
) -> Visitor | Stranger:
    """Who sent the request. `address`: where the connection comes from. `names`: the names of this machine."""
    proxy = console.proxy
    if proxy is not None and proxy.trusts(address) and (named := headers.get(proxy.header.lower(), "")):
        found = owners.people_of(named)
        if len(found) != 1 or found[0] not in console.users:
            return Stranger(f"the proxy names {named!r}, who is not among the users of console.yaml", login=False)
        return known(found[0], PROXY, console, roles)
    if is_here(address, headers, names):
        who = session.who if session is not None and session.how == LOOPBACK else ""
        who = who if who in owners.people else ""
        return _with_rights(who, roles.of(who), LOOPBACK, roles)
    if session is not None and session.how == LOGIN and session.who in console.users:
        return known(session.who, LOGIN, console, roles)
    if any(user.password for user in console.users.values()):
        return Stranger("log in to read this page", login=True)
    return Stranger(
        "the console answers this machine only: it has no users. Add people to console.yaml "
        "(`ops serve --new-password` makes the line), or name a trusted proxy there",
        login=False,
    )


def known(who: str, how: str, console: Console, roles: Roles) -> Visitor:
    """The visitor for a user of console.yaml. The role is the one in roles.yaml, otherwise the one in console.yaml,
    otherwise READER. The role `otherwise` of roles.yaml does not apply: it is only for people on this machine.
    """
    return _with_rights(who, roles.people.get(who) or console.users[who].role or READER, how, roles)


def _with_rights(who: str, role: str, how: str, roles: Roles) -> Visitor:
    return Visitor(who, role, how, roles.roles.get(role, Role()))


def is_here(address: str, headers: Mapping[str, str], names: frozenset[str]) -> bool:
    """Whether the request comes from a browser on this machine. Such a request names this machine as its host, and no
    proxy has passed it on.
    """
    if any(name in headers for name in FORWARDED) or not _is_loopback(address):
        return False
    asked = host_of(headers.get("host", ""))
    return asked in names or _is_loopback(asked)


def from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Whether this form was sent by a page of another site."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


def host_of(host: str) -> str:
    """The name of a host without its port; empty if the text is not the name of a host."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
