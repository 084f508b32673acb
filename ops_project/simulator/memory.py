"""Remembers what was simulated for a home: the seed and the scale of each domain, and its first and last delivered day.

So a later call continues with the same data. Only the first day of a source has its initial load.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from ops_project.simulator.world import World

FILE_NAME = "simulator.json"


@dataclass(frozen=True)
class Remembered:
    """One domain's world, and the first and the last day that were delivered."""

    seed: int
    scale: float
    since: date
    until: date

    @property
    def world(self) -> World:
        return World(self.seed, self.scale)

    def extended(self, world: World, start: date, end: date) -> Remembered:
        """What is remembered after another window was delivered. With another seed or scale, earlier days are
        forgotten.
        """
        if world != self.world:
            return Remembered(world.seed, world.scale, start, end)
        return Remembered(world.seed, world.scale, min(self.since, start), max(self.until, end))


def recall(home: Path) -> dict[str, Remembered]:
    """Domain → what this home remembers; empty if there is no file. Raises ValueError if the file is damaged."""
    path = home / FILE_NAME
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {
            domain: Remembered(
                int(entry["seed"]),
                float(entry["scale"]),
                date.fromisoformat(entry["since"]),
                date.fromisoformat(entry["until"]),
            )
            for domain, entry in entries.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({error}); remove it to begin a new world") from None


def remember(home: Path, domains: dict[str, Remembered]) -> None:
    """Store what is remembered. If the process is killed, the file is the old or the new one."""
    home.mkdir(parents=True, exist_ok=True)
    text = json.dumps({name: asdict(entry) for name, entry in sorted(domains.items())}, default=str, indent=2)
    temporary = home / f".{FILE_NAME}.{os.getpid()}"
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(home / FILE_NAME)
