"""Gathers evidence about a warehouse from sources that the application plugs in. No source may delay a page, so each
one runs in its own thread and for a limited time. A source that fails or hangs is listed as unread, and its evidence is
unknown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.operations.diagnosis.decide.suspects import Change
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings

PATIENCE_SECONDS = 5.0
"""How long a page waits for evidence."""
_late: dict[EvidenceSource, threading.Thread] = {}
"""Source → the thread that has not answered in time. As long as a thread hangs, its source is not asked again.
Otherwise threads would pile up.
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence."""

    title: str
    text: str
    """The evidence in words. It is masked, because it is stored and sent."""
    source: str = ""
    """Where the evidence comes from: a table, a file or a run."""
    command: str = ""
    """The command that shows the evidence again."""


@dataclass(frozen=True)
class Scene:
    """What the evidence is wanted for."""

    settings: Settings
    catalog: Catalog
    ledger: Ledger
    lineage: Lineage
    now: datetime
    assets: tuple[str, ...]
    """The table that is wrong, followed by those tables upstream of it that may matter."""
    run_id: str = ""
    batch_id: str = ""
    since: datetime | None = None
    """When the table was last good."""
    wrong_in: str = ""
    """The run in which the table became wrong; empty if it is not known."""


@dataclass(frozen=True)
class EvidenceSource:
    """One source of evidence. Each of its functions may be None. `commits` is called only if there are `changes`."""

    name: str
    items: Callable[[Scene], Sequence[Item]] | None = None
    changes: Callable[[Scene], Sequence[Change]] | None = None
    commits: Callable[[Scene], Mapping[str, str]] | None = None
    """Returns: id of a run → the commit that the run used."""


@dataclass
class Gathered:
    """The answers that the sources gave in time, in their order."""

    items: list[Item] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    commits: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


@dataclass(eq=False)
class _Asked:
    source: EvidenceSource
    items: Sequence[Item] = ()
    changes: Sequence[Change] = ()
    commits: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    done: bool = False

    def ask(self, scene: Scene, only_changes: bool) -> None:
        try:
            self.items = tuple(self.source.items(scene)) if self.source.items and not only_changes else ()
            self.changes = tuple(self.source.changes(scene)) if self.source.changes else ()
            self.commits = dict(self.source.commits(scene)) if self.source.commits else {}
        except BaseException as error:
            self.error = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        self.done = True


def gather(
    sources: Sequence[EvidenceSource],
    scene: Scene,
    patience: float = PATIENCE_SECONDS,
    *,
    only_changes: bool = False,
) -> Gathered:
    """Ask all sources at the same time, and wait at most `patience` seconds for all of them together. No error is
    raised.
    """
    wanted = [source for source in sources if source.changes is not None or not only_changes]
    hanging = [source for source in wanted if source in _late and _late[source].is_alive()]
    asked = {
        one: threading.Thread(target=one.ask, args=(scene, only_changes), name="evidence", daemon=True)
        for one in (_Asked(source) for source in wanted if source not in hanging)
    }
    until = time.monotonic() + patience
    for thread in asked.values():
        thread.start()
    found = Gathered(unread=[f"{source.name} has not answered an earlier question yet" for source in hanging])
    for one, thread in asked.items():
        thread.join(max(0.0, until - time.monotonic()))
        if not one.done:
            _late[one.source] = thread
            found.unread.append(f"{one.source.name} did not answer within {patience:g} s")
        elif one.error:
            found.unread.append(f"{one.source.name} could not be read: {one.error}")
        else:
            found.items += one.items
            found.changes += one.changes
            found.commits |= one.commits
    return found
