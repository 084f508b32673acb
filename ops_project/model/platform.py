"""What holds for the whole platform: zone, start of history, size of the machine."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from pydantic import Field

from ops_project.model.base import Model
from ops_project.model.timezone import Timezone


class Warehouse(Model):
    """How DuckDB may use the machine."""

    memory_limit: str = Field(default="3GB", pattern=r"^\d+(\.\d+)?\s?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")
    threads: int = Field(default=0, ge=0)
    """0: as many as the machine has cores."""


class Snapshots(Model):
    """Copies of the warehouse that readers open."""

    keep: int = Field(default=3, ge=1)


class Publishing(Model):
    """What consumers read."""

    keep: int = Field(default=5, ge=2)


class Platform(Model):
    """platform.yaml."""

    name: str
    timezone: Timezone
    start_date: date
    """First business date; daily partitions begin here."""
    warehouse: Warehouse = Warehouse()
    snapshots: Snapshots = Snapshots()
    publishing: Publishing = Publishing()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
