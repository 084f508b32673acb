"""The items of a FROM clause: tables, queries, joins, VALUES and functions that make rows."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from ops_project.column_lineage import ROWS, Column
from ops_project.pipeline.column_lineage.expressions import Expressions
from ops_project.pipeline.column_lineage.relations import NOTHING, Relation, Scope, Traced, alias_columns, all_of, named

Tables = Mapping[str, tuple[str, ...]]
"""`schema.table` → its columns, for every table whose columns are known."""
GENERATORS = frozenset({"unnest", "generate_series", "range"})


class Sources(Expressions):
    """The relations that a query reads."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def subquery(self, node: exp.Subquery, tables: Mapping[str, Relation], outer: Scope | None) -> Relation:
        found = self.query(node.this, tables, outer)
        if node.args.get("pivots"):
            return Relation({}, found.rows, why="PIVOT is not followed")
        return named(found, node)

    def join(self, join: exp.Join, scope: Scope, tables: Mapping[str, Relation]) -> Traced:
        before = dict(scope.sources)
        rows = self.add(join.this, scope, tables)
        added = [relation for name, relation in scope.sources.items() if name not in before]
        names = [item.name.lower() for item in join.args.get("using") or ()]
        if str(join.args.get("method") or "").upper() == "NATURAL":
            listed = {name for relation in before.values() for name in relation.columns}
            names = [name for relation in added for name in relation.columns if name in listed]
        for name in names:
            sides = [r.column(name) for r in (*before.values(), *added)]
            found = all_of(side for side in sides if side is not None)
            scope.merged[name] = scope.merged.get(name, NOTHING) | found
            rows = rows | found.as_condition()
        on = join.args.get("on")
        if on is not None:
            rows = rows | self.value(on, scope, tables, rows).as_condition()
        return rows

    def add(self, item: exp.Expr, scope: Scope, tables: Mapping[str, Relation]) -> Traced:
        """Add one item of a FROM clause to the scope. Returns the columns that decide which rows the item has."""
        name, relation = self.source(item, scope, tables)
        scope.sources[name or f" {len(scope.sources)}"] = relation
        rows = relation.rows
        for join in item.args.get("joins") or ():
            rows = rows | self.join(join, scope, tables)
        return rows

    def source(self, item: exp.Expr, scope: Scope, tables: Mapping[str, Relation]) -> tuple[str, Relation]:
        alias = item.alias_or_name.lower()
        if isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
            relation = self._table(item, tables)
            if item.args.get("pivots"):
                relation = Relation({}, relation.rows, why="PIVOT is not followed")
            return alias, named(relation, item)
        if isinstance(item, exp.Subquery):
            return alias, self.subquery(item, tables, scope)
        if isinstance(item, exp.Lateral) and isinstance(item.this, exp.Subquery):
            return alias, named(self.query(item.this.this, tables, scope), item)
        if isinstance(item, exp.Values):
            return alias, self.values(item, scope, tables)
        # The columns of a table function come from its arguments.
        made = item.this if isinstance(item, exp.Table | exp.Lateral) and isinstance(item.this, exp.Expr) else item
        source = self.value(made, scope, tables, NOTHING)
        reads = made.find(exp.ReadCSV, exp.ReadParquet)
        if reads is not None or (isinstance(made, exp.Anonymous) and made.name.lower() not in GENERATORS):
            words = (made.name or type(made).__name__).lower()
            return alias, Relation({}, source.as_condition(), why=f"the columns of {words}(…) are not known")
        names = [identifier.name.lower() for identifier in alias_columns(item)] or [
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

    def values(self, node: exp.Values, scope: Scope, tables: Mapping[str, Relation]) -> Relation:
        width = max((len(row.expressions) for row in node.expressions if isinstance(row, exp.Tuple)), default=1)
        names = [identifier.name.lower() for identifier in alias_columns(node)]
        names += [f"col{number}" for number in range(len(names), width)]
        columns = dict.fromkeys(names, NOTHING)
        for row in node.expressions:
            cells = row.expressions if isinstance(row, exp.Tuple) else [row]
            for name, cell in zip(names, cells, strict=False):
                columns[name] = columns[name] | self.value(cell, scope, tables, NOTHING)
        return Relation(columns)
