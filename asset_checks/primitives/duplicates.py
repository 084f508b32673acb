"""Finds business keys that were delivered more than once: within a file, or again in the file of another day.

dbt already tests that keys are unique in silver and gold. This check looks at the deliveries, and names batches, dates
and masked keys. Rows that landing has quarantined because they repeat a key count too: they are not in the table, but
they were delivered.
"""

from __future__ import annotations

from dataclasses import dataclass

from asset_checks.counted import counted
from asset_checks.days import days_later
from asset_checks.primitives import score
from asset_checks.primitives.batches import recent_batches
from asset_checks.primitives.scope import newest_date, scope_of
from asset_checks.primitives.sql import columns, date_list, identifier, key_hash, masked, table_name
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation, Verdict

NAME = "duplicate_keys"
DESCRIPTION = "No business key was delivered twice in one file, or again with the same content in another file."
FAILURE_CLASS = "key_violation"
# The words with which landing says that a quarantined row repeats a key.
QUARANTINE_REASONS = r"(repeats the key of|shares its key with) line"
FOUND = "duplicate_keys_found"


@dataclass(frozen=True)
class _Suspects:
    """Rows that may repeat each other. `where`: the SQL condition for these rows. `identity`: two rows repeat each
    other if they agree in these columns. `rows`: how many rows may be repetitions.
    """

    rows: int
    where: str
    identity: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    """Keys that do repeat, with their batches and a masked sample."""

    keys: int
    rows: int
    batches: list[dict[str, object]]
    sample: list[dict[str, object]]


def applies(table: TableSpec) -> bool:
    return bool(table.key) and table.feed is not None


def evaluate(situation: Situation, table: TableSpec) -> Verdict:
    measures = score.measure(situation, table)
    quarantined = _quarantined(situation, table)
    suspects = [_within(situation, table, measures.duplicate_rows), _across(situation, table)]
    groups = [_exactly(situation, table, suspect) for suspect in suspects if suspect is not None and suspect.rows]
    groups = [group for group in groups if group.keys]
    if not groups and not quarantined:
        if not measures.row_count:
            return Verdict.unknown(f"{table.name} holds no rows in scope.", passed=True)
        return Verdict.ok(f"{table.name}: no key twice ({measures.scope}).", rows=measures.row_count)
    put_aside = sum(int(str(line["rows"])) for line in quarantined)
    rows = sum(group.rows for group in groups) + put_aside
    batches = [line for group in groups for line in group.batches] + quarantined
    return Verdict.fail(
        f"{table.name}: the key ({', '.join(table.key)}) was delivered more than once, {counted(rows, 'row')} in "
        f"{counted(len({line['file'] for line in batches}), 'file')}. Find out whether a file came twice under "
        "another name, "
        "or whether the source repeats itself.",
        "high" if groups else "medium",
        FAILURE_CLASS,
        keys=sum(group.keys for group in groups),
        rows=rows,
        rows_quarantined=put_aside,
        batches=batches[:20],
        files=sorted({str(line["file"]) for line in batches})[:20],
        dates=sorted({str(line["date"]) for line in batches})[:20],
        sample=[line for group in groups for line in group.sample][: situation.parameters.duplicates.samples],
    )


def _quarantined(situation: Situation, table: TableSpec) -> list[dict[str, object]]:
    """Rows of the recent batches that landing has quarantined because they repeat a key: their number for each
    batch.
    """
    of_batch = {batch.batch_id: batch for batch in recent_batches(situation, table) if batch.rows_quarantined}
    if not of_batch:
        return []
    found = situation.rows(
        """
        select batch_id, sum(rows)::bigint
        from ops.quarantine
        where list_contains(?, batch_id) and regexp_matches(reason, ?)
        group by batch_id
        order by batch_id
        """,
        [list(of_batch), QUARANTINE_REASONS],
    )
    return [
        {
            "batch_id": batch_id,
            "file": of_batch[batch_id].file_name,
            "date": str(of_batch[batch_id].business_date or ""),
            "rows": rows,
        }
        for batch_id, rows in found
    ]


def _within(situation: Situation, table: TableSpec, duplicate_rows: int) -> _Suspects | None:
    """Possible repetitions within the scored part of the table. If the key must be unique in the whole table, rows of
    different batches may also repeat each other. Otherwise only rows of the same batch can.
    """
    per_batch = ("_batch_id",) if table.key_scope != "table" else ()
    return _Suspects(duplicate_rows, scope_of(situation, table).where, (*per_batch, *table.key))


def _across(situation: Situation, table: TableSpec) -> _Suspects | None:
    """Possible repetitions between newly loaded rows and earlier rows, within the window of dates."""
    scope = scope_of(situation, table)
    if table.key_scope == "batch" or table.date_column is None or not scope.dates:
        return None
    newest = newest_date(situation, table)
    recent = [batch for batch in recent_batches(situation, table) if batch.status == "loaded"]
    if newest is None or not recent:
        return None
    identity = (*table.key, *(table.content if table.key_scope == "version" else ()))
    day, oldest = (
        identifier(table.date_column),
        days_later(newest, 1 - situation.parameters.duplicates.window_dates),
    )
    window = f"{day}::date between {date_list([oldest])} and {date_list([newest])}"
    new = f"({scope.where}) and _load_seq >= {recent[0].load_seq}"
    # Earlier rows are searched by key alone. The content is compared only among the rows that are found, because
    # content is wide and these rows are few.
    name, key = table_name(table.name), key_hash(table.key)
    [[among_new]] = situation.rows(f"select count(*) - count(distinct {key}) from {name} where {new}")
    [[before]] = situation.rows(
        f"""
        select count(*)
        from {name}
        where {window} and not ({new}) and {key} in (select {key} from {name} where {new})
        """
    )
    rows = among_new + before
    return _Suspects(int(rows), window, identity)


def _exactly(situation: Situation, table: TableSpec, suspect: _Suspects) -> _Found:
    """The keys that do repeat, with their batches and a masked sample. They are counted exactly, because two keys may
    have the same hash.
    """
    identity, parameters = columns(suspect.identity), situation.parameters.duplicates
    name, key = table_name(table.name), key_hash(table.key)
    situation.connection.execute(
        f"""
        create or replace temp table {FOUND} as
        select {identity}, count(*) as occurrences, list(distinct _batch_id) as batches
        from {name}
        where
            ({suspect.where})
            and {key} in (select {key} from {name} where {suspect.where} group by {key} having count(*) > 1)
        group by {identity}
        having count(*) > 1
        """
    )
    try:
        [[keys, rows]] = situation.rows(f"select count(*), coalesce(sum(occurrences), 0)::bigint from {FOUND}")
        batches = situation.rows(
            f"""
            select batches.batch_id, any_value(batches.file_name), any_value(batches.business_date), count(*)
            from (select unnest(batches) as batch_id from {FOUND}) as found
            inner join ops.batches as batches using (batch_id)
            group by batches.batch_id
            order by count(*) desc, 1
            limit 20
            """
        )
        samples = situation.rows(
            f"""
            select {columns(table.key)}, occurrences
            from {FOUND}
            order by occurrences desc, {columns(table.key)}
            limit {parameters.samples}
            """
        )
    finally:
        situation.connection.execute(f"drop table {FOUND}")
    return _Found(
        keys,
        rows,
        [{"batch_id": row[0], "file": row[1], "date": str(row[2] or ""), "rows": row[3]} for row in batches],
        [
            {
                **{name: masked(value, name in table.personal) for name, value in zip(table.key, row, strict=False)},
                "occurrences": row[-1],
            }
            for row in samples
        ],
    )
