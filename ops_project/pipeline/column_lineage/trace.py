"""Finds the columns that each column of a query comes from. `SELECT *`, windows, set operations, correlated subqueries
and lateral joins are followed. If a construct is not understood, the origin of each column that depends on it is
unknown. The reason is kept, so that no missing origin goes unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp
from sqlglot.errors import SqlglotError

from ops_project.pipeline.column_lineage.relations import NOTHING, Relation, Scope, Traced, all_of, free_name, named
from ops_project.pipeline.column_lineage.sources import Sources, Tables


def trace(sql: str, tables: Tables) -> Relation:
    """The columns of a query. Raises ValueError if the text cannot be parsed, or if it is not a query."""
    try:
        tree: exp.Expr = exp.maybe_parse(sql, dialect="duckdb")
    except SqlglotError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if not isinstance(tree, exp.Query):
        raise ValueError(f"it is not a query but {type(tree).__name__}")
    return _Tracer(tables).query(tree, {}, None)


class _Tracer(Sources):
    """Finds the origin of the columns of queries."""

    def query(self, node: exp.Expr, around: Mapping[str, Relation], outer: Scope | None) -> Relation:
        tables = dict(around)
        with_ = node.args.get("with_")
        if with_ is not None:
            for cte in with_.expressions:
                tables[cte.alias.lower()] = self._cte(cte, tables, outer, bool(with_.args.get("recursive")))
        if isinstance(node, exp.Subquery):
            return self.subquery(node, tables, outer)
        if isinstance(node, exp.SetOperation):
            return self._set(node, tables, outer)
        if isinstance(node, exp.Select):
            return self._select(node, tables, outer)
        if isinstance(node, exp.Values):
            return self.values(node, Scope(outer=outer), tables)
        if isinstance(node, exp.Table):
            return self.source(node, Scope(outer=outer), tables)[1]
        return Relation({}, why=f"{type(node).__name__} is not understood")

    def _cte(self, cte: exp.CTE, tables: Mapping[str, Relation], outer: Scope | None, recursive: bool) -> Relation:
        body = cte.this
        if recursive and isinstance(body, exp.SetOperation):
            name = cte.alias.lower()
            known = named(self.query(body.left, tables, outer), cte)
            # In a recursive query, each turn can add columns, and these can add more in the next turn. So the turns are
            # repeated until one adds nothing. The repetition ends, because the set of columns is finite.
            while (found := named(self.query(body, {**tables, name: known}, outer), cte)) != known:
                known = found
            return known
        return named(self.query(body, tables, outer), cte)

    def _set(self, node: exp.SetOperation, tables: Mapping[str, Relation], outer: Scope | None) -> Relation:
        left, right = self.query(node.left, tables, outer), self.query(node.right, tables, outer)
        rows = left.rows | right.rows
        if left.open or right.open:
            return Relation({}, rows, why="a set operation over a table whose columns are not known")
        if node.args.get("by_name"):
            names = list(dict.fromkeys([*left.columns, *right.columns]))
            columns = {n: left.columns.get(n, NOTHING) | right.columns.get(n, NOTHING) for n in names}
        elif len(left.columns) != len(right.columns):
            return Relation({}, rows, why="a set operation of queries with different numbers of columns")
        else:
            pairs = zip(left.columns.items(), right.columns.values(), strict=True)
            columns = {name: mine | other for (name, mine), other in pairs}
        if node.args.get("distinct") or isinstance(node, exp.Except | exp.Intersect):
            rows = rows | all_of(columns.values()).as_condition()
        return Relation(columns, rows)

    def _select(self, node: exp.Select, tables: Mapping[str, Relation], outer: Scope | None) -> Relation:
        scope, rows = Scope(outer=outer), NOTHING
        from_ = node.args.get("from_")
        items = [from_.this] if from_ is not None else []
        for item in items:
            rows = rows | self.add(item, scope, tables)
        for lateral in node.args.get("laterals") or ():
            rows = rows | self.add(lateral, scope, tables)
        for join in node.args.get("joins") or ():
            rows = rows | self.join(join, scope, tables)
        scope_rows = rows
        columns, stars, why = self._projections(node, scope, tables, scope_rows)
        scope.aliases.update(columns)
        for name in ("where", "group", "having", "qualify", "limit", "offset"):
            part = node.args.get(name)
            if part is not None:
                rows = rows | self.value(part, scope, tables, scope_rows).as_condition()
        if node.args.get("limit") is not None and node.args.get("order") is not None:
            rows = rows | self.value(node.args["order"], scope, tables, scope_rows).as_condition()
        distinct = node.args.get("distinct")
        if distinct is not None:
            on = distinct.args.get("on")
            chosen = self.value(on, scope, tables, scope_rows) if on is not None else all_of(columns.values())
            rows = rows | chosen.as_condition()
            if on is not None and node.args.get("order") is not None:
                rows = rows | self.value(node.args["order"], scope, tables, scope_rows).as_condition()
        return Relation(columns, rows, stars=tuple(stars), why=why)

    def _projections(
        self, node: exp.Select, scope: Scope, tables: Mapping[str, Relation], rows: Traced
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
                    why = why or "it selects * from something that is not known"
                self._star(star, found, columns, stars=stars, scope=scope, tables=tables, rows=rows)
            elif isinstance(item, exp.Columns) or (isinstance(item, exp.Alias) and isinstance(item.this, exp.Columns)):
                why = why or "COLUMNS(…) is not followed"
            else:
                name = (item.alias_or_name or item.sql(dialect="duckdb")).lower()
                value = self.value(item.unalias(), scope, tables, rows)
                columns[free_name(name, columns)] = value
                scope.aliases.setdefault(name, value)
        return columns, stars, why

    def _star(
        self,
        star: exp.Star,
        relations: Iterable[Relation],
        columns: dict[str, Traced],
        *,
        stars: list[Relation],
        scope: Scope,
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
                    value = self.value(replaced[name], scope, tables, rows)
                columns[free_name(renamed.get(name, name), columns)] = value
