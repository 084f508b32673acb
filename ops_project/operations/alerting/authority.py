"""Which process decides, under which configuration. The ledger records the process that decides, the folder and
digest of its configuration, and the names of the secrets that it has. Another process (`ops run`, `ops cycle`, a
person's shell) may have another configuration and other secrets. If it decided with them, it would resolve the
alerts of rules that it does not know, give up messages to receivers that it does not know, and forget the mails that
it cannot send. So, while the authority is alive, the other process only observes. If no authority is alive, that
process decides under the recorded configuration, or says that it cannot.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ops_project import catalog as catalogs
from ops_project.catalog import Catalog, ConfigError
from ops_project.model.alerting.signal import digest
from ops_project.operations.channels.registry import secret_names
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings

DAEMON, WATCH, SHELL = "daemon", "watch", "shell"
DOCUMENT = "authority"
HEARTBEAT_TIMEOUT = timedelta(seconds=60)
"""An authority is not alive if its last cycle ended longer ago than this and no cycle is running."""
FORGET_SECRETS = timedelta(days=7)
"""A secret that no deciding process has had for this long is given up."""
SAY_AGAIN = timedelta(hours=1)


@dataclass(frozen=True)
class Authority:
    """The process that decides, as recorded in the ledger."""

    role: str
    """The role of the process: daemon, watch or shell. A shell decides for one cycle and is never alive afterwards."""
    holder: str
    overlay: str
    """The configuration folder; empty without one."""
    config: str
    """Digest of everything that was configured."""
    since: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Name of each variable that was set → when it was last seen, ISO 8601."""


@dataclass(frozen=True)
class Standing:
    """What this process may do in this cycle."""

    decides: bool
    settings: Settings
    catalog: Catalog
    """The configuration in force: this process's own, or the recorded one."""
    words: str = ""
    """Why the process does not decide, or under which configuration it decides; for people."""
    secrets: frozenset[str] = frozenset()
    """Variables that some deciding process has. Messages that need them are queued, whichever process sends them."""

    @property
    def borrowed(self) -> bool:
        """Whether the configuration is not this process's own."""
        return bool(self.words) and self.decides


def beat_of(role: str) -> str:
    """The cursor that records when a role's last cycle ended."""
    return f"heartbeat:{role}"


def end_of(role: str) -> str:
    """The cursor that records the last heartbeat of a role's process that was stopped in good order."""
    return f"ended:{role}"


def stopped(ledger: Ledger, role: str, now: datetime) -> None:
    """Record that the deciding process of this role was stopped in good order, so that nobody waits until its heartbeat
    is old. A process of the same role that goes on, or begins later, has another heartbeat. `now`: the wall clock.
    """
    beat = ledger.cursor(beat_of(role))
    if beat is not None:
        ledger.set_cursor(end_of(role), beat, now)


def recorded(ledger: Ledger) -> Authority | None:
    """The authority in the ledger; None if no process has ever decided."""
    body = ledger.document(DOCUMENT)
    return None if body is None else Authority(**body)


def alive(ledger: Ledger, now: datetime, lease: str) -> Authority | None:
    """The authority, if it is alive: its last cycle ended recently, or a cycle is running. `now`: the wall
    clock.
    """
    found = recorded(ledger)
    if found is None or found.role == SHELL:
        # A daemon of an earlier version has a heartbeat and no record.
        return Authority(DAEMON, "", "", "", "") if found is None and beats(ledger, DAEMON, now) else None
    if beats(ledger, found.role, now):
        return found
    if has_ended(ledger.cursors(), found.role):
        return None
    held = ledger.lease(lease)
    running = held is not None and held.holder == found.holder and held.expires_at > now
    return found if running else None


def beats(ledger: Ledger, role: str, now: datetime) -> bool:
    """Whether a cycle of this role has ended within HEARTBEAT_TIMEOUT, and the process was not stopped after that."""
    cursors = ledger.cursors()
    beat = cursors.get(beat_of(role))
    if beat is None or has_ended(cursors, role):
        return False
    return abs(now - datetime.fromisoformat(beat)) <= HEARTBEAT_TIMEOUT


def has_ended(cursors: Mapping[str, str], role: str) -> bool:
    """Whether the process of this role was stopped after its last cycle."""
    beat = cursors.get(beat_of(role))
    return beat is not None and cursors.get(end_of(role)) == beat


def describe(found: Authority) -> str:
    """The authority in words."""
    who = {DAEMON: "the daemon", WATCH: "`ops watch`"}.get(found.role, "another process")
    return f"{who} decides" + (f", with --config {found.overlay}" if found.overlay else "")


