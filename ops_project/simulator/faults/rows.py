"""Faults of single records: a repeated key, an empty mandatory field, impossible values, unknown references."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from ops_project.model.feed.column import NUMERIC, Column
from ops_project.simulator.faults.fault import Details, Fault
from ops_project.simulator.faults.request import FaultError
from ops_project.simulator.faults.scene import Scene
from ops_project.simulator.records import Sheet

BROKEN_ROWS = 12
# The requirements of streaming want an alert if an hour has more than ten unknown references.
UNKNOWN_REFERENCES = 15
# Feed → the reference that is damaged, for feeds with several references.
REFERENCES = {
    "order_items": "product_id",
    "web_events": "product_id",
    "orders": "customer_id",
    "streams": "song_id",
    "mart_contacts": "customer_id",
    "mart_responses": "treatment_id",
    "transactions": "unit_id",
}


def duplicate_key(scene: Scene) -> Details:
    """Repeat some records. If the feed has a number that may be changed, the second copy has another value there."""
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    chosen = _chosen(scene, sheet)
    number = next((raw for name, raw in _columns(scene, sheet) if _is_free_number(scene, name)), None)
    for index in chosen:
        again = sheet.rows[index].copy()
        if number is not None:
            position = sheet.column(number)
            again.fields[position] = _scaled(again.fields[position], 2)
        sheet.rows.append(again)
    scene.write(file, sheet)
    keys = [_raw(scene, name) for name in scene.feed.key]
    return {
        "file": file.name,
        "rows_added": len(chosen),
        "keys": [[str(sheet.rows[index].fields[sheet.column(key)]) for key in keys] for index in chosen],
    }


def mandatory_empty(scene: Scene) -> Details:
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    keys = {*scene.feed.key, scene.feed.business_date}
    needed = [(name, raw) for name, raw in _columns(scene, sheet) if scene.contract.columns[name].required]
    if not needed:
        raise FaultError(f"feed {scene.feed.name!r} has no required column")
    name, raw = next((pair for pair in needed if pair[0] not in keys | {"op"}), needed[0])
    chosen = _chosen(scene, sheet)
    nothing = None if scene.contract.format.kind in ("jsonl", "parquet") else ""
    for index in chosen:
        sheet.rows[index].fields[sheet.column(raw)] = nothing
    scene.write(file, sheet)
    return {"file": file.name, "column": name, "rows": len(chosen)}


def negative_amount(scene: Scene) -> Details:
    return _spoil(scene, "negative", lambda value, _: _scaled(value, -1) if _number(value) else "-1")


def out_of_range(scene: Scene) -> Details:
    """Write numbers above the contract's maximum. If a column has no maximum, write numbers below its minimum."""

    def beyond(_: Any, column: Column) -> Any:
        return str(Decimal(column.max) + 1) if column.max is not None else str(Decimal(column.min or "0") - 1)

    return _spoil(scene, "out of range", beyond, prefer_max=True)


def _spoil(scene: Scene, what: str, change: Any, *, prefer_max: bool = False) -> Details:
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    columns = scene.contract.columns
    bounded = [
        (name, raw)
        for name, raw in _columns(scene, sheet)
        if columns[name].base_type in NUMERIC and columns[name].min is not None and name not in scene.feed.key
    ]
    if not bounded:
        raise FaultError(f"feed {scene.feed.name!r} has no column with a minimum: nothing can be {what}")
    capped = [pair for pair in bounded if columns[pair[0]].max is not None]
    exact = [pair for pair in bounded if columns[pair[0]].base_type == "decimal" and columns[pair[0]].required]
    name, raw = (capped if prefer_max and capped else exact or bounded)[0]
    position, chosen = sheet.column(raw), _chosen(scene, sheet)
    for index in chosen:
        row = sheet.rows[index]
        row.fields[position] = _typed(change(row.fields[position], columns[name]), row.fields[position])
    scene.write(file, sheet)
    return {"file": file.name, "column": name, "what": what, "rows": len(chosen)}


