"""`ops model`: list the versions, show which one is in use, and change it by hand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from ops_project.cli.output import console, emit, json_option, table
from ops_project.settings import Settings

MODEL_NAMES = ("segmentation", "churn", "recommendations")
name_argument = click.argument("name", type=click.Choice(MODEL_NAMES), metavar="MODEL")


@click.group()
def model() -> None:
    """List and show model versions; promote one, or roll back."""


def _registry(settings: Settings) -> Any:
    from ops_project.pipeline.learning.registry import Registry

    return Registry(settings.models, settings.registry_url)


def _versions(settings: Settings, names: tuple[str, ...]) -> list[Any]:
    registry = _registry(settings)
    return [version for name in names for version in registry.versions(name)]


@model.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List every version of every model, the newest first, with its state."""
    found = _versions(settings, MODEL_NAMES)
    data = [
        {
            "model": item.model,
            "version": item.version,
            "status": item.status,
            "trained_as_of": item.trained_as_of,
            "reason": item.tags.get("reason"),
            "metrics": item.metrics,
        }
        for item in found
    ]
    columns = ("model", "version", "status", "trained as of", "reason", "message")
    rows = [
        (i.model, i.version, i.status, _time(i.trained_as_of), i.tags.get("reason"), i.tags.get("message"))
        for i in found
    ]
    empty = "No model yet: models are trained by the nightly run, as soon as there is enough history."
    emit(as_json, data, lambda: console.print(table(columns, rows) if rows else empty))


def _time(written: str) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


@model.command()
@name_argument
@click.option("--version", help="Default: the version in use, or else the newest.")
@json_option
@click.pass_obj
def show(settings: Settings, name: str, version: str | None, as_json: bool) -> None:
    """Show the metrics, parameters, data and code of a version."""
    known = _versions(settings, (name,))
    chosen = [item for item in known if version in (None, item.version)]
    if not chosen:
        valid = ", ".join(item.version for item in known) or "none"
        raise click.ClickException(f"{name} has no version{f' {version}' if version else ''}; valid: {valid}")
    item = chosen[0] if version else next((item for item in chosen if item.status == "serving"), chosen[0])
    data = asdict(item)
    rows = [
        ("status", item.status),
        ("trained as of", item.trained_as_of),
        ("sha256", item.sha256),
        ("MLflow run", item.run_id),
        *sorted(item.tags.items()),
        *((key, f"{value:.4f}") for key, value in sorted(item.metrics.items())),
        *sorted(item.parameters.items()),
    ]
    emit(as_json, data, lambda: console.print(table(("", f"{name} {item.version}"), rows)))


@model.command()
@name_argument
@click.argument("version")
@json_option
@click.pass_obj
def promote(settings: Settings, name: str, version: str, as_json: bool) -> None:
    """Use VERSION from the next run on, whatever the evaluation of the version decided."""
    from ops_project.pipeline.learning.registry import RegistryError

    try:
        _registry(settings).promote(name, version, "promoted by hand")
    except RegistryError as error:
        raise click.ClickException(str(error)) from None
    _done(as_json, name, version, "serves from the next run on")


@model.command()
@name_argument
@json_option
@click.pass_obj
def rollback(settings: Settings, name: str, as_json: bool) -> None:
    """Use the previous version again from the next run on."""
    from ops_project.pipeline.learning.registry import RegistryError

    try:
        version = _registry(settings).rollback(name)
    except RegistryError as error:
        raise click.ClickException(str(error)) from None
    _done(as_json, name, version, "serves again from the next run on")


def _done(as_json: bool, name: str, version: str, what: str) -> None:
    emit(
        as_json,
        {"model": name, "serving": version},
        lambda: console.print(f"Version {version} of {name} {what}."),
    )