def standing(ledger: Ledger, settings: Settings, catalog: Catalog, role: str, take_over: bool = False) -> Standing:
    """The configuration and the secrets with which this process decides. The caller holds the lease."""
    own = Standing(True, settings, catalog)
    if role == DAEMON or take_over:
        return own
    before = recorded(ledger)
    # The same configuration may lie in another folder, for example on another machine.
    if before is None or before.overlay == _folder(settings) or before.config == config_digest(catalog):
        return own
    if settings.overlay is not None and before.role == SHELL:
        # A user has named a folder, and only shells have decided so far. So the configuration that was named last is
        # used.
        return own
    return _under(before, settings, catalog)


def _under(before: Authority, settings: Settings, catalog: Catalog) -> Standing:
    """The recorded configuration, read anew from its folder."""
    words = _borrowed_words(before, settings)
    folder = Path(before.overlay) if before.overlay else None
    way_out = "Give that --config, or make this configuration the recorded one with `ops cycle --take-over`"
    if folder is not None and not folder.is_dir():
        return Standing(
            False,
            settings,
            catalog,
            f"cannot decide: alerts are decided with --config {folder}, which is not there. {way_out}",
        )
    theirs = replace(settings, overlay=folder)
    try:
        return Standing(True, theirs, catalogs.load(theirs), words)
    except ConfigError as error:
        return Standing(
            False, settings, catalog, f"cannot decide: --config {folder} does not load: {error.problems[0]}. {way_out}"
        )


def _borrowed_words(before: Authority, settings: Settings) -> str:
    """Whose configuration is used for alerts in place of this process's own, and how a user changes that."""
    if settings.overlay is None:
        return (
            f"deciding under the recorded configuration (--config {before.overlay}), and not under the shipped one; "
            "to change that: ops cycle --take-over"
        )
    theirs = f"--config {before.overlay}" if before.overlay else "the shipped configuration"
    return (
        f"--config {settings.overlay} is not used for alerts, because this home decides under {theirs}; to change "
        f"that: ops --config {shlex.quote(str(settings.overlay))} cycle --take-over"
    )


def record(ledger: Ledger, role: str, holder: str, found: Standing, now: datetime) -> Standing:
    """Record which process decides now, and return the standing with every known secret. The record is written only if
    it has changed.
    """
    before = recorded(ledger)
    here = {
        name: now.isoformat() for name in secret_names(found.catalog.receivers.receivers) if found.settings.secret(name)
    }
    kept = {
        name: seen
        for name, seen in (before.secrets if before is not None else {}).items()
        if abs(now - datetime.fromisoformat(seen)) < FORGET_SECRETS and name not in here
    }
    config = config_digest(found.catalog)
    # Another process that finds the same configuration in a folder of its own leaves the folder of the daemon recorded.
    known = before is not None and role != DAEMON and before.config == config
    after = Authority(
        role=role,
        holder=holder,
        overlay=before.overlay if before is not None and known else _folder(found.settings),
        config=config,
        since=now.isoformat(),
        secrets={**kept, **here},
    )
    if before is not None and role == SHELL and before.role != SHELL and before.overlay == after.overlay:
        # A shell that decides in place of the daemon does so for one cycle. The record keeps whose configuration it is.
        after = replace(after, role=before.role, holder=before.holder, since=before.since)
    if before is None or _differs(before, after, now):
        body = asdict(after)
        ledger.put_document(DOCUMENT, body, digest(json.dumps(body, sort_keys=True)), now)
    return replace(found, secrets=frozenset(after.secrets))


def _differs(before: Authority, after: Authority, now: datetime) -> bool:
    if replace(before, since="", secrets={}) != replace(after, since="", secrets={}):
        return True
    if before.secrets.keys() != after.secrets.keys():
        return True
    oldest = min(map(datetime.fromisoformat, before.secrets.values()), default=now)
    return now - oldest > SAY_AGAIN and any(after.secrets[name] > seen for name, seen in before.secrets.items())


def _folder(settings: Settings) -> str:
    return str(settings.overlay) if settings.overlay is not None else ""


_digests: list[tuple[Catalog, str]] = []


def config_digest(catalog: Catalog) -> str:
    """A digest of the whole configuration, as it was loaded."""
    for known, name in _digests:
        if known is catalog:
            return name
    documents = {name: document.data for name, document in sorted(catalog.documents.items())}
    found = digest(json.dumps(documents, sort_keys=True, default=str))
    _digests[:] = [(catalog, found), *_digests[:1]]
    return found


def as_data(found: Authority) -> dict[str, Any]:
    """The authority as `ops status` and `ops cycle` print it, with the names of secrets and never a value."""
    return {**asdict(found), "secrets": sorted(found.secrets)}
