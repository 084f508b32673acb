"""The common options of the commands of `ops oncall`, and the rota of one schedule."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from ops_project.cli.person import by_option, person_of
from ops_project.settings import Settings

schedule_option = click.option("--schedule", help="The schedule's id. Default: the schedule that pages.")


by_person = by_option("The person who does this, by id.")


class Rota:
    """The configuration, the ledger and the roster of one schedule, opened once for each command."""

    def __init__(self, settings: Settings, schedule: str | None) -> None:
        from ops_project.catalog import load as load_catalog
        from ops_project.operations.incidents.rota import current
        from ops_project.operations.ledger import open_ledger

        self.catalog = load_catalog(settings)
        self.ledger = open_ledger(settings)
        self.name = schedule or self.catalog.oncall.main() or ""
        rosters = current(self.catalog, self.ledger)
        if self.name not in rosters:
            if not schedule:
                raise click.UsageError("oncall.yaml has no schedule, so the first owner of what failed is called")
            valid = ", ".join(rosters) or "none: oncall.yaml has no schedule"
            raise click.UsageError(f"there is no schedule {self.name!r}; valid: {valid}")
        self.roster = rosters[self.name]

    def person(self, name: str, option: str) -> str:
        """The id of the person whom `name` names by id or by e-mail."""
        return person_of(self.catalog.owners, name, option)

    def shown(self, person: str) -> str:
        found = self.catalog.owners.people.get(person)
        return found.name if found is not None else person

    def moment(self, text: str, option: str) -> datetime:
        """The moment that `text` names. A day means its first moment in the schedule's zone. A time without an offset
        is in the schedule's zone too.
        """
        from datetime import date

        from ops_project.operations.oncall.wall_clock import aware, midnight

        try:
            if len(text) == len("2026-12-24"):
                return midnight(date.fromisoformat(text), self.roster.zone)
            return aware(datetime.fromisoformat(text), self.roster.zone)
        except ValueError as error:
            raise click.UsageError(
                f"{option} {text!r} is not understood ({error}); write 2026-12-24 or 2026-12-24T09:00"
            ) from None

    def shift(self, text: str) -> int:
        """The number of the shift that begins on this local day, or that is already running on it."""
        from datetime import date

        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise click.UsageError(f"{text!r} is not a day ({error}); write 2026-12-21") from None
        begins = self.roster.shift_on(day)
        return begins if begins is not None else self.roster.shift_at(self.moment(text, "DAY") + timedelta(hours=12))

    def local(self, at: datetime) -> str:
        return f"{at.astimezone(self.roster.zone):%a %Y-%m-%d %H:%M}"
