"""Finds which columns an expression uses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from ops_project.pipeline.column_lineage.relations import NOTHING, Relation, Scope, Traced, all_of

NILADIC = frozenset({"current_date", "current_timestamp", "current_time", "localtimestamp", "user", "rowid"})


class Expressions(ABC):
    """Analyses expressions, and the queries inside them."""

    @abstractmethod
    def query(self, node: exp.Expr, around: Mapping[str, Relation], outer: Scope | None) -> Relation:
        """The columns of a query.

        `around`: the common table expressions that the query can use, by name.
        `outer`: the names that the enclosing query can see.
        """

    def value(self, node: exp.Expr | None, scope: Scope, tables: Mapping[str, Relation], rows: Traced) -> Traced:
        """The columns that an expression uses.

        `rows`: the columns that decide which rows an aggregate counts.
        """
        if node is None:
            return NOTHING
        if isinstance(node, exp.Column):
            return self._reference(node, scope)
        if isinstance(node, exp.Query):
            return self._nested(node, scope, tables)
        if isinstance(node, exp.Lambda):
            names = frozenset(item.name.lower() for item in node.expressions)
            return self.value(node.this, replace(scope, local=scope.local | names), tables, rows)
        if isinstance(node, exp.Comprehension):
            names = frozenset({node.expression.name.lower()})
            inside = replace(scope, local=scope.local | names)
            condition = self.value(node.args.get("condition"), inside, tables, rows).as_condition()
            listed = self.value(node.args.get("iterator"), scope, tables, rows)
            return listed | self.value(node.this, inside, tables, rows) | condition
        if isinstance(node, exp.Window):
            order = [*(node.args.get("partition_by") or ()), node.args.get("order")]
            placed = all_of(self.value(item, scope, tables, rows) for item in order)
            return self.value(node.this, scope, tables, rows) | placed.as_condition()
        if isinstance(node, exp.Count | exp.CountIf | exp.ApproxDistinct):
            # A count of rows contains no value of these rows.
            return self._children(node, scope, tables, rows).as_condition() | rows.as_condition()
        parts = self._children(node, scope, tables, rows)
        if isinstance(node, exp.AggFunc) and not parts.values and not parts.conditions:
            return parts | rows.as_condition()
        return parts.as_condition() if isinstance(node, exp.Predicate) else parts

    def _nested(self, node: exp.Expr, scope: Scope, tables: Mapping[str, Relation]) -> Traced:
        """The columns that a query uses if an expression uses the query as a value."""
        found = self.query(node, tables, scope)
        shown = all_of(found.columns.values())
        if found.open:
            shown = shown | Traced(unknown=found.why)
        exists = isinstance(node.parent, exp.Exists)
        return (shown.as_condition() if exists else shown) | found.rows.as_condition()

    def _children(self, node: exp.Expr, scope: Scope, tables: Mapping[str, Relation], rows: Traced) -> Traced:
        found = NOTHING
        for name, value in node.args.items():
            children = [
                self.value(item, scope, tables, rows)
                for item in (value if isinstance(value, list) else [value])
                if isinstance(item, exp.Expr)
            ]
            part = all_of(children)
            decides = (isinstance(node, exp.If) and name == "this") or (
                isinstance(node, exp.Filter | exp.Order) and name in ("expression", "expressions")
            )
            found = found | (part.as_condition() if decides else part)
        return found

    def _reference(self, node: exp.Column, scope: Scope) -> Traced:
        parts = [part.name.lower() for part in node.parts]
        if isinstance(node.this, exp.Star):
            return NOTHING
        name, table = parts[-1], parts[-2] if len(parts) > 1 else ""
        # The name is `schema.table.column`, or its last part is a field of a structure. The first part that is a table
        # of the query is searched for. The part after it is the column.
        for first in range(len(parts) - 1):
            if parts[first] in scope.sources:
                table, name = parts[first], parts[first + 1]
                break
        found = scope.column(name, table)
        if found is None and len(parts) == 1 and name in NILADIC:
            return NOTHING
        if found is None:
            return Traced(unknown=f"column {'.'.join(parts)} belongs to no table of the query")
        return found
