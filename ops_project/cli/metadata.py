"""`ops metadata`: generates and checks the vault and the interface layer, which follow from metadata tables."""

from __future__ import annotations

from pathlib import Path

import click

from ops_project import catalog as catalogs
from ops_project.cli.output import console, emit, json_option, table
from ops_project.cli.text_file import text_of
from ops_project.model.document import ConfigError, ConfigProblem
from ops_project.model.feed.feed import Feed
from ops_project.model.metadata import Metadata
from ops_project.pipeline.vault_generator import drift, generation, tables
from ops_project.settings import CONFIG_DIR, DBT_PROJECT_DIR, Settings

FOLDER = "metadata"
models_option = click.option(
    "--models",
    type=click.Path(file_okay=False, path_type=Path),
    default=DBT_PROJECT_DIR / "models",
    metavar="DIR",
    help="The folder of dbt models. Default: the project's.",
)
domain_option = click.option("--domain", default="marketing", show_default=True, help="The domain of the metadata.")


@click.group()
def metadata() -> None:
    """Show the entities, attributes and mappings; generate the vault and the interface layer from them."""


@metadata.command()
@domain_option
@models_option
@json_option
@click.pass_obj
def generate(settings: Settings, domain: str, models: Path, as_json: bool) -> None:
    """Write the dbt files that follow from the metadata. Remove files that the metadata no longer asks for."""
    expected = generation.generate(*load(settings, domain))
    found = read_models(models, domain)
    written = sorted(path for path, text in expected.items() if found.get(path) != text)
    removed = sorted(found.keys() - expected.keys())
    for path in written:
        (models / path).parent.mkdir(parents=True, exist_ok=True)
        (models / path).write_text(expected[path], encoding="utf-8")
    for path in removed:
        (models / path).unlink()
    answer = {"written": written, "removed": removed, "unchanged": len(expected) - len(written)}
    emit(as_json, answer, lambda: console.print(_told(written, removed, len(expected) - len(written))))


@metadata.command()
@domain_option
@models_option
@json_option
@click.pass_context
def check(ctx: click.Context, domain: str, models: Path, as_json: bool) -> None:
    """Fail if the metadata and the dbt files differ, or if a row of the metadata is wrong."""
    problems: list[ConfigProblem]
    try:
        meta, feeds = load(ctx.obj, domain)
        problems = drift.drift(generation.generate(meta, feeds), read_models(models, domain))
    except ConfigError as error:
        problems = list(error.problems)
    rows = [{"file": item.file, "line": item.line, "message": item.message} for item in problems]

    def render() -> None:
        for problem in problems:
            console.print(str(problem), markup=False, soft_wrap=True)
        console.print(f"{len(problems)} problems" if problems else f"{domain}: metadata and dbt files agree")

    emit(as_json, {"domain": domain, "ok": not problems, "problems": rows}, render)
    ctx.exit(1 if problems else 0)


@metadata.command()
@domain_option
@click.argument("name")
@json_option
@click.pass_obj
def show(settings: Settings, domain: str, name: str, as_json: bool) -> None:
    """Show the rows of NAME: a table, or table.column as in the column `mapping` of interface_rejects."""
    meta, _ = load(settings, domain)
    rows = _rows(meta, name)
    if not rows:
        names = ", ".join(item.entity for item in meta.entities)
        raise click.ClickException(f"nothing in the metadata of {domain} is called {name!r}; tables: {names}")
    emit(as_json, rows, lambda: console.print(table(["row", "what it says"], [(r["row"], r["text"]) for r in rows])))


def load(settings: Settings, domain: str) -> tuple[Metadata, dict[str, Feed]]:
    """The metadata and the contracts of a domain. A metadata table of the overlay is used in place of the
    shipped one.
    """
    catalog = catalogs.load(settings)
    if domain not in catalog.domain_ids():
        raise click.UsageError(f"unknown domain {domain[:80]!r}; valid: {', '.join(catalog.domain_ids())}")
    paths = {name: catalog.config_file(f"{FOLDER}/{domain}/{name}.csv") for name in tables.TABLES}
    missing = [path for path in paths.values() if not path.is_file()]
    if missing:
        raise ConfigError([ConfigProblem(str(path), 1, "this metadata table does not exist") for path in missing])
    texts = {name: text_of(path) for name, path in paths.items()}
    files = {name: _shown(path) for name, path in paths.items()}
    return tables.read(domain, texts, files), {feed.name: feed for feed in catalog.feeds_of(domain)}


def read_models(models: Path, domain: str) -> dict[str, str]:
    """Path → text of the files that lie in the generator's folders."""
    return {
        path.relative_to(models).as_posix(): text_of(path)
        for folder in generation.FOLDERS
        for path in sorted((models / domain / folder).rglob("*"))
        if path.suffix in (".sql", ".yml")
    }


def _shown(path: Path) -> str:
    return path.relative_to(CONFIG_DIR.parent.parent).as_posix() if path.is_relative_to(CONFIG_DIR) else str(path)


def _told(written: list[str], removed: list[str], unchanged: int) -> str:
    lines = [f"wrote {path}" for path in written] + [f"removed {path}" for path in removed]
    return "\n".join([*lines, f"{len(written)} written, {len(removed)} removed, {unchanged} unchanged"])


def _rows(meta: Metadata, name: str) -> list[dict[str, str]]:
    owner, _, column = name.partition(".")
    result = [
        {"row": f"{meta.files['entities']}:{item.line}", "text": f"{item.kind}: {item.description}"}
        for item in meta.entities
        if item.entity == owner and not column
    ]
    result += [
        {
            "row": f"{meta.files['attributes']}:{item.line}",
            "text": f"{item.attribute} ({item.role}) from {item.feed or 'no feed'}.{item.source_column}",
        }
        for item in meta.attributes_of(owner)
        if column in ("", item.attribute)
    ]
    return result + [
        {
            "row": f"{meta.files['mappings']}:{item.line}",
            "text": f"{item.target_column} {item.data_type}{' mandatory' if item.mandatory else ''} "
            f"from {item.source}.{item.source_column}{' by ' + item.rule if item.rule else ''}",
        }
        for item in meta.mappings_of(owner)
        if column in ("", item.target_column)
    ]
