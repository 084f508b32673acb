"""Simulates the first files of a new home in a separate process, one domain after the other. The pipelines of the first
domains run while the files of other domains are still being made. That saves ten seconds of a first run on two cores.

The home remembers the request until all files are delivered. So if a run was interrupted or killed, the next run
delivers the rest, for the same dates.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path

from ops_project.catalog import Catalog, load
from ops_project.process import locks
from ops_project.settings import Settings
from ops_project.simulator import own_files
from ops_project.simulator.plans import Asked, SimulationError, yesterday
from ops_project.simulator.simulation import simulate
from ops_project.simulator.sources import SOURCES, strangers

FILE_NAME = own_files.REQUEST
LOCK = ".simulator.lock"


@dataclass(frozen=True)
class Wanted:
    """The files that are still to be delivered: `days` days up to `end`, for each of the domains."""

    domains: tuple[str, ...]
    days: int
    end: date

    def without(self, domain: str) -> Wanted:
        return replace(self, domains=tuple(name for name in self.domains if name != domain))


def wanted(settings: Settings, catalog: Catalog, domains: Sequence[str], *, days: int, now: datetime) -> Wanted | None:
    """The days and domains that must be simulated before these domains can run; None if nothing has to be simulated.

    If the home remembers an unfinished request, the result is the rest of that request. Domains for which a user has
    put files into inbound since then are left out.

    If the home has never had a file, the result is `days` days of each domain. So a user's files are never mixed with
    simulated rows.

    Raises SimulationError if the remembered request is damaged.
    """
    if (left := _unfinished(settings.home)) is not None:
        names = [name for name in left.domains if not own_files.any_in(settings.home, settings.inbound, name)]
        left = replace(left, domains=_simulated(names, catalog))
        _keep(settings.home, left)
        return left if left.domains else None
    if any(
        path.is_file() for root in (settings.inbound, settings.archive) if root.is_dir() for path in root.rglob("*")
    ):
        return None
    simulated = _simulated(domains, catalog)
    return Wanted(simulated, days, yesterday(now, catalog.platform.zone)) if simulated else None


def _simulated(domains: Sequence[str], catalog: Catalog) -> tuple[str, ...]:
    """The domains that have a simulated source whose files match their contracts."""
    return tuple(name for name in domains if name in SOURCES and not strangers(name, catalog))


@contextmanager
def delivered(settings: Settings, wanted: Wanted, now: datetime) -> Iterator[Callable[[str], int]]:
    """Deliver the files in a background process, which ends before the block ends.

    Yields a function that takes a domain. The function waits until all files of the domain are there, and returns their
    number. It raises SimulationError if the files cannot be made.
    """
    _keep(settings.home, wanted)
    process = subprocess.Popen(
        [sys.executable, "-m", "ops_project.simulator.first_files"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C must reach only the command. The command then ends this process.
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    files: dict[str, int] = {}

    def arrived(domain: str) -> int:
        while domain in wanted.domains and domain not in files:
            line = process.stdout.readline() if process.stdout is not None else b""
            if not line:
                raise SimulationError(
                    f"the process that simulates the sources has ended before the files of {domain} were there; run "
                    "the command again, and it simulates the rest"
                )
            told = json.loads(line)
            if "error" in told:
                raise SimulationError(told["error"])
            files[told["domain"]] = told["files"]
        return files.get(domain, 0)

    try:
        with process.stdin as stdin:
            pickle.dump((settings, wanted, now), stdin)
        yield arrived
        for domain in wanted.domains:
            arrived(domain)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _deliver(settings: Settings, wanted: Wanted, now: datetime, tell: Callable[[dict[str, object]], None]) -> None:
    catalog = load(settings)
    # Another command may deliver the same files. The files that it has delivered are not delivered again.
    with locks.hold(settings.home / LOCK, owner="the simulation of the first files", now=now):
        for domain in wanted.domains:
            left = _unfinished(settings.home)
            if left is None or domain not in left.domains:
                tell({"domain": domain, "files": 0})
                continue
            try:
                done = simulate(settings, catalog, now, Asked(domains=(domain,), days=wanted.days, end=wanted.end))
            except Exception as error:
                tell({"error": f"the files of {domain} could not be simulated: {error}"})
                return
            _keep(settings.home, left.without(domain))
            tell({"domain": domain, "files": sum(report.files for report in done.reports)})


def _keep(home: Path, wanted: Wanted) -> None:
    path = home / FILE_NAME
    if not wanted.domains:
        own_files.forget(home)
        return
    home.mkdir(parents=True, exist_ok=True)
    temporary = home / f".{FILE_NAME}.{os.getpid()}"
    temporary.write_text(json.dumps(asdict(wanted), default=str, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def _unfinished(home: Path) -> Wanted | None:
    path = home / FILE_NAME
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        domains = tuple(name for name in body["domains"] if name in SOURCES)
        return Wanted(domains, int(body["days"]), date.fromisoformat(body["end"])) if domains else None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise SimulationError(
            f"{path} is damaged ({error}); it lists the domains whose first files are still to be simulated. Remove "
            "it, and simulate them with `ops simulate --domain DOMAIN`"
        ) from None


def _main() -> None:
    settings, asked, now = pickle.load(
        sys.stdin.buffer
    )  # Only the command that started this process writes to its standard input.
    # The answers get a file descriptor of their own, so that a line that a library prints is not read as an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(answer: dict[str, object]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    _deliver(settings, asked, now, tell)


if __name__ == "__main__":
    _main()
