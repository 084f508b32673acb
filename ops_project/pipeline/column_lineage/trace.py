"""One SELECT → which columns each of its columns comes from.

Every construct that is not understood makes the columns that it touches unknown, with the reason; no edge is dropped in
silence. `SELECT *`, windows, set operations, correlated subqueries and lateral joins are followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp
from sqlglot.errors import SqlglotError

from ops_project.column_lineage import ROWS, Column

Tables = Mapping[str, tuple[str, ...]]
"""schema.table → its columns, of every table whose columns are known."""


@dataclass(frozen=True)
class Traced:
    """What an expression is made of."""

    values: frozenset[Column] = frozenset()
    conditions: frozenset[Column] = frozenset()
    unknown: str = ""
    """The reason, where something of it could not be told."""

    def __or__(self, other: Traced) -> Traced:
        return Traced(self.values | other.values, self.conditions | other.conditions, self.unknown or other.unknown)

    def as_condition(self) -> Traced:
        return Traced(frozenset(), self.values | self.conditions, self.unknown)


NOTHING = Traced()


@dataclass(frozen=True)
class Relation:
    """What stands in a FROM: its columns, in order, and what decides which rows it has."""

    columns: Mapping[str, Traced]
    rows: Traced = NOTHING
    base: str = ""
    """schema/table of a table whose columns are not listed: any column that is asked for is taken to be its own."""
    stars: tuple[Relation, ...] = ()
    """Relations whose columns are not listed and that stand in it as `*`."""
    why: str = ""
    """Why its columns are not known, where not even their table is."""

    @property
    def open(self) -> bool:
        return bool(self.base or self.stars or self.why)

    def column(self, name: str) -> Traced | None:
        """None where it has no such column."""
        found = self.columns.get(name)
        if found is not None or not self.open:
            return found
        if self.base:
            return Traced(frozenset({Column(self.base, name)}))
        if len(self.stars) == 1 and not self.why:
            return self.stars[0].column(name)
        return Traced(unknown=self.why or f"column {name} may be of several tables whose columns nobody states")


@dataclass
class _Scope:
    """What an expression can see: the relations of its FROM by alias, and what the query around it sees."""

    sources: dict[str, Relation] = field(default_factory=dict)
    outer: _Scope | None = None
    aliases: dict[str, Traced] = field(default_factory=dict)
    """Columns that the SELECT list has named so far: DuckDB lets later expressions use them."""
    merged: dict[str, Traced] = field(default_factory=dict)
    """Columns of JOIN … USING."""
    local: frozenset[str] = frozenset()
    """Parameters of lambdas."""

    def column(self, name: str, table: str) -> Traced | None:
        if table:
            if table in self.sources:
                return self.sources[table].column(name)
            # Of a column that is a structure: its field.
            found = self._unqualified(table)
            if found is not None:
                return found
        else:
            found = self._unqualified(name)
            if found is not None:
                return found
            if name in self.sources:  # the whole row as a value
                relation = self.sources[name]
                if relation.open:
                    return Traced(conditions=relation.rows.conditions, unknown=f"a whole row of {name} as one value")
                return _all([*relation.columns.values(), relation.rows])
        return self.outer.column(name, table) if self.outer is not None else None

    def _unqualified(self, name: str) -> Traced | None:
        if name in self.local:
            return NOTHING
        if name in self.merged:
            return self.merged[name]
        closed = [relation.columns[name] for relation in self.sources.values() if name in relation.columns]
        if closed:
            return _all(closed)
        if name in self.aliases:
            return self.aliases[name]
        if self._outside(name):
            return None
        opened = [relation for relation in self.sources.values() if relation.open]
        if len(opened) == 1:
            return opened[0].column(name)
        if opened:
            return Traced(unknown=f"column {name} may be of several tables whose columns nobody states")
        return None

    def _outside(self, name: str) -> bool:
        """Whether a query around this one lists the column, which beats a guess here."""
        scope = self.outer
        while scope is not None:
            if any(name in relation.columns for relation in scope.sources.values()):
                return bool(self.sources) and not any(relation.base for relation in self.sources.values())
            scope = scope.outer
        return False


def _all(items: Iterable[Traced]) -> Traced:
    found = NOTHING
    for item in items:
        found = found | item
    return found


def trace(sql: str, tables: Tables) -> Relation:
    """The columns of a query. Raises ValueError with the parser's words where it is no query."""
    try:
        tree: exp.Expr = exp.maybe_parse(sql, dialect="duckdb")
    except SqlglotError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if not isinstance(tree, exp.Query):
        raise ValueError(f"it is no query but {type(tree).__name__}")
    return _Tracer(tables).query(tree, {}, None)


