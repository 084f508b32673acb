"""The definitions of the tables of a PostgreSQL schema. They are read from the catalog, stored as JSON, and executed in
another schema.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ops_project.pipeline.recovery.databases.connect import Connection, rows, run, schema_of
from ops_project.sql_text import identifier


@dataclass(frozen=True)
class Column:
    """One column, as in CREATE TABLE."""

    name: str
    type: str
    rest: str
    """The rest of the column's definition: collation, default, identity and NOT NULL."""
    generated: bool
    """True if the database computes this column. Its values are then not loaded."""


@dataclass(frozen=True)
class Table:
    """One table."""

    name: str
    columns: tuple[Column, ...]
    constraints: tuple[tuple[str, str], ...]
    """The name and the definition of each constraint, except foreign keys."""
    foreign: tuple[tuple[str, str], ...]
    indexes: tuple[str, ...]
    """The statements for the indexes that belong to no constraint."""
    triggers: tuple[str, ...]
    """The statements for the triggers. They are executed after the rows are loaded."""
    order: str
    """An ORDER BY under which equal tables give equal text."""

    def loaded(self) -> tuple[str, ...]:
        """The columns whose values are copied."""
        return tuple(column.name for column in self.columns if not column.generated)


@dataclass(frozen=True)
class Sequence:
    """One sequence.

    `column`: the table and the column to which the sequence belongs.
    """

    name: str
    definition: str
    last: int | None
    """The last value; None if the sequence has not been used yet."""
    column: tuple[str, str] | None
    identity: bool


@dataclass(frozen=True)
class Schema:
    """The whole schema.

    `unknown`: objects that a copy cannot create again, in words.
    """

    tables: tuple[Table, ...]
    sequences: tuple[Sequence, ...]
    functions: tuple[tuple[str, str], ...] = ()
    """The name of each function with its arguments, and the statement that creates the function."""
    unknown: tuple[str, ...] = ()

    def dump(self) -> dict[str, Any]:
        """The schema as JSON."""
        return asdict(self)

    @classmethod
    def load(cls, data: dict[str, Any]) -> Schema:
        """A schema from JSON. Raises KeyError or TypeError if the JSON is not a schema."""
        return cls(
            tuple(
                Table(
                    name=item["name"],
                    columns=tuple(Column(**column) for column in item["columns"]),
                    constraints=tuple((name, words) for name, words in item["constraints"]),
                    foreign=tuple((name, words) for name, words in item["foreign"]),
                    indexes=tuple(item["indexes"]),
                    triggers=tuple(item["triggers"]),
                    order=item["order"],
                )
                for item in data["tables"]
            ),
            tuple(
                Sequence(**{**item, "column": None if item["column"] is None else tuple(item["column"])})
                for item in data["sequences"]
            ),
            tuple((name, statement) for name, statement in data["functions"]),
            tuple(data["unknown"]),
        )


def read(connection: Connection) -> Schema:
    """Read the schema of this connection."""
    names = [name for (name,) in rows(connection, _TABLES)]
    return Schema(
        tuple(_table(connection, name) for name in names),
        tuple(_sequences(connection)),
        tuple((name, _anywhere(statement, prefix)) for name, statement, prefix in rows(connection, _FUNCTIONS)),
        tuple(words for (words,) in rows(connection, _UNKNOWN)),
    )


def make(connection: Connection, schema: Schema) -> None:
    """Create the empty tables and their sequences, without constraints and triggers."""
    run(connection, "SET LOCAL check_function_bodies = off")  # Functions may use tables that do not exist yet.
    for _, statement in schema.functions:
        run(connection, statement)
    for sequence in schema.sequences:
        if not sequence.identity:
            run(connection, f"CREATE SEQUENCE {identifier(sequence.name)} {sequence.definition}")
    for table in schema.tables:
        columns = ", ".join(f"{identifier(one.name)} {one.type} {one.rest}" for one in table.columns)
        run(connection, f"CREATE TABLE {identifier(table.name)} ({columns})")
    for sequence in schema.sequences:
        if sequence.column is not None and not sequence.identity:
            owner = ".".join(map(identifier, sequence.column))
            run(connection, f"ALTER SEQUENCE {identifier(sequence.name)} OWNED BY {owner}")


def finish(connection: Connection, schema: Schema) -> None:
    """Complete the tables after their rows are loaded: create constraints, indexes, foreign keys and triggers, and set
    each sequence to its last value.
    """
    for table in schema.tables:
        for name, words in table.constraints:
            run(connection, f"ALTER TABLE {identifier(table.name)} ADD CONSTRAINT {identifier(name)} {words}")
        for statement in table.indexes:
            run(connection, statement)
    for table in schema.tables:
        for name, words in table.foreign:
            run(connection, f"ALTER TABLE {identifier(table.name)} ADD CONSTRAINT {identifier(name)} {words}")
        for statement in table.triggers:
            run(connection, statement)
    here = schema_of(connection)
    for sequence in schema.sequences:
        if sequence.last is not None:
            name = f"{identifier(here)}.{identifier(sequence.name)}"
            if sequence.identity and sequence.column is not None:
                owner, column = sequence.column
                [(name,)] = rows(
                    connection,
                    "SELECT pg_get_serial_sequence(%s, %s)",
                    f"{identifier(here)}.{identifier(owner)}",
                    column,
                )
            run(connection, "SELECT setval(%s::regclass, %s)", name, sequence.last)


