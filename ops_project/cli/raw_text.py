"""Decides who may read the raw text of refused rows, and names the feeds for which everybody may."""

from __future__ import annotations

import click

from ops_project.masking import mask
from ops_project.settings import Settings, account

ROLE = "raw-data"


def plain_feeds(settings: Settings) -> frozenset[str]:
    """The feeds whose contracts name no personal column; everybody may read their raw text. Empty if the configuration
    cannot be read.
    """
    from ops_project.catalog import ConfigError
    from ops_project.catalog import load as load_catalog

    try:
        feeds = load_catalog(settings).feeds
    except ConfigError:
        return frozenset()
    return frozenset(name for name, feed in feeds.items() if not feed.personal_columns())


def permit(settings: Settings, by: str, why: str, query: str) -> None:
    """Record in the audit log that `by` asks for the raw text, then check that `by` may read it. Raises ClickException
    if `by` may not.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.operations.ledger import open_ledger

    if not why.strip():
        raise click.UsageError("--unmasked shows personal data: say with --why what it is needed for")
    owners = load_catalog(settings).owners
    people = owners.people_of(f"role:{ROLE}")
    allowed = by in people or any(owners.people[person].email == by for person in people)
    user = account()
    detail = why if user == by else f"{why} (user {user})"
    outcome = "done" if allowed else "refused"
    open_ledger(settings).audit(
        settings.now(),
        who=by,
        source="shell",
        action="read unmasked",
        subject=mask(query),
        outcome=outcome,
        detail=mask(detail),
    )
    if not allowed:
        who = f"is filled by {', '.join(people)}" if people else "is filled by nobody"
        raise click.ClickException(
            f"{by} may not read raw text: the role {ROLE} in owners.yaml {who}. Say who you are with --by, or ask one "
            "of them. The attempt is recorded in the audit log."
        )
