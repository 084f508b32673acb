"""Knows which commands change something, and whether the role of the user allows the one that was called."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ops_project.settings import Settings

# The commands that change data, alerts, incidents or on-call duty. Every other command only reads, or writes only to a
# place that the user names.
ACTS = frozenset(
    {
        "run",
        "rerun",
        "backfill",
        "rollback",
        "replay",
        "restore",
        "backup create",
        "backup verify",
        "backup restore",
        "drill recovery",
        "simulate",
        "cycle",
        "feed confirm",
        "feed replay",
        "metadata generate",
        "silence add",
        "silence expire",
        "model promote",
        "model rollback",
        "alerts ack",
        "alerts resolve",
        "alerts verdict",
        "incidents ack",
        "incidents unack",
        "incidents take",
        "incidents resolve",
        "incidents note",
        "incidents postmortem",
        "runbook run",
        "hold",
        "release",
        "checklist answer",
        "checklist run",
        "archive verify",
        "oncall override",
        "oncall swap",
        "oncall take",
    }
)


def require(settings: Settings, words: Sequence[str]) -> None:
    """Refuse a command that the user's role does not allow, and record the refusal. Raises ClickException."""
    command = " ".join(words)
    if command not in ACTS:
        return
    from ops_project.catalog import ConfigError
    from ops_project.catalog import load as load_catalog

    try:
        roles = load_catalog(settings).roles
    except ConfigError:
        return  # The command itself reports what is wrong with the configuration.
    user = settings.user
    name = roles.of(user)
    if roles.roles[name].allows(command):
        return
    _write_down(settings, user, command, name)
    able = [role for role, found in roles.roles.items() if found.allows(command)]
    raise click.ClickException(
        f"{user} has the role {name}, which may not call `ops {command}`; {' or '.join(able) or 'no role'} may "
        "(roles.yaml). The attempt is recorded in the audit log."
    )


def _write_down(settings: Settings, user: str, command: str, role: str) -> None:
    from ops_project.failures import Unusable
    from ops_project.operations.ledger import open_ledger

    try:
        open_ledger(settings).audit(
            settings.now(),
            who=user,
            source="shell",
            action=command,
            subject="command",
            outcome="refused",
            detail=f"role {role}",
        )
    except Unusable as error:
        raise click.ClickException(
            f"{user} may not call `ops {command}`, and the attempt cannot be recorded: {error}"
        ) from None
