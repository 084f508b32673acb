"""Samples of duplicates: keys that a file repeats, and keys that a table repeats. Personal values are masked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ops_project.column_lineage import Column
from ops_project.counted import counted
from ops_project.defs.operations.evidence.snapshot import asked, line, newest
from ops_project.masking import mask
from ops_project.operations.diagnosis.diagnose import known_columns, troubles
from ops_project.operations.diagnosis.evidence import Item, Scene
from ops_project.pipeline.warehouse.snapshots import Snapshot
from ops_project.sql_text import identifier, literal, relation

KIND = "key_violation"
SAMPLES, LISTED_ASSETS = 3, 4
HIDDEN = "***"


def items_of_duplicates(scene: Scene) -> Iterator[Item]:
    """For files: the duplicates that landing noted. For tables with repeated keys: the keys that repeat in the newest
    snapshot.
    """
    snapshot = newest(scene)
    if snapshot is None:
        return
    yield from _of_files(scene, snapshot)
    wrong = [trouble for trouble in troubles(scene.ledger) if trouble.failure_class == KIND]
    said: dict[str, str] = {}
    for trouble in wrong:
        words = f"{trouble.column} {trouble.check} {trouble.message}"
        said[trouble.asset] = f"{said.get(trouble.asset, '')} {words}"
    for asset in [asset for asset in scene.assets if asset in said][:LISTED_ASSETS]:
        yield from _of_table(scene, snapshot, asset, said[asset])


def _of_files(scene: Scene, snapshot: Snapshot) -> Iterator[Item]:
    feeds = [asset.partition("/")[2] for asset in scene.assets if asset.startswith("bronze/")]
    names = ", ".join(literal(feed) for feed in feeds if feed in scene.catalog.feeds)
    if not names:
        return
    wanted = f"batch_id = {literal(scene.batch_id)}" if scene.batch_id else "state = 'open'"
    for feed, file, evidence in asked(
        snapshot,
        f"select feed, file_name, evidence::varchar from ops.findings where kind = {literal(KIND)} "
        f"and feed in ({names}) and {wanted} order by observed_at desc limit {SAMPLES}",
    ):
        for sample in json.loads(evidence or "{}").get("samples", [])[:SAMPLES]:
            key = ", ".join(f"{name} {value}" for name, value in dict(sample.get("key", {})).items())
            text = f"{file}, line {sample.get('line')} repeats line {sample.get('first_line')}: {key}"
            yield Item(f"Duplicate in a file of {feed}", line(text), "ops.findings")


def _of_table(scene: Scene, snapshot: Snapshot, asset: str, said: str) -> Iterator[Item]:
    """A sample of keys that repeat in a table. A key consists of the columns that the failures of the table name. If
    they name none, it is the key of the table's feed. There is no sample if no key repeats.
    """
    table = asset.replace("/", ".")
    known = snapshot.tables.get(table)
    if known is None:
        return
    columns = [name for name, _ in known.columns]
    key = [name for name in columns if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said)]
    layer, _, name = asset.partition("/")
    feed = scene.catalog.feeds.get(name) if layer == "bronze" else None
    if not key and feed is not None:
        key = [name for name in feed.key if name in columns]
    if not key:
        return
    hidden = _personal(scene, asset, key) | (feed.personal_columns() if feed is not None else frozenset())
    listed = ", ".join(map(identifier, key))
    query = (
        f"select {listed}, count(*) from {relation(table)} group by {listed} having count(*) > 1 "
        f"order by count(*) desc, {listed} limit {SAMPLES}"
    )
    for row in asked(snapshot, query):
        values = ", ".join(f"{name} {_shown(value, name in hidden)}" for name, value in zip(key, row, strict=False))
        yield Item(f"Duplicate in {table}", line(f"{values}: {counted(row[-1], 'row')}"), f"snapshot {snapshot.id}")


def _personal(scene: Scene, asset: str, columns: Sequence[str]) -> frozenset[str]:
    """The columns that hold personal data. A column whose origin is not known counts as personal."""
    lineage = known_columns(scene.ledger)
    personal = lineage.personal
    asked_about = {name: Column(asset, name) for name in columns}
    return frozenset(
        name for name, column in asked_about.items() if column in personal or column not in lineage.origins
    )


def _shown(value: Any, hidden: bool) -> str:
    return HIDDEN if hidden else mask(str(value))
