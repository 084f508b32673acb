"""The `ops` command. Each subcommand lies in a module named after its subject, and the module is loaded only when the
subcommand is called.

Every call has to wait for the start-up. So only click and the settings are imported before the subcommand is known.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from ops_project.cli import faults
from ops_project.process import collector
from ops_project.settings import TIME_FORMS, Settings
from ops_project.visible import visible_line

# Name → (module:attribute, the line in the help). The help lists the commands in this order.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run:run", "Land new files and build the tables that depend on them."),
    "ui": ("ui:ui", "Open the Dagster UI and its daemon on this home."),
    "status": ("status:status", "Show the state of each domain: last run, newest data, findings, alerts."),
    "simulate": ("simulate:simulate", "Write inbound files as the source systems would; inject faults."),
    "feed": ("feed:feed", "List feeds; try a file against its contract before it lands."),
    "sql": ("sql:sql", "Query the newest snapshot; the engine allows only reading."),
    "diagnose": (
        "diagnose:diagnose",
        "Find where a problem began: the likely cause, the chain of tables, other suspects.",
    ),
    "lineage": ("lineage:lineage", "Show which columns a column comes from, or goes to; as a tree or a picture."),
    "reconcile": ("reconcile:reconcile", "Compare two tables, two files or a chain of tables, down to the key."),
    "metadata": ("metadata:metadata", "Generate and check the vault and interface models from their metadata."),
    "queries": ("queries:queries", "List the operational queries of a domain, and run them."),
    "cycle": ("cycle:cycle", "Observe, decide, record and notify, once, without a daemon."),
    "watch": ("watch:watch", "Report when the orchestrator is down, and run the alert cycle in its place."),
    "route": ("route:route", "Show where an alert would go, and why."),
    "rules": ("rules:rules", "Check the alert rules; show what a changed rule would have sent."),
    "silence": ("silence:silence", "Silence alerts for a limited time, with a reason and an owner."),
    "model": ("model:model", "List the versions of the models and the one in use; promote, roll back."),
    "alerts": ("alerts:alerts", "Show open and past alerts: what happened, who was told, and why."),
    "sla": ("sla:sla", "Show the service levels: deadlines, state and uptime."),
    "incidents": (
        "incidents:incidents",
        "Show and handle incidents: who works on them, their timeline and post-mortem.",
    ),
    "runbook": ("runbook:runbook", "List and show runbooks, and run their diagnostic steps, which only read."),
    "serve": ("serve:serve", "Serve the console, and the pages that the links in messages open."),
    "report": ("report:report", "Make reports on a day, week, month or quarter; send them to their readers."),
    "hold": ("hold:hold", "Stop building the tables downstream of a table, or those of a domain."),
    "release": ("hold:release", "End a hold, and build what was skipped."),
    "checklist": ("checklist:checklist", "Evaluate the daily, weekly and monthly checklists."),
    "rerun": ("rerun:rerun", "Run again what a run did not finish."),
    "backfill": ("backfill:backfill", "Plan, then build past business dates again."),
    "rollback": ("rollback:rollback", "Rehearse, then go back to an earlier version of the code."),
    "replay": ("replay:replay", "Try rows in quarantine again, under the present contract."),
    "restore": ("restore:restore", "Plan, then restore tables or the whole warehouse from a snapshot."),
    "archive": ("archive:archive", "Compare archived files with the hashes that they were archived with."),
    "backup": ("backup:backup", "Take, prove, list and restore backups of the home."),
    "drill": ("drill:drill", "Practise a loss and measure what it would cost."),
    "oncall": ("oncall:oncall", "Show who is on call; swaps, overrides, the calendar and its fairness."),
    "owners": ("people:owners", "Show who owns which pipeline, and whether every owner can be reached."),
    "raci": ("people:raci", "Show who is responsible, accountable, consulted and informed."),
    "escalation": ("people:escalation", "Show who would be told next while an alert is not acknowledged."),
    "config": ("config:config", "Show the configuration that is in force, and how it differs from the shipped one."),
    "reference": ("reference:reference", "Write the reference pages from the code and the configuration."),
}

GLOBAL_OPTIONS = frozenset({"--home", "--config", "--as-of"})
HELP = ("-h", "--help")
# The content of a home is private: only its owner and the group may read it.
UMASK = 0o027
WORDS = "ops.words"
"""The key under which click's context holds the words of the called command, for example ("feed", "check")."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(f"ops_project.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Like click's method, but every error is one line, and Ctrl-C ends the command with exit code 130."""
        call = super().main
        if not standalone_mode:
            return call(args, prog_name, complete_var, False, **extra)
        loaded: list[Settings] = []
        extra["obj"] = loaded
        code = faults.ended(
            lambda: call(args, prog_name or "ops", complete_var, False, **extra),
            lambda: loaded[0] if loaded else None,
        )
        sys.exit(code)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for word in args:
            _require_text(word)
        return super().parse_args(ctx, self._hoist(ctx, args))

    def _hoist(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move the global options to the front, because they may stand anywhere in the command line. An option stays in
        its place if the command has an option of the same name.
        """
        command: click.Command = self
        path: list[str] = []
        for word in args:
            if isinstance(command, click.Group) and word in command.list_commands(ctx):
                command = command.get_command(ctx, word) or command
                path.append(word)
        ctx.meta[WORDS] = tuple(path)
        own = {name for param in command.params for name in param.opts} if command is not self else set()
        movable = GLOBAL_OPTIONS - own
        front: list[str] = []
        rest: list[str] = []
        words = iter(args)
        for word in words:
            if word == "--":
                rest += [word, *words]
            elif word in movable:
                front += [word, *([value] if (value := next(words, None)) is not None else [])]
            elif word.split("=", 1)[0] in movable:
                front.append(word)
            else:
                rest.append(word)
        return front + rest

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _require_text(word: str) -> None:
    """Raises UsageError for a word that is not UTF-8, because no store accepts such bytes. A word that is the name of
    an existing file is allowed.
    """
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        if not os.path.lexists(word) and not os.path.lexists(word.partition("=")[2]):
            raise click.UsageError(
                f"{visible_line(word)!r} contains bytes that are not UTF-8 text, and no file has this name"
            ) from None