def unknown_reference(scene: Scene) -> Details:
    """Replace ids in records by ids of the same form that do not exist."""
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    name = REFERENCES.get(scene.feed.name) or next(
        (name for name, _ in _columns(scene, sheet) if name.endswith("_id") and name not in scene.feed.key), None
    )
    if name is None:
        raise FaultError(f"feed {scene.feed.name!r} has no reference: no column ends with _id besides its key")
    position = sheet.column(_raw(scene, name))
    filled = [index for index, row in enumerate(sheet.rows) if row.fields[position]]
    if not filled:
        raise FaultError(f"feed {scene.feed.name!r}: every {name} of {scene.day} is empty")
    chosen = filled[len(filled) // 2 :][:UNKNOWN_REFERENCES]
    for number, index in enumerate(chosen):
        row = sheet.rows[index]
        row.fields[position] = unknown_id(str(row.fields[position]), number)
    scene.write(file, sheet)
    return {"file": file.name, "column": name, "values": [sheet.rows[index].fields[position] for index in chosen]}


def unknown_id(like: str, number: int) -> str:
    """An id of the same form that nothing uses: nines, with the number at the end."""
    digits = sum(char.isdigit() for char in like)
    if digits < 4:
        return f"{like}-unknown-{number}"
    tail = f"{'9' * digits}{number:02}"[-digits:]
    filler = iter(tail)
    return re.sub(r"\d", lambda _: next(filler), like)


def _columns(scene: Scene, sheet: Sheet) -> list[tuple[str, str]]:
    """Contract name and raw name of the columns that the file has."""
    return [(name, raw) for name, raw in scene.contract.raw_names.items() if raw in sheet.names]


def _raw(scene: Scene, name: str) -> str:
    return scene.contract.raw_names.get(name, name)


def _is_free_number(scene: Scene, name: str) -> bool:
    column = scene.contract.columns[name]
    return column.base_type in ("decimal", "double") and name not in scene.feed.key and column.max is None


def _chosen(scene: Scene, sheet: Sheet) -> list[int]:
    """Positions of some records, spread over the file. Raises FaultError if there are none."""
    if not sheet.rows:
        raise FaultError(f"the file of feed {scene.feed.name!r} of {scene.day} has no records to break")
    count = min(BROKEN_ROWS, len(sheet.rows))
    return sorted(int(index) for index in scene.rng.choice(len(sheet.rows), count, replace=False))


def _number(value: Any) -> bool:
    try:
        return Decimal(str(value)) != 0
    except ArithmeticError:
        return False


def _scaled(value: Any, factor: int) -> Any:
    if not _number(value):
        return value
    return _typed(str(Decimal(str(value)) * factor), value)


def _typed(text: Any, like: Any) -> Any:
    """The number in the type that the file uses: text in CSV, a number in other formats."""
    if isinstance(like, bool) or not isinstance(like, int | float | Decimal):
        return text
    return type(like)(Decimal(str(text)))


FAULTS = (
    Fault(
        "duplicate_key",
        "sends twelve business keys a second time",
        "S0 S2",
        "key_violation",
        "mart_customers",
        act=duplicate_key,
        any_feed=True,
    ),
    Fault(
        "mandatory_empty",
        "empties a mandatory field of twelve records",
        "S0",
        "data_invalid",
        "mart_contacts",
        act=mandatory_empty,
        any_feed=True,
    ),
    Fault(
        "negative_amount",
        "makes an amount of twelve records negative",
        "S1 S2",
        "data_invalid",
        "order_items",
        act=negative_amount,
        any_feed=True,
    ),
    Fault(
        "negative_premium",
        "makes the premium of twelve policies negative",
        "S1",
        "data_invalid",
        "policies",
        act=negative_amount,
    ),
    Fault(
        "out_of_range",
        "puts a number of twelve records out of its range",
        "S0",
        "data_invalid",
        "transactions",
        act=out_of_range,
        any_feed=True,
    ),
    Fault(
        "unknown_reference",
        "lets fifteen records refer to an id that does not exist",
        "S4",
        "reference_violation",
        "orders",
        act=unknown_reference,
        any_feed=True,
    ),
)
