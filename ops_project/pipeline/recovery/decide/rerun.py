"""Decides what a rerun builds: everything that the run did not finish, and nothing that it finished. The module is
pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from ops_project.counted import counted
from ops_project.pipeline.recovery.decide.target import NothingLeft, RestoreError

Asset = tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """The result of a check in the run. `passed` is None if the check was planned but never evaluated."""

    asset: Asset
    name: str
    passed: bool | None
    is_error: bool = True

    @property
    def is_open(self) -> bool:
        """Whether the check must be evaluated again."""
        return self.passed is None or (not self.passed and self.is_error)


@dataclass(frozen=True)
class Rerun:
    """The assets and checks that are run again."""

    assets: frozenset[Asset]
    checks: frozenset[tuple[Asset, str]]
    """Checks of assets that are not built again."""
    finished: frozenset[Asset]
    """Assets that the run has built. The rerun does not build them."""

    @property
    def words(self) -> str:
        """One line about the rerun, for people."""
        checks = f", {counted(len(self.checks), 'check')} of finished tables" if self.checks else ""
        finished = counted(len(self.finished), "finished table is", "finished tables are")
        return f"{counted(len(self.assets), 'table')}{checks}; {finished} left unchanged"


def from_failed(
    planned: Collection[Asset],
    built: Collection[Asset],
    verdicts: Iterable[Verdict],
    unpublished: Collection[Asset] = (),
) -> Rerun:
    """The rerun of a failed run: the assets that were planned and not built, and the checks of finished tables that
    failed or were not evaluated.

    `unpublished`: assets that the last run built, if it ended before it took its snapshot and published. No reader sees
    them yet. If nothing else is left to do, they are built again, because a run publishes only if it builds something.

    Raises NothingLeft if nothing is left to do, and RestoreError if the run ended before it planned anything.
    """
    verdicts = list(verdicts)
    if not planned and not verdicts:
        raise RestoreError(
            "this run ended before it had noted what it was to build, so a rerun cannot know what to build: give "
            "the command that "
            "started it again (`ops run` for a run of what had arrived)"
        )
    assets = frozenset(planned) - frozenset(built)
    checks = frozenset((item.asset, item.name) for item in verdicts if item.is_open and item.asset not in assets)
    if not assets and not checks:
        assets = frozenset(unpublished) & frozenset(planned)
    if not assets and not checks:
        raise NothingLeft("this run has done everything that it was to do, so there is nothing to rerun")
    return Rerun(assets, checks, (frozenset(built) & frozenset(planned)) - assets)


def from_asset(
    start: Asset, planned: Collection[Asset], downstream: Callable[[Asset], Collection[Asset]], built: Collection[Asset]
) -> Rerun:
    """The rerun from one asset: `start` and everything downstream of it that was part of the run. Raises RestoreError
    if `start` was not part of the run.
    """
    if start not in planned:
        listed = ", ".join(sorted(".".join(asset) for asset in planned)[:20])
        raise RestoreError(f"{'.'.join(start)} was not part of this run, which was to build: {listed or 'nothing'}")
    assets = frozenset({start, *downstream(start)}) & frozenset(planned)
    return Rerun(assets, frozenset(), (frozenset(built) & frozenset(planned)) - assets)