@click.command(cls=LazyGroup, context_settings={"help_option_names": list(HELP)})
@click.option(
    "--home", metavar="DIR", help="The folder that holds the state. Default: OPS_HOME, or else data/ in the project."
)
@click.option(
    "--config",
    "overlay",
    metavar="DIR",
    help="A folder with contracts and configuration that replace the shipped ones. Default: OPS_CONFIG.",
)
@click.option(
    "--as-of",
    metavar="TIME",
    help=f"The clock: {TIME_FORMS}. Default: OPS_AS_OF, or else now.",
)
@click.version_option(package_name="ops-project", prog_name="ops")
@click.pass_context
def cli(ctx: click.Context, home: str | None, overlay: str | None, as_of: str | None) -> None:
    """Run and operate the data platform."""
    settings = Settings.load(home=home, overlay=overlay, as_of=as_of)
    if isinstance(ctx.obj, list):
        ctx.obj.append(settings)
    ctx.obj = settings
    os.umask(UMASK)
    if not any(word in HELP for word in ctx.args):
        from ops_project.cli.home import require
        from ops_project.cli.roles import require as require_role

        words = ctx.meta.get(WORDS, ())
        require(settings, words, named=settings.home != Settings.load(environ={}).home)
        require_role(settings, words)
        _tell_lost(settings, words)
    settings.export()
    from ops_project.process.home_overlay import left_out

    if words := left_out(settings):
        faults.say(words)


def _tell_lost(settings: Settings, words: tuple[str, ...]) -> None:
    """Warn if a file of Dagster's storage was emptied or is gone. The warning comes before the command runs, because
    the command may create a new storage. An emptied ledger needs no warning here: opening it is refused.
    """
    from ops_project.cli.home import Use, use_of
    from ops_project.dagster_bridge.storage_damage import lost_storage

    # `ops status` says the same in its answer.
    if use_of(words) is not Use.NONE and words != ("status",) and (told := lost_storage(settings)):
        faults.say(told)


def main() -> None:
    """The entry point of the command `ops`."""
    _stand_in_streams()
    collector.search_seldom()
    cli(prog_name="ops")


def _stand_in_streams() -> None:
    """If this process was started without standard input, output or error, open the null device in its place. Otherwise
    the next file that is opened would get the number of the missing stream, and the output of a library would be
    written into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # A new file gets the lowest free number. All lower numbers are in use, so the new file gets the number of
            # this stream.
            os.open(os.devnull, os.O_RDWR)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
