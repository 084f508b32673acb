"""Faults of a file's structure: a missing or an additional column, and another type, order or name of columns."""

from __future__ import annotations

from ops_project.model.feed.column import NUMERIC
from ops_project.simulator.faults.fault import Details, Fault
from ops_project.simulator.faults.request import FaultError
from ops_project.simulator.faults.scene import Scene
from ops_project.simulator.records import Sheet

EXTRA = "legacy_code"


def _sheet(scene: Scene, need: int = 1) -> Sheet:
    sheet = scene.sheet(scene.data()[-1])
    if scene.contract.format.kind == "lines" or len(sheet.names) < need:
        raise FaultError(f"feed {scene.feed.name!r} has too few columns to break: {', '.join(sheet.names)}")
    return sheet


def _done(scene: Scene, sheet: Sheet, **details: object) -> Details:
    file = scene.data()[-1]
    scene.write(file, sheet)
    return {"file": file.name, **details}


def extra_column(scene: Scene) -> Details:
    sheet = _sheet(scene)
    sheet.names.append(EXTRA)
    for number, row in enumerate(sheet.rows):
        row.fields.append(f"L{number % 97:02}")
    return _done(scene, sheet, column=EXTRA)


def missing_column(scene: Scene) -> Details:
    """Removes a column: the last required number, or else the last required column, or else the last column. The key
    and the business date are removed only if there is no other column.
    """
    sheet = _sheet(scene, need=2)
    name = _victims(scene, sheet, required=True)[-1]
    index = sheet.column(name)
    del sheet.names[index]
    for row in sheet.rows:
        del row.fields[index]
    return _done(scene, sheet, column=name)


def changed_type(scene: Scene) -> Details:
    """Writes the values of one column as words. The column holds numbers, or else dates, or else booleans."""
    sheet = _sheet(scene)
    kinds = (NUMERIC, {"date", "timestamp"}, {"boolean"})
    candidates = [name for kind in kinds for name in _victims(scene, sheet, kind)]
    if not candidates:
        raise FaultError(f"feed {scene.feed.name!r} has only text columns, so no type can be changed")
    index = sheet.column(candidates[0])
    for row in sheet.rows:
        row.fields[index] = f"approx. {row.fields[index]}"
    return _done(scene, sheet, column=candidates[0], sample="approx. …")


def reordered_columns(scene: Scene) -> Details:
    """Reverses the order of the columns, with their names."""
    if scene.contract.format.kind == "csv" and not scene.contract.format.header:
        raise FaultError(
            f"feed {scene.feed.name!r} has no header: another order of its columns would look like other values"
        )
    if scene.contract.format.kind == "jsonl":
        raise FaultError(f"feed {scene.feed.name!r} is JSON: its fields have no order")
    sheet = _sheet(scene, need=2)
    sheet.names.reverse()
    for row in sheet.rows:
        row.fields.reverse()
    return _done(scene, sheet, columns=list(sheet.names))


def renamed_column(scene: Scene) -> Details:
    """Renames a column. So the file lacks one column and has another. The column is chosen as in `missing_column`."""
    sheet = _sheet(scene)
    name = _victims(scene, sheet, required=True)[-1]
    sheet.names[sheet.column(name)] = f"{name}_usd"
    return _done(scene, sheet, column=name, now=f"{name}_usd")


def _victims(
    scene: Scene, sheet: Sheet, types: set[str] | frozenset[str] | None = None, *, required: bool = False
) -> list[str]:
    """Raw names of the columns that a fault may change. The key and the business date are left out if there are other
    columns.

    `types`: only columns of these types.

    `required`: only required numbers if there are any, or else only required columns if there are any.
    """
    contract, raw = scene.contract, scene.contract.raw_names
    keys = {*scene.feed.key, scene.feed.business_date}
    mine = [
        name
        for name in raw
        if raw[name] in sheet.names and (types is None or contract.columns[name].base_type in types)
    ]
    free = [name for name in mine if name not in keys] or mine
    needed = [name for name in free if contract.columns[name].required] if required else []
    numbers = [name for name in needed if contract.columns[name].base_type in NUMERIC]
    chosen = [raw[name] for name in numbers or needed or free]
    return chosen or ([] if types is not None else [sheet.names[-1]])


FAULTS = (
    Fault("extra_column", "adds a column", "S0 S2", "schema_mismatch", "customers", act=extra_column, any_feed=True),
    Fault(
        "missing_column",
        "drops a required column",
        "S0 S2",
        "schema_mismatch",
        "orders",
        act=missing_column,
        any_feed=True,
    ),
    Fault(
        "changed_type",
        "sends the numbers of a column as words",
        "S0",
        "schema_mismatch",
        "order_items",
        act=changed_type,
        any_feed=True,
    ),
    Fault(
        "reordered_columns",
        "sends the columns in the opposite order",
        "S0",
        "schema_mismatch",
        "products",
        act=reordered_columns,
        any_feed=True,
    ),
    Fault(
        "spend_schema_drift",
        "renames the amount in the spend file",
        "S2",
        "schema_mismatch",
        "marketing_spend",
        act=renamed_column,
    ),
)
