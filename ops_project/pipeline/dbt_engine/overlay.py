"""Makes one dbt project from the shipped project and the models, macros and tests of a configuration folder (the
overlay). dbt reads only one project folder. So a folder with the files of both is made, once for each content. It lies
in the `target/` folder of the shipped project, whose own files do not change. This module does not know Dagster.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ops_project.catalog import DBT_FOLDERS, Catalog
from ops_project.pipeline.dbt_engine.manifest import FILES, FOLDERS, MADE, PROJECT, content_key
from ops_project.process.removal import remove_folder
from ops_project.settings import DBT_PROJECT_DIR

KEEP = 6
LAYERS = {"staging": "silver", "intermediate": "silver", "silver": "silver", "marts": "gold", "gold": "gold"}
"""Folder below `models/<domain>` → the schema in which the models of this folder are built."""


def project_dir(catalog: Catalog) -> Path:
    """The folder that dbt runs from: the shipped project, or a folder that also holds the files of the overlay."""
    files = _files(catalog.overlay)
    if not files:
        return DBT_PROJECT_DIR
    sources = _sources(catalog, files)
    digest = hashlib.sha256(content_key(DBT_PROJECT_DIR).encode())
    for relative, path in files.items():
        digest.update(f"{relative}\0".encode() + path.read_bytes())
    digest.update(repr(sorted(sources.items())).encode())
    folder = DBT_PROJECT_DIR / "target" / MADE / digest.hexdigest()[:16]
    if not folder.is_dir():
        _make(folder, files, sources)
        _prune(folder)
    return folder


def _files(overlay: Path | None) -> dict[str, Path]:
    """Relative path → file, for the files of the overlay that dbt reads."""
    if overlay is None:
        return {}
    return {
        path.relative_to(overlay).as_posix(): path
        for name in DBT_FOLDERS
        for path in sorted((overlay / name).rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def _sources(catalog: Catalog, files: Mapping[str, Path]) -> dict[str, list[dict[str, Any]]]:
    """Domain → its landed tables as dbt sources, for each domain of the overlay that declares no sources itself."""
    found = {}
    for domain in _domains(files):
        declared = any(
            b"sources:" in path.read_bytes()
            for relative, path in files.items()
            if relative.startswith(f"models/{domain}/") and path.suffix in (".yml", ".yaml")
        )
        feeds = catalog.feeds_of(domain)
        if feeds and not declared and not (DBT_PROJECT_DIR / "models" / domain).is_dir():
            found[domain] = [
                {
                    "name": feed.name,
                    "description": feed.description or f"Landed rows of the feed {feed.name}.",
                    "columns": [
                        {"name": name, "data_type": column.sql_type} for name, column in feed.bronze_columns().items()
                    ],
                }
                for feed in feeds
            ]
    return found


def _domains(files: Mapping[str, Path]) -> list[str]:
    return sorted({relative.split("/")[1] for relative in files if relative.startswith("models/")})


def _make(folder: Path, files: Mapping[str, Path], sources: Mapping[str, list[dict[str, Any]]]) -> None:
    partial = folder.with_name(f".partial-{folder.name}-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for name in FOLDERS:
            if (DBT_PROJECT_DIR / name).is_dir():
                shutil.copytree(DBT_PROJECT_DIR / name, partial / name)
        for name in FILES:
            if (DBT_PROJECT_DIR / name).is_file():
                shutil.copy2(DBT_PROJECT_DIR / name, partial / name)
        for relative, path in files.items():
            (partial / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, partial / relative)
        _configure(partial, _domains(files))
        for domain, tables in sources.items():
            body = {"sources": [{"name": "bronze", "schema": "bronze", "tables": tables}]}
            target = partial / "models" / domain / "_landed.yml"
            target.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():  # Another process has made the same folder meanwhile.
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _configure(project: Path, domains: list[str]) -> None:
    """Give new domains the schemas and tags that the shipped domains have in dbt_project.yml."""
    body = yaml.safe_load((project / PROJECT).read_text(encoding="utf-8"))
    models = body["models"][body["name"]]
    for domain in domains:
        if domain not in models:
            models[domain] = {"+meta": {"domain": domain}} | {
                name: {"+schema": schema, "+tags": [domain, schema], "+meta": {"layer": schema}}
                for name, schema in LAYERS.items()
                if (project / "models" / domain / name).is_dir()
            }
    (project / PROJECT).write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")


def _prune(kept: Path) -> None:
    """Remove all but the newest folders. Several are kept, because a run with another configuration may still read its
    own folder.
    """
    others = [path for path in kept.parent.iterdir() if path != kept and not path.name.startswith(".")]
    for path in sorted(others, key=lambda path: path.stat().st_mtime)[: -(KEEP - 1)]:
        remove_folder(path)
