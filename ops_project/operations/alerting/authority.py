"""Which process decides about alerts, and under which configuration.

The deciding process is called the authority. The ledger records it, with the folder and digest of its configuration and
the names of the secrets that it has.

Another process (`ops run`, `ops cycle`, a person's shell) may have another configuration and other secrets. Deciding
with these would do harm. The process would resolve the alerts of rules that it does not know, and give up messages to
receivers that it does not know. It would lose the mails that it cannot send. So it only observes while the authority is
alive. If no authority is alive, it decides under the recorded configuration, or says that it cannot.
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
from ops_project.process.processes import Process
from ops_project.settings import Settings

DAEMON, WATCH, SHELL = "daemon", "watch", "shell"
DOCUMENT = "authority"
HEARTBEAT_TIMEOUT = timedelta(seconds=60)
"""An authority counts as alive if its last cycle ended within this time, or if a cycle of it is running."""
FORGET_SECRETS = timedelta(days=7)
"""A secret is no longer expected if no deciding process has had it for this long."""
SAY_AGAIN = timedelta(hours=1)


@dataclass(frozen=True)
class Authority:
    """The process that decides, as recorded in the ledger."""

    role: str
    """The role of the process: daemon, watch or shell. A shell decides for one cycle only, and never counts as alive
    afterwards.
    """
    holder: str
    overlay: str
    """The configuration folder; empty if the shipped configuration is used."""
    config: str
    """A digest of the whole configuration."""
    since: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Name of each variable that was set → when a deciding process last had it (ISO 8601)."""


@dataclass(frozen=True)
class Standing:
    """What this process may do in this cycle."""

    decides: bool
    settings: Settings
    catalog: Catalog
    """The configuration in force. It is this process's own or the recorded one."""
    words: str = ""
    """A text for people: why the process does not decide, or under which configuration it decides. Empty if it decides
    under its own.
    """
    secrets: frozenset[str] = frozenset()
    """The variables that at least one deciding process has. Messages that need them are queued, and a process that has
    them sends them.
    """

    @property
    def borrowed(self) -> bool:
        """Whether this process decides under a configuration that is not its own."""
        return bool(self.words) and self.decides


def beat_of(role: str) -> str:
    """The cursor that records when a role's last cycle ended."""
    return f"heartbeat:{role}"


def end_of(role: str) -> str:
    """The cursor that records that the process of a role was stopped cleanly. Its value is the last heartbeat of that
    process.
    """
    return f"ended:{role}"


def stopped(ledger: Ledger, role: str, now: datetime) -> None:
    """Record that the deciding process of this role was stopped cleanly. Otherwise the other processes would wait until
    its heartbeat is old. A process of the same role that continues or is started later writes a newer heartbeat, so the
    record does not concern it. `now`: the wall clock.
    """
    beat = ledger.cursor(beat_of(role))
    if beat is not None:
        ledger.set_cursor(end_of(role), beat, now)


def recorded(ledger: Ledger) -> Authority | None:
    """The authority that the ledger records; None if no process has ever decided about alerts."""
    body = ledger.document(DOCUMENT)
    return None if body is None else Authority(**body)


def alive(ledger: Ledger, now: datetime, lease: str) -> Authority | None:
    """The authority if it is alive, otherwise None. It is alive if its last cycle ended recently, or if a cycle of it
    is running. A process of this machine that no longer exists is not alive, however it ended. `now`: the wall clock.
    """
    found = recorded(ledger)
    process = Process.parse(found.holder) if found is not None else None
    # A process of another boot may run on another machine that uses the same ledger, so it is not taken for ended.
    if process is not None and process.visible() and not process.alive():
        return None
    if found is None or found.role == SHELL:
        # A daemon of an earlier version has written a heartbeat but no record.
        return Authority(DAEMON, "", "", "", "") if found is None and beats(ledger, DAEMON, now) else None
    if beats(ledger, found.role, now):
        return found
    if has_ended(ledger.cursors(), found.role):
        return None
    held = ledger.lease(lease)
    running = held is not None and held.holder == found.holder and held.expires_at > now
    return found if running else None


def beats(ledger: Ledger, role: str, now: datetime) -> bool:
    """Whether a cycle of this role ended within HEARTBEAT_TIMEOUT, and the process was not stopped afterwards."""
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
    """Whether this process decides, and with which configuration and secrets. The caller holds the lease."""
    own = Standing(True, settings, catalog)
    if role == DAEMON or take_over:
        return own
    before = recorded(ledger)
    # The same configuration may lie in another folder, for example on another machine.
    if before is None or before.overlay == _folder(settings) or before.config == config_digest(catalog):
        return own
    if settings.overlay is not None and before.role == SHELL:
        # The user has named a folder, and only shells have decided so far. So the folder that was named last applies.
        return own
    return _under(before, settings, catalog)


def _under(before: Authority, settings: Settings, catalog: Catalog) -> Standing:
    """Decide under the recorded configuration, which is read again from its folder. If it cannot be read, this process
    does not decide.
    """
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
    """Which configuration is used for alerts in place of this process's own, and how a user changes that."""
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
    it differs from the present record.
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
    # If another process finds the same configuration in a folder of its own, the recorded folder remains that of the
    # daemon.
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
        # A shell that stands in for the daemon decides for one cycle only. So the record keeps naming the process whose
        # configuration is used.
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
    """A digest of the whole configuration as it was loaded."""
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
