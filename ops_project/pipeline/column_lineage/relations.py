"""Which columns the expressions and tables of a query use, and which names are visible to an expression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from ops_project.column_lineage import Column


@dataclass(frozen=True)
class Traced:
    """The columns that an expression uses."""

    values: frozenset[Column] = frozenset()
    conditions: frozenset[Column] = frozenset()
    unknown: str = ""
    """Why a part of the origin could not be determined; empty if all of it is known."""

    def __or__(self, other: Traced) -> Traced:
        return Traced(self.values | other.values, self.conditions | other.conditions, self.unknown or other.unknown)

    def as_condition(self) -> Traced:
        return Traced(frozenset(), self.values | self.conditions, self.unknown)


NOTHING = Traced()


@dataclass(frozen=True)
class Relation:
    """A table or query in a FROM clause: its columns, in order, and the columns that decide which rows it has."""

    columns: Mapping[str, Traced]
    rows: Traced = NOTHING
    base: str = ""
    """The name, `schema/table`, of a table whose columns are not known. Each column that a query asks for then counts
    as a column of this table.
    """
    stars: tuple[Relation, ...] = ()
    """The relations whose columns a `SELECT *` takes, if these columns are not known."""
    why: str = ""
    """Why the columns are not known. The text is set if even their table is not known."""

    @property
    def open(self) -> bool:
        return bool(self.base or self.stars or self.why)

    def column(self, name: str) -> Traced | None:
        """The column; None if there is no such column."""
        found = self.columns.get(name)
        if found is not None or not self.open:
            return found
        if self.base:
            return Traced(frozenset({Column(self.base, name)}))
        if len(self.stars) == 1 and not self.why:
            return self.stars[0].column(name)
        return Traced(unknown=self.why or f"column {name} may belong to several tables whose columns are not known")


@dataclass
class Scope:
    """The names that an expression can see: the relations of its FROM clause by alias, and the names of the query
    around it.
    """

    sources: dict[str, Relation] = field(default_factory=dict)
    outer: Scope | None = None
    aliases: dict[str, Traced] = field(default_factory=dict)
    """Columns that the SELECT list has named so far. DuckDB lets later expressions use them."""
    merged: dict[str, Traced] = field(default_factory=dict)
    """The columns that JOIN … USING has merged."""
    local: frozenset[str] = frozenset()
    """The parameters of the lambdas around the expression."""

    def column(self, name: str, table: str) -> Traced | None:
        if table:
            if table in self.sources:
                return self.sources[table].column(name)
            # `table` may be the name of a column that is a structure. Then `name` is a field of this structure.
            found = self._unqualified(table)
            if found is not None:
                return found
        else:
            found = self._unqualified(name)
            if found is not None:
                return found
            if name in self.sources:  # The name of a table stands for its whole row as one value.
                relation = self.sources[name]
                if relation.open:
                    return Traced(conditions=relation.rows.conditions, unknown=f"a whole row of {name} as one value")
                return all_of([*relation.columns.values(), relation.rows])
        return self.outer.column(name, table) if self.outer is not None else None

    def _unqualified(self, name: str) -> Traced | None:
        if name in self.local:
            return NOTHING
        if name in self.merged:
            return self.merged[name]
        closed = [relation.columns[name] for relation in self.sources.values() if name in relation.columns]
        if closed:
            return all_of(closed)
        if name in self.aliases:
            return self.aliases[name]
        if self._outside(name):
            return None
        opened = [relation for relation in self.sources.values() if relation.open]
        if len(opened) == 1:
            return opened[0].column(name)
        if opened:
            return Traced(unknown=f"column {name} may belong to several tables whose columns are not known")
        return None

    def _outside(self, name: str) -> bool:
        """True if a query around this query has a column of this name, and all columns of this query's own tables are
        known.
        """
        scope = self.outer
        while scope is not None:
            if any(name in relation.columns for relation in scope.sources.values()):
                return bool(self.sources) and not any(relation.base for relation in self.sources.values())
            scope = scope.outer
        return False


def all_of(items: Iterable[Traced]) -> Traced:
    found = NOTHING
    for item in items:
        found = found | item
    return found


def free_name(name: str, taken: Mapping[str, Traced]) -> str:
    """The name. If another column already has this name, a number follows it. Both columns must stay, because a set
    operation pairs columns by their positions.
    """
    if name not in taken:
        return name
    return next(made for number in range(1, len(taken) + 2) if (made := f"{name}:{number}") not in taken)


def alias_columns(item: exp.Expr) -> list[exp.Expr]:
    alias = item.args.get("alias")
    return list(alias.args.get("columns") or ()) if isinstance(alias, exp.TableAlias) else []


def named(relation: Relation, item: exp.Expr) -> Relation:
    """The relation with the column names that its alias gives, as in `AS t (a, b)`."""
    names = [identifier.name.lower() for identifier in alias_columns(item)]
    if not names or relation.open:
        return relation
    kept = list(relation.columns.items())
    renamed = {name: value for name, (_, value) in zip(names, kept, strict=False)}
    return replace(relation, columns={**renamed, **dict(kept[len(names) :])})