class _Tracer:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def query(self, node: exp.Expr, around: Mapping[str, Relation], outer: _Scope | None) -> Relation:
        tables = dict(around)
        with_ = node.args.get("with_")
        if with_ is not None:
            for cte in with_.expressions:
                tables[cte.alias.lower()] = self._cte(cte, tables, outer, bool(with_.args.get("recursive")))
        if isinstance(node, exp.Subquery):
            return self._subquery(node, tables, outer)
        if isinstance(node, exp.SetOperation):
            return self._set(node, tables, outer)
        if isinstance(node, exp.Select):
            return self._select(node, tables, outer)
        if isinstance(node, exp.Values):
            return self._values(node, _Scope(outer=outer), tables)
        if isinstance(node, exp.Table):
            return self._source(node, _Scope(outer=outer), tables)[1]
        return Relation({}, why=f"{type(node).__name__} is not understood")

    def _cte(self, cte: exp.CTE, tables: Mapping[str, Relation], outer: _Scope | None, recursive: bool) -> Relation:
        body = cte.this
        if recursive and isinstance(body, exp.SetOperation):
            name = cte.alias.lower()
            known = _named(self.query(body.left, tables, outer), cte)
            # What one turn adds another may carry on: until nothing is added.
            for _ in range(8):
                found = _named(self.query(body, {**tables, name: known}, outer), cte)
                if found == known:
                    break
                known = found
            return known
        return _named(self.query(body, tables, outer), cte)

    def _subquery(self, node: exp.Subquery, tables: Mapping[str, Relation], outer: _Scope | None) -> Relation:
        found = self.query(node.this, tables, outer)
        if node.args.get("pivots"):
            return Relation({}, found.rows, why="PIVOT is not followed")
        return _named(found, node)

    def _set(self, node: exp.SetOperation, tables: Mapping[str, Relation], outer: _Scope | None) -> Relation:
        left, right = self.query(node.left, tables, outer), self.query(node.right, tables, outer)
        rows = left.rows | right.rows
        if left.open or right.open:
            return Relation({}, rows, why="a set operation over a table whose columns nobody states")
        if node.args.get("by_name"):
            names = list(dict.fromkeys([*left.columns, *right.columns]))
            columns = {n: left.columns.get(n, NOTHING) | right.columns.get(n, NOTHING) for n in names}
        elif len(left.columns) != len(right.columns):
            return Relation({}, rows, why="a set operation of queries with different numbers of columns")
        else:
            pairs = zip(left.columns.items(), right.columns.values(), strict=True)
            columns = {name: mine | other for (name, mine), other in pairs}
        if node.args.get("distinct") or isinstance(node, exp.Except | exp.Intersect):
            rows = rows | _all(columns.values()).as_condition()
        return Relation(columns, rows)

    def _select(self, node: exp.Select, tables: Mapping[str, Relation], outer: _Scope | None) -> Relation:
        scope, rows = _Scope(outer=outer), NOTHING
        from_ = node.args.get("from_")
        items = [from_.this] if from_ is not None else []
        for item in items:
            rows = rows | self._add(item, scope, tables)
        for lateral in node.args.get("laterals") or ():
            rows = rows | self._add(lateral, scope, tables)
        for join in node.args.get("joins") or ():
            rows = rows | self._join(join, scope, tables)
        scope_rows = rows
        columns, stars, why = self._projections(node, scope, tables, scope_rows)
        scope.aliases.update(columns)
        for name in ("where", "group", "having", "qualify", "limit", "offset"):
            part = node.args.get(name)
            if part is not None:
                rows = rows | self._value(part, scope, tables, scope_rows).as_condition()
        if node.args.get("limit") is not None and node.args.get("order") is not None:
            rows = rows | self._value(node.args["order"], scope, tables, scope_rows).as_condition()
        distinct = node.args.get("distinct")
        if distinct is not None:
            on = distinct.args.get("on")
            chosen = self._value(on, scope, tables, scope_rows) if on is not None else _all(columns.values())
            rows = rows | chosen.as_condition()
            if on is not None and node.args.get("order") is not None:
                rows = rows | self._value(node.args["order"], scope, tables, scope_rows).as_condition()
        return Relation(columns, rows, stars=tuple(stars), why=why)

    def _projections(
        self, node: exp.Select, scope: _Scope, tables: Mapping[str, Relation], rows: Traced
    ) -> tuple[dict[str, Traced], list[Relation], str]:
        columns: dict[str, Traced] = {}
        stars: list[Relation] = []
        why = ""
        for item in node.expressions:
            star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
            if isinstance(star, exp.Star):
                chosen = [scope.sources.get(item.table.lower())] if isinstance(item, exp.Column) else None
                found = [r for r in (chosen or scope.sources.values()) if r is not None]
                if not found:
                    why = why or "a star over nothing that is known"
                self._star(star, found, columns, stars, scope, tables, rows)
            elif isinstance(item, exp.Columns) or (isinstance(item, exp.Alias) and isinstance(item.this, exp.Columns)):
                why = why or "COLUMNS(…) is not followed"
            else:
                name = (item.alias_or_name or item.sql(dialect="duckdb")).lower()
                value = self._value(item.unalias(), scope, tables, rows)
                columns[_free(name, columns)] = value
                scope.aliases.setdefault(name, value)
        return columns, stars, why

    def _star(
        self,
        star: exp.Star,
        relations: Iterable[Relation],
        columns: dict[str, Traced],
        stars: list[Relation],
        scope: _Scope,
        tables: Mapping[str, Relation],
        rows: Traced,
    ) -> None:
        without = {item.name.lower() for item in star.args.get("except_") or ()}
        replaced = {item.alias.lower(): item.this for item in star.args.get("replace") or ()}
        renamed = {item.this.name.lower(): item.alias.lower() for item in star.args.get("rename") or ()}
        for relation in relations:
            if relation.open:
                stars.append(relation)
            for name, value in relation.columns.items():
                if name in without:
                    continue
                if name in scope.merged:
                    columns.setdefault(renamed.get(name, name), scope.merged[name])
                    continue
                if name in replaced:
                    value = self._value(replaced[name], scope, tables, rows)
                columns[_free(renamed.get(name, name), columns)] = value

    def _join(self, join: exp.Join, scope: _Scope, tables: Mapping[str, Relation]) -> Traced:
        before = dict(scope.sources)
        rows = self._add(join.this, scope, tables)
        added = [relation for name, relation in scope.sources.items() if name not in before]
        names = [item.name.lower() for item in join.args.get("using") or ()]
        if str(join.args.get("method") or "").upper() == "NATURAL":
            listed = {name for relation in before.values() for name in relation.columns}
            names = [name for relation in added for name in relation.columns if name in listed]
        for name in names:
            sides = [r.column(name) for r in (*before.values(), *added)]
            found = _all(side for side in sides if side is not None)
            scope.merged[name] = scope.merged.get(name, NOTHING) | found
            rows = rows | found.as_condition()
        on = join.args.get("on")
        if on is not None:
            rows = rows | self._value(on, scope, tables, rows).as_condition()
        return rows

    def _add(self, item: exp.Expr, scope: _Scope, tables: Mapping[str, Relation]) -> Traced:
        """Put one item of a FROM into the scope; what its rows depend on."""
        name, relation = self._source(item, scope, tables)
        scope.sources[name or f" {len(scope.sources)}"] = relation
        rows = relation.rows
        for join in item.args.get("joins") or ():
            rows = rows | self._join(join, scope, tables)
        return rows

    def _source(self, item: exp.Expr, scope: _Scope, tables: Mapping[str, Relation]) -> tuple[str, Relation]:
        alias = item.alias_or_name.lower()
        if isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
            relation = self._table(item, tables)
            if item.args.get("pivots"):
                relation = Relation({}, relation.rows, why="PIVOT is not followed")
            return alias, _named(relation, item)
        if isinstance(item, exp.Subquery):
            return alias, self._subquery(item, tables, scope)
        if isinstance(item, exp.Lateral) and isinstance(item.this, exp.Subquery):
            return alias, _named(self.query(item.this.this, tables, scope), item)
        if isinstance(item, exp.Values):
            return alias, self._values(item, scope, tables)
        # A table function: its columns come from its arguments.
        made = item.this if isinstance(item, exp.Table | exp.Lateral) and isinstance(item.this, exp.Expr) else item
        source = self._value(made, scope, tables, NOTHING)
        reads = made.find(exp.ReadCSV, exp.ReadParquet)
        if reads is not None or (isinstance(made, exp.Anonymous) and made.name.lower() not in GENERATORS):
            words = (made.name or type(made).__name__).lower()
            return alias, Relation({}, source.as_condition(), why=f"the columns of {words}(…) are not known")
        names = [identifier.name.lower() for identifier in _alias_columns(item)] or [
            "unnest",
            "generate_series",
            "range",
            alias,
        ]
        return alias, Relation(dict.fromkeys(filter(None, names), source), source.as_condition())

    def _table(self, item: exp.Table, tables: Mapping[str, Relation]) -> Relation:
        name = item.name.lower()
        if not item.db and name in tables:
            return tables[name]
        schema = item.db.lower() or "main"
        asset = f"{schema}/{name}"
        rows = Traced(conditions=frozenset({Column(asset, ROWS)}))
        known = self._tables.get(f"{schema}.{name}")
        if known is None:
            return Relation({}, rows, base=asset)
        return Relation({c.lower(): Traced(frozenset({Column(asset, c.lower())})) for c in known}, rows)

    def _values(self, node: exp.Values, scope: _Scope, tables: Mapping[str, Relation]) -> Relation:
        width = max((len(row.expressions) for row in node.expressions if isinstance(row, exp.Tuple)), default=1)
        names = [identifier.name.lower() for identifier in _alias_columns(node)]
        names += [f"col{number}" for number in range(len(names), width)]
        columns = dict.fromkeys(names, NOTHING)
        for row in node.expressions:
            cells = row.expressions if isinstance(row, exp.Tuple) else [row]
            for name, cell in zip(names, cells, strict=False):
                columns[name] = columns[name] | self._value(cell, scope, tables, NOTHING)
        return Relation(columns)

    def _value(self, node: exp.Expr | None, scope: _Scope, tables: Mapping[str, Relation], rows: Traced) -> Traced:
        """What an expression is made of. `rows`: what decides over the rows that an aggregate counts."""
        if node is None:
            return NOTHING
        if isinstance(node, exp.Column):
            return self._reference(node, scope)
        if isinstance(node, exp.Query):
            return self._nested(node, scope, tables)
        if isinstance(node, exp.Lambda):
            names = frozenset(item.name.lower() for item in node.expressions)
            return self._value(node.this, replace(scope, local=scope.local | names), tables, rows)
        if isinstance(node, exp.Comprehension):
            names = frozenset({node.expression.name.lower()})
            inside = replace(scope, local=scope.local | names)
            condition = self._value(node.args.get("condition"), inside, tables, rows).as_condition()
            listed = self._value(node.args.get("iterator"), scope, tables, rows)
            return listed | self._value(node.this, inside, tables, rows) | condition
        if isinstance(node, exp.Window):
            order = [*(node.args.get("partition_by") or ()), node.args.get("order")]
            placed = _all(self._value(item, scope, tables, rows) for item in order)
            return self._value(node.this, scope, tables, rows) | placed.as_condition()
        if isinstance(node, exp.Count | exp.CountIf | exp.ApproxDistinct):
            # A number of rows shows none of them.
            return self._children(node, scope, tables, rows).as_condition() | rows.as_condition()
        parts = self._children(node, scope, tables, rows)
        if isinstance(node, exp.AggFunc) and not parts.values and not parts.conditions:
            return parts | rows.as_condition()
        return parts.as_condition() if isinstance(node, exp.Predicate) else parts

    def _nested(self, node: exp.Expr, scope: _Scope, tables: Mapping[str, Relation]) -> Traced:
        """A query as a value."""
        found = self.query(node, tables, scope)
        shown = _all(found.columns.values())
        if found.open:
            shown = shown | Traced(unknown=found.why)
        exists = isinstance(node.parent, exp.Exists)
        return (shown.as_condition() if exists else shown) | found.rows.as_condition()

    def _children(self, node: exp.Expr, scope: _Scope, tables: Mapping[str, Relation], rows: Traced) -> Traced:
        found = NOTHING
        for name, value in node.args.items():
            children = [
                self._value(item, scope, tables, rows)
                for item in (value if isinstance(value, list) else [value])
                if isinstance(item, exp.Expr)
            ]
            part = _all(children)
            decides = (isinstance(node, exp.If) and name == "this") or (
                isinstance(node, exp.Filter | exp.Order) and name in ("expression", "expressions")
            )
            found = found | (part.as_condition() if decides else part)
        return found

    def _reference(self, node: exp.Column, scope: _Scope) -> Traced:
        parts = [part.name.lower() for part in node.parts]
        if isinstance(node.this, exp.Star):
            return NOTHING
        name, table = parts[-1], parts[-2] if len(parts) > 1 else ""
        # schema.table.column, or a field of a structure: the first part that is known.
        for first in range(len(parts) - 1):
            if parts[first] in scope.sources:
                table, name = parts[first], parts[first + 1]
                break
        found = scope.column(name, table)
        if found is None and len(parts) == 1 and name in NILADIC:
            return NOTHING
        if found is None:
            return Traced(unknown=f"column {'.'.join(parts)} is of no table in the query")
        return found


GENERATORS = frozenset({"unnest", "generate_series", "range"})
NILADIC = frozenset({"current_date", "current_timestamp", "current_time", "localtimestamp", "user", "rowid"})


def _free(name: str, taken: Mapping[str, Traced]) -> str:
    """The name, numbered where another column has it: both count in a set operation."""
    if name not in taken:
        return name
    return next(made for number in range(1, len(taken) + 2) if (made := f"{name}:{number}") not in taken)


def _alias_columns(item: exp.Expr) -> list[exp.Expr]:
    alias = item.args.get("alias")
    return list(alias.args.get("columns") or ()) if isinstance(alias, exp.TableAlias) else []


def _named(relation: Relation, item: exp.Expr) -> Relation:
    """With the columns that the alias names, `as t (a, b)`."""
    names = [identifier.name.lower() for identifier in _alias_columns(item)]
    if not names or relation.open:
        return relation
    kept = list(relation.columns.items())
    renamed = {name: value for name, (_, value) in zip(names, kept, strict=False)}
    return replace(relation, columns={**renamed, **dict(kept[len(names) :])})
