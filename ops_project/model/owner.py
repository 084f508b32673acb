"""People and teams: who is responsible for a table, and how they are reached."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints

from ops_project.model.base import Model
from ops_project.model.oncall.people import Absence, Contact, PipelineOwners, Raci
from ops_project.model.timezone import Timezone

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
# An address is ASCII only: most mail servers take no other address, and one refused address stops a message to all
# recipients.
ADDRESS = re.compile(r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
Email = Annotated[str, StringConstraints(pattern=ADDRESS.pattern)]

TEAM_OWNER = re.compile(r"^team:(?P<slug>.+)$")
ROLE = re.compile(r"^role:(?P<slug>.+)$")


class Person(Model):
    """A person who can be paged."""

    name: str
    """The name that messages and pages show."""
    email: Email
    """The address for messages."""
    phone: str | None = None
    """The telephone number. Pages and `ops oncall who` show it."""
    slack: str | None = None
    """The Slack id or channel for messages to this person."""
    manager: str | None = None
    """The id of the person's manager."""
    zone: Timezone | None = None
    """The time zone in which this person lives; default: the platform's zone."""
    absences: tuple[Absence, ...] = ()
    """When this person cannot be called."""


class Team(Model):
    """A group that owns tables."""

    name: str
    """The name that messages and pages show."""
    email: Email
    """The address for messages."""
    slack: str | None = None
    """The Slack channel of the team."""
    members: tuple[str, ...] = Field(min_length=1)
    """Ids of people. The first person answers first."""
    external: bool = False
    """True for a consumer or an upstream source: it gets messages, and it never owns a table."""


class Owners(Model):
    """owners.yaml: people, teams, roles, and who is responsible for which pipeline."""

    people: dict[Slug, Person]
    teams: dict[Slug, Team]
    otherwise: str | None = None
    """The owner of alerts about subjects without an owner, for example about messages that cannot be delivered."""
    roles: dict[Slug, str] = {}
    """Role → the person's id or team:<id> that has it. Ladders, contacts and RACI name roles."""
    pipelines: dict[str, PipelineOwners] = {}
    """Job → its primary and secondary owner. A job that is not listed belongs to its domain's owner."""
    contacts: dict[Slug, Contact] = {}
    """The support and contact matrix."""
    raci: Raci = Raci()
    """Who is responsible, accountable, consulted and informed."""

    def valid(self) -> list[str]:
        """Every way to write an owner: `team:<id>` or a person's id, sorted."""
        return sorted([*(f"team:{slug}" for slug in self.teams), *self.people])

    def resolve(self, owner: str) -> Person | Team | None:
        """The person or team for `team:<id>`, a person's id or a person's e-mail; None if there is none."""
        if match := TEAM_OWNER.match(owner):
            return self.teams.get(match["slug"])
        if owner in self.people:
            return self.people[owner]
        return next((person for person in self.people.values() if person.email == owner), None)

    def behind(self, name: str) -> Person | Team | None:
        """Like `resolve`, but it accepts `role:<id>` too."""
        if match := ROLE.match(name):
            name = self.roles.get(match["slug"], "")
        return self.resolve(name) if name else None

    def people_of(self, name: str) -> tuple[str, ...]:
        """The ids of the people for a person's id, a person's e-mail, team:<id> or role:<id>, in their order."""
        if match := ROLE.match(name):
            name = self.roles.get(match["slug"], "")
        found = self.resolve(name) if name else None
        if isinstance(found, Team):
            return found.members
        return tuple(slug for slug, person in self.people.items() if person is found)[:1] if found else ()

    def dagster(self, owner: str) -> str:
        """The owner in the form that Dagster needs: an e-mail address for a person, `team:<id>` for a team."""
        found = self.resolve(owner)
        if found is None:
            raise KeyError(f"unknown owner {owner!r}; valid: {', '.join(self.valid())}")
        return found.email if isinstance(found, Person) else owner