def _table(connection: Connection, name: str) -> Table:
    found = rows(connection, _COLUMNS, name)
    keys = rows(connection, _KEY, name)
    constraints = rows(connection, _CONSTRAINTS, name)
    order = ", ".join(f"{identifier(column)}{_PLAIN if text else ''}" for column, text in keys)
    return Table(
        name=name,
        columns=tuple(
            Column(column, kind, " ".join(words for words in rest if words), generated)
            for column, kind, generated, *rest in found
        ),
        constraints=tuple((label, words) for label, kind, words in constraints if kind != "f"),
        foreign=tuple((label, words) for label, kind, words in constraints if kind == "f"),
        indexes=tuple(statement for (statement,) in rows(connection, _INDEXES, name)),
        triggers=tuple(statement for (statement,) in rows(connection, _TRIGGERS, name)),
        order=order or f"ROW({identifier(name)}.*)::text{_PLAIN}",
    )


def _anywhere(statement: str, prefix: str) -> str:
    """The statement without the name of the schema, so that the function can be created in another schema."""
    return statement.replace(prefix, "", 1)


def _sequences(connection: Connection) -> list[Sequence]:
    found = []
    for name, definition, table, column, kind in rows(connection, _SEQUENCES):
        [(last, used)] = rows(connection, f"SELECT last_value, is_called FROM {identifier(name)}")
        owner = (table, column) if table is not None else None
        found.append(Sequence(name, definition, last if used else None, owner, kind == "i"))
    return found


# Text is ordered by its bytes, because the order of a language differs from server to server.
_PLAIN = ' COLLATE "C"'
_HERE = "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
_TABLES = f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = {_HERE} ORDER BY relname"
_THIS = f"(SELECT oid FROM pg_class WHERE relname = %s AND relkind = 'r' AND relnamespace = {_HERE})"
_COLUMNS = f"""
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '',
        CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN 'COLLATE ' || quote_ident(c.collname) END,
        CASE WHEN a.attgenerated = 's' THEN 'GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED'
            WHEN d.adbin IS NOT NULL THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END,
        CASE a.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
            WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END,
        CASE WHEN a.attnotnull THEN 'NOT NULL' END
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_collation c ON c.oid = a.attcollation
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = {_THIS} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_KEY = f"""
    SELECT a.attname, a.attcollation <> 0
    FROM pg_index i, unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place), pg_attribute a
    WHERE i.indrelid = {_THIS} AND i.indisprimary AND a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.place
"""
_CONSTRAINTS = f"""
    SELECT conname, contype::text, pg_get_constraintdef(oid, true) FROM pg_constraint
    WHERE conrelid = {_THIS} AND contype IN ('p', 'u', 'c', 'x', 'f') ORDER BY contype = 'c', contype <> 'p', conname
"""
_INDEXES = f"""
    SELECT pg_get_indexdef(i.indexrelid, 0, true) FROM pg_index i
    WHERE i.indrelid = {_THIS} AND NOT EXISTS (
        SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
    ) ORDER BY i.indexrelid
"""
_SEQUENCES = f"""
    SELECT c.relname, format(
        'AS %s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s %s', format_type(s.seqtypid, NULL),
        s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE '' END
    ), t.relname, a.attname, d.deptype::text
    FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
        LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
            AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
        LEFT JOIN pg_class t ON t.oid = d.refobjid
        LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE c.relnamespace = {_HERE} ORDER BY c.relname
"""
_TRIGGERS = f"""
    SELECT pg_get_triggerdef(oid, true) FROM pg_trigger WHERE tgrelid = {_THIS} AND NOT tgisinternal ORDER BY tgname
"""
_OF_AN_EXTENSION = "EXISTS (SELECT FROM pg_depend d WHERE d.objid = x.oid AND d.deptype = 'e')"
_FUNCTIONS = f"""
    SELECT quote_ident(x.proname) || '(' || pg_get_function_identity_arguments(x.oid) || ')', pg_get_functiondef(x.oid),
        quote_ident(current_schema()) || '.'
    FROM pg_proc x JOIN pg_language l ON l.oid = x.prolang
    WHERE x.pronamespace = {_HERE} AND x.prokind = 'f' AND l.lanname IN ('sql', 'plpgsql') AND NOT {_OF_AN_EXTENSION}
    ORDER BY 1
"""
_UNKNOWN = f"""
    SELECT CASE x.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'f' THEN 'foreign table '
        ELSE 'partitioned table ' END || x.relname
    FROM pg_class x WHERE x.relkind IN ('v', 'm', 'f', 'p') AND x.relnamespace = {_HERE} AND NOT {_OF_AN_EXTENSION}
    UNION ALL
    SELECT 'function ' || x.proname FROM pg_proc x JOIN pg_language l ON l.oid = x.prolang
    WHERE x.pronamespace = {_HERE} AND NOT (x.prokind = 'f' AND l.lanname IN ('sql', 'plpgsql'))
        AND NOT {_OF_AN_EXTENSION}
    UNION ALL
    SELECT 'type ' || x.typname FROM pg_type x
    WHERE x.typnamespace = {_HERE} AND x.typtype IN ('e', 'd', 'r') AND NOT {_OF_AN_EXTENSION}
    UNION ALL
    SELECT 'row security of ' || x.relname FROM pg_class x WHERE x.relrowsecurity AND x.relnamespace = {_HERE}
    UNION ALL
    SELECT 'inherited table ' || x.relname FROM pg_inherits h JOIN pg_class x ON x.oid = h.inhrelid
    WHERE x.relkind = 'r' AND x.relnamespace = {_HERE}
    ORDER BY 1
"""
