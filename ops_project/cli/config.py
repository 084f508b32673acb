"""`ops config`: the configuration that is in force, where each part of it comes from, and how it differs from the
shipped one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ops_project.cli.output import console, emit, json_option, table, write_out
from ops_project.model.document import Document, Place
from ops_project.settings import PROJECT_ROOT, Settings


@click.group()
def config() -> None:
    """Show the configuration that is in force, where each part comes from, and how it differs from the shipped one."""


@config.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--origin", is_flag=True, help="Show each value with the file and line that it comes from.")
@json_option
@click.pass_obj
def show(settings: Settings, files: tuple[str, ...], origin: bool, as_json: bool) -> None:
    """Show the configuration that is in force: the shipped files, and over them the files of --config. FILE: for
    example `rules.yaml`.
    """
    from ops_project.catalog import load as load_catalog

    documents = load_catalog(settings).documents
    chosen = {name: documents[name] for name in _chosen(files, documents)}
    if origin or as_json:
        rows = [
            {"file": name, "key": key, "value": value, "origin": place}
            for name, document in chosen.items()
            for key, value, place in _leaves(document)
        ]
        columns = ("file", "key", "value", "origin")
        emit(as_json, rows, lambda: console.print(table(columns, [list(row.values()) for row in rows])))
        return
    import yaml

    for name, document in chosen.items():
        write_out(f"# {name}: {', '.join(_files(document))}")
        write_out(yaml.safe_dump(document.data, sort_keys=False, allow_unicode=True, width=120), end="")


@config.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@json_option
@click.pass_obj
def diff(settings: Settings, files: tuple[str, ...], as_json: bool) -> None:
    """Show what --config changes compared with the shipped files: each value that is added, changed or left out."""
    from ops_project.catalog import load as load_catalog
    from ops_project.catalog import shipped

    documents = load_catalog(settings).documents
    before = shipped()
    rows = []
    for name in _chosen(files, {**before, **documents}):
        theirs = {key: value for key, value, _ in _leaves(before[name])} if name in before else {}
        ours = {key: (value, place) for key, value, place in _leaves(documents[name])} if name in documents else {}
        for key in dict.fromkeys([*theirs, *ours]):
            was, now = theirs.get(key), ours.get(key, (None, ""))
            if key in theirs and key in ours and was == now[0]:
                continue
            what = "added" if key not in theirs else "left out" if key not in ours else "changed"
            rows.append({"file": name, "what": what, "key": key, "shipped": was, "now": now[0], "origin": now[1]})

    def render() -> None:
        if not rows:
            console.print("Nothing differs from the shipped configuration.")
            return
        columns = ("file", "what", "key", "shipped", "now", "origin")
        console.print(table(columns, [list(row.values()) for row in rows]))

    emit(as_json, rows, render)


def _chosen(files: tuple[str, ...], documents: dict[str, Document]) -> list[str]:
    """The files that were asked for; all files if none was named. Raises UsageError, which lists the valid names."""
    wanted = [name if name.endswith(".yaml") else f"{name}.yaml" for name in files]
    for name in wanted:
        if name not in documents:
            raise click.UsageError(f"there is no file {name!r}; valid: {', '.join(sorted(documents))}")
    return wanted or sorted(documents)


def _files(document: Document) -> list[str]:
    return list(dict.fromkeys([document.file, *document.files.values()]))


def _leaves(document: Document) -> Iterator[tuple[str, Any, str]]:
    """One tuple for every value: (dotted key, value, file:line). The key of an item of a list contains the item's text
    in place of its position.
    """
    yield from _below(document, (), document.data)


def _below(document: Document, loc: tuple[str | int, ...], value: Any) -> Iterator[tuple[str, Any, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _below(document, (*loc, key), item)
        return
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            place = document.place((*loc, index))
            yield f"{'.'.join(map(str, loc))}[{_short(item)}]", _short(item), _where(place)
        return
    yield ".".join(map(str, loc)), value, _where(document.place(loc))


def _where(place: Place) -> str:
    """File and line, for people. The path of a shipped file starts at the project's folder. Any other path starts at
    the current folder if the file lies below it, and is absolute otherwise.
    """
    path = Path(place.file)
    for root in (PROJECT_ROOT, Path.cwd()):
        if path.is_relative_to(root):
            path = path.relative_to(root)
            break
    return f"{path}:{place.line}"


def _short(item: Any) -> str:
    if isinstance(item, dict):
        return ", ".join(f"{key}: {_short(value)}" for key, value in item.items())
    return f"[{', '.join(map(_short, item))}]" if isinstance(item, list) else str(item)
