"""Which process is this, and does that one still live?

A pid alone is not enough: it is used again, and it means nothing after a reboot. So a process is its host's boot, its
pid and its start time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process of one boot of this machine."""

    boot: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.boot}:{self.pid}:{self.started}"

    @classmethod
    def parse(cls, text: str) -> Process | None:
        """The process that `str` wrote; None where the text is something else."""
        boot, _, rest = text.partition(":")
        pid, _, started = rest.partition(":")
        return cls(boot, int(pid), started) if pid.isdigit() and started else None

    def alive(self) -> bool:
        """Whether it runs now. False after a reboot, and where its pid belongs to another."""
        return self.boot == _boot() and _started(self.pid) == self.started


def current() -> Process:
    """This process."""
    pid = os.getpid()
    return Process(_boot(), pid, _started(pid) or "0")


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
    except OSError:
        import psutil

        return str(int(psutil.boot_time()))


def _started(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = stat.rpartition(")")[2].split()
        # Field 3 is the state: a zombie has ended, only its parent has not looked yet. Field 22 is the start in ticks.
        return None if fields[0] in "ZX" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except OSError:
        pass
    import psutil

    try:
        return str(int(psutil.Process(pid).create_time()))
    except psutil.Error:
        return None
