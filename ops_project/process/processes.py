"""Identifies processes, and says whether one still runs.

A pid alone is not enough: the system uses it again, and it means nothing after a reboot or in another container. So a
process is identified by its host's boot, its PID namespace, its pid and its start time. A process of another namespace
cannot be seen from here, so this module reports it neither as alive nor as gone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process, identified within one boot of one machine."""

    boot: str
    """The boot and, after a dot, the PID namespace. Homes of earlier versions have the boot alone."""
    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.boot}:{self.pid}:{self.started}"

    @classmethod
    def parse(cls, text: str) -> Process | None:
        """The process whose `str` is this text; None if the text is something else."""
        boot, _, rest = text.partition(":")
        pid, _, started = rest.partition(":")
        return cls(boot, int(pid), started) if pid.isdecimal() and started else None

    def visible(self) -> bool:
        """Whether the process's pid is valid here: the boot and the PID namespace are the same."""
        boot, _, namespace = self.boot.partition(".")
        return boot == _boot() and namespace in ("", _namespace())

    def alive(self) -> bool:
        """Whether the process is seen to run now. False if the process cannot be seen, or if its pid belongs to
        another process.
        """
        return self.visible() and _started(self.pid) == self.started

    def gone(self) -> bool:
        """Whether the process is known to have ended. A process that can be seen has ended if it does not run any more.
        A process of another boot ended with that boot.
        """
        if self.visible():
            return _started(self.pid) != self.started
        return self.boot.partition(".")[0] != _boot()


def current() -> Process:
    """The identity of this process."""
    return _of(os.getpid())


@lru_cache(maxsize=1)
def _of(pid: int) -> Process:
    namespace = _namespace()
    return Process(f"{_boot()}.{namespace}" if namespace else _boot(), pid, _started(pid) or "0")


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
    except OSError:
        import psutil

        return str(int(psutil.boot_time()))


@lru_cache(maxsize=1)
def _namespace() -> str:
    """The number of this process's PID namespace; empty if the system has none."""
    try:
        return Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = stat.rpartition(")")[2].split()
        # Field 3 is the state. A zombie has ended, and its parent has not collected it yet. Field 22 is the start time
        # in ticks.
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
