"""The option --by, and OPS_USER in its place: the person in whose name a command acts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ops_project.cli.output import errors
from ops_project.nearest import did_you_mean
from ops_project.settings import Settings, account, current_user, given_user
from ops_project.visible import visible_line

if TYPE_CHECKING:
    from ops_project.model.owner import Owners


def by_option(words: str, *, unattended: bool = False) -> Callable[[Any], Any]:
    """The option --by, described by `words`. It takes the id or the e-mail of a person, and gives the id.

    If OPS_USER does not name a person of owners.yaml, the command is refused. A command that runs `unattended` is not
    refused: it prints what is wrong, and continues.
    """
    # It is eager, so that a wrong name is reported before a missing argument, wherever the name comes from.
    known = partial(_known, unattended=unattended)
    return click.option(
        "--by", default=current_user, show_default="the user", callback=known, is_eager=True, help=words
    )


def person_of(owners: Owners, name: str, option: str) -> str:
    """The id of the person whom `name` names by id or by e-mail. Raises UsageError if there is no such person."""
    found = owners.people_of(name)
    if len(found) == 1 and not name.startswith("team:"):
        return found[0]
    people = sorted(owners.people)
    raise click.UsageError(
        f"{option} {name!r} is not a person of owners.yaml{did_you_mean(name, people)}; valid: {', '.join(people)}"
    )


def _known(ctx: click.Context, _param: click.Parameter, value: str, *, unattended: bool) -> str:
    if ctx.get_parameter_source("by") is ParameterSource.COMMANDLINE:
        return _person(ctx, value, "--by")
    if not given_user():
        # The account of the system is recorded as it is: it cannot be a mistyped name.
        return value
    try:
        return _person(ctx, value, "OPS_USER")
    except click.UsageError as error:
        if not unattended:
            raise
        recorded = value if value.strip() else visible_line(account())
        errors.print(f"{error.message}. {recorded!r} is recorded.", markup=False, soft_wrap=True)
        return recorded


def _person(ctx: click.Context, value: str, option: str) -> str:
    if not value.strip():
        raise click.UsageError(f"{option} is empty: give the id of a person of owners.yaml")
    from ops_project.catalog import ConfigError
    from ops_project.catalog import load as load_catalog

    settings = ctx.find_object(Settings)
    assert settings is not None
    try:
        owners = load_catalog(settings).owners
    except ConfigError:
        # The configuration may be the very thing that is broken. An acknowledgement or a restore must be possible even
        # then.
        return value
    if settings.watched is not None and value in _named(settings):
        return value
    return person_of(owners, value, option)


def _named(settings: Settings) -> set[str]:
    """The people whom the assets of a watched project name as their owners."""
    from ops_project.operations.ledger import open_ledger
    from ops_project.operations.ledger.lineage_document import recall

    facts = recall(open_ledger(settings)).assets.values()
    return {owner for fact in facts for owner in fact.owners if "@" in owner}
