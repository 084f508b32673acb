"""The `ops` command: one module per noun, loaded only when it is called.

Start-up is what an operator feels at every call, so nothing but click and the settings is imported before the
command is known.
"""

from __future__ import annotations

import importlib
import sys

import click

from ops_project.settings import Settings, SettingsError

# name → (module:attribute, what the help says). The order is the order of the help.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run:run", "Land what has arrived and build what depends on it."),
    "ui": ("ui:ui", "Open the Dagster UI and its daemon on this home."),
    "status": ("status:status", "How each domain stands: last run, newest data, findings, alerts."),
    "simulate": ("simulate:simulate", "Write inbound files as the source systems would; inject faults."),
    "feed": ("feed:feed", "List feeds; try a file against its contract before it lands."),
    "sql": ("sql:sql", "Ask the newest snapshot; read-only by the engine."),
    "reconcile": ("reconcile:reconcile", "Do two tables, files or a chain of them agree, to the key?"),
    "metadata": ("metadata:metadata", "Generate and check the vault and interface models from their metadata."),
    "queries": ("queries:queries", "The operational queries of a domain: list and run."),
    "cycle": ("cycle:cycle", "Observe, decide, record and notify, once, without a daemon."),
    "watch": ("watch:watch", "Tell when the orchestrator is down, and stand in for its alert cycle."),
    "route": ("route:route", "Where would an alert go, and why."),
    "rules": ("rules:rules", "Lint the alert rules; replay the past through a change."),
    "silence": ("silence:silence", "Quiet for a while, with a reason and an owner."),
    "model": ("model:model", "Models: their versions, what serves; promote, roll back."),
    "alerts": ("alerts:alerts", "What is open, what happened, who was told and why."),
    "sla": ("sla:sla", "What is promised by when, how it stands, and its uptime."),
    "reference": ("reference:reference", "Write the reference pages from the code and the configuration."),
}

GLOBAL_OPTIONS = frozenset({"--home", "--config", "--as-of"})


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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._hoist(ctx, args))

    def _hoist(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Global options may stand anywhere: they are moved to the front, unless the command has one of that name."""
        command: click.Command = self
        for word in args:
            if isinstance(command, click.Group) and word in command.list_commands(ctx):
                command = command.get_command(ctx, word) or command
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


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", metavar="DIR", help="Where the state lies. Default: OPS_HOME, else data/ in the project.")
@click.option(
    "--config",
    "overlay",
    metavar="DIR",
    help="Contracts and configuration laid over the shipped ones. Default: OPS_CONFIG.",
)
@click.option(
    "--as-of",
    metavar="TIME",
    help="The clock: 2011-02-18 (08:00 New York) or an ISO time. Default: OPS_AS_OF, else now.",
)
@click.version_option(package_name="ops-project", prog_name="ops")
@click.pass_context
def cli(ctx: click.Context, home: str | None, overlay: str | None, as_of: str | None) -> None:
    """Run and operate the data platform."""
    try:
        ctx.obj = Settings.load(home=home, overlay=overlay, as_of=as_of)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    ctx.obj.export()
    from ops_project.process.home_overlay import left_out

    if words := left_out(ctx.obj):
        click.echo(words, err=True)


def main() -> None:
    """Entry point: configuration errors are told in lines, never as a stack trace."""
    from ops_project.model.document import ConfigError

    try:
        cli(prog_name="ops")
    except ConfigError as error:
        count = len(error.problems)
        click.echo(f"The configuration has {count} mistake{'s' if count > 1 else ''}:\n{error}", err=True)
        sys.exit(2)
