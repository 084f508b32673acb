"""Settings of the whole platform: zone, start of history, size of the machine."""

from __future__ import annotations

from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from ops_project.model.base import Model
from ops_project.model.cron import wrong_cron
from ops_project.model.timezone import Timezone


class Warehouse(Model):
    """How DuckDB may use the machine."""

    memory_limit: str = Field(default="3GB", pattern=r"^\d+(\.\d+)?\s?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")
    """The memory that DuckDB may use."""
    threads: int = Field(default=0, ge=0)
    """The number of threads. 0 means as many as the machine has cores."""


class Snapshots(Model):
    """Copies of the warehouse that readers open."""

    keep: int = Field(default=3, ge=1)
    """The number of runs of each domain whose result can be restored, and of its good runs. One snapshot holds the
    results of all domains, so the domains of one `ops run` share it.
    """


class Publishing(Model):
    """Settings of the files that consumers read."""

    keep: int = Field(default=5, ge=2)
    """The number of published versions that are kept."""


class Backups(Model):
    """Where and when backups are taken. A backup is a copy of the home on another disk, or in a bucket."""

    destination: str | None = None
    """The absolute path of a folder, or `s3://BUCKET/PREFIX`. Without a destination no backup is taken, and no alert
    reports a missing one.
    """
    endpoint: str | None = None
    """Address of the S3 server, if it is not Amazon's."""
    region: str | None = None
    """Region of the S3 bucket."""
    schedule: str = "30 3 * * *"
    """Cron in the platform's zone: when the daemon takes a backup and proves it, which means a trial restore."""
    elsewhere: tuple[Literal["ledger", "dagster", "registry"], ...] = ()
    """Parts outside of the home that another system backs up. They are not copied, and a backup is complete without
    them.
    """
    keep: int = Field(default=14, ge=1)
    """The number of newest backups that are kept. The same number of newest proved backups is kept too."""

    @field_validator("destination")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("/", "~/", "s3://")):
            raise ValueError(
                f"{value!r} is not a destination; write the absolute path of a folder, or s3://BUCKET/PREFIX"
            )
        return value

    @field_validator("schedule")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        if (wrong := wrong_cron(value)) is not None:
            raise ValueError(f"{value!r} is not a cron time: {wrong}")
        return value


class Platform(Model):
    """platform.yaml: the settings of the whole platform."""

    name: str
    """The name of the platform. The console shows it in the title of each page."""
    timezone: Timezone
    """The zone in which business dates, schedules and deadlines are given."""
    start_date: date
    """The first business date. Daily partitions begin here."""
    reporting_currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """ISO 4217 code of the currency in which revenue is added up. Orders in another currency need an exchange rate."""
    warehouse: Warehouse = Warehouse()
    snapshots: Snapshots = Snapshots()
    publishing: Publishing = Publishing()
    backups: Backups = Backups()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
