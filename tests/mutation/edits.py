"""Single edits of a query, as a person makes them by mistake: each one is plausible, parses and mostly still runs.

Knows nothing of dbt and of DuckDB: it takes a parsed query and yields edits of it. An edit is applied to a copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

# dbt puts the rows of a unit test into common table expressions with this name. They are not part of the model.
FIXTURE = "__dbt__cte__"

BOUNDARIES: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
}
OPPOSITES: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.Add: exp.Sub,
    exp.Sub: exp.Add,
    exp.Lag: exp.Lead,
    exp.Lead: exp.Lag,
    exp.Min: exp.Max,
    exp.Max: exp.Min,
    exp.Sum: exp.Max,
    exp.Avg: exp.Max,
    exp.Greatest: exp.Least,
    exp.Least: exp.Greatest,
    exp.NullSafeEQ: exp.EQ,
    exp.NullSafeNEQ: exp.NEQ,
}
# The places in which a number limits or shifts something.
BOUNDED = (
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.EQ,
    exp.NEQ,
    exp.Add,
    exp.Sub,
    exp.Between,
    exp.Interval,
    exp.WindowSpec,
    exp.Neg,
    exp.Lag,
    exp.Lead,
    exp.DateAdd,
    exp.DateSub,
)
JOINS = {"LEFT": "", "": "LEFT", "FULL": "LEFT", "RIGHT": ""}


@dataclass(frozen=True)
class Edit:
    """One edit. `position`: of the node in the walk of the query; `place`: the common table expression, or `result`."""

    kind: str
    place: str
    text: str
    """What changes into what, for a reader."""
    position: int
    apply: Callable[[exp.Expr], exp.Expr | None]
    """Gets the copied node. Returns its replacement, or None if it changed the node itself."""

    def applied(self, query: exp.Expr) -> exp.Expr:
        """A copy of the query with this edit."""
        copy = query.copy()
        node = list(copy.walk())[self.position]
        instead = self.apply(node)
        if instead is not None and instead is not node:
            node.replace(instead)
        return copy


def edits(query: exp.Expr) -> Iterator[Edit]:
    """Every edit of the query that this module knows, in the order of its text."""
    for position, node in enumerate(query.walk()):
        place = _place(node)
        if place.startswith(FIXTURE):
            continue
        for kind, text, apply in _of(node):
            yield Edit(kind, place, text, position, apply)


def _inner(found: exp.Expr) -> exp.Expr:
    inner = found.this.copy()
    assert isinstance(inner, exp.Expr)
    return inner


def _place(node: exp.Expr) -> str:
    outermost = "result"
    parent: exp.Expr | None = node
    while parent is not None:
        if isinstance(parent, exp.CTE):
            outermost = parent.alias
        parent = parent.parent
    return outermost


Found = tuple[str, str, Callable[[exp.Expr], exp.Expr | None]]


# The name of a table in a unit test or a build. A reader knows the table by its own name.
QUALIFIED = re.compile(
    FIXTURE + r'(?:(?:bronze|ops)__)?(\w+)|(?:"?\w+"?\.)?"?\b(?:bronze|silver|gold|ops)\b"?\."?(\w+)"?'
)


def _sql(node: exp.Expr) -> str:
    text = " ".join(node.sql(dialect="duckdb", comments=False).split())
    return QUALIFIED.sub(lambda found: found[1] or found[2], text)


def _of(node: exp.Expr) -> Iterator[Found]:
    yield from _joins(node)
    yield from _conditions(node)
    yield from _ends(node)
    yield from _windows(node)
    yield from _signs_and_aggregates(node)
    yield from _nulls(node)
    yield from _sets(node)


def _joins(node: exp.Expr) -> Iterator[Found]:
    if not isinstance(node, exp.Join) or node.args.get("kind") == "CROSS":
        return
    side = (node.side or "").upper()

    def other_side(join: exp.Expr) -> None:
        join.set("side", JOINS[side])
        join.set("kind", None)

    if side in JOINS and node.args.get("on") is not None:
        joined = node.this.alias if isinstance(node.this, exp.Subquery) else _sql(node.this)
        yield "join", f"{side or 'INNER'} JOIN {joined} becomes {JOINS[side] or 'INNER'}", other_side
    condition = node.args.get("on")
    if condition is not None:
        yield from _dropped(condition, "on", f"join key of {node.this.alias_or_name}")


def _dropped(condition: exp.Expr, argument: str, what: str) -> Iterator[Found]:
    """Each part of a conjunction is left out."""
    parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    if len(parts) < 2:
        return
    for index, part in enumerate(parts):
        if part.find(exp.Column) is None:
            # A macro gives this text in a build of everything, or of nothing.
            continue

        def without(owner: exp.Expr, index: int = index) -> None:
            found = owner.args[argument]
            kept = [item for at, item in enumerate(found.flatten()) if at != index]
            owner.set(argument, exp.and_(*kept))

        yield ("join key" if argument == "on" else "filter", f"without {_sql(part)} ({what})", without)


def _conditions(node: exp.Expr) -> Iterator[Found]:
    if isinstance(node, exp.Where | exp.Having | exp.Qualify):
        yield from _dropped(node.this, "this", type(node).__name__.lower())
        if not isinstance(node.this, exp.And | exp.Boolean):

            def always(clause: exp.Expr) -> None:
                clause.set("this", exp.true())

            yield "filter", f"without {_sql(node)}", always
    if isinstance(node, exp.If | exp.Alias):
        yield from _dropped(node.this, "this", "case" if isinstance(node, exp.If) else node.alias)
    if isinstance(node, exp.Filter):

        def unfiltered(found: exp.Expr) -> exp.Expr:
            return _inner(found)

        yield "filter", f"{_sql(node)} without its filter", unfiltered
    if isinstance(node, exp.Or):

        def conjunction(found: exp.Expr) -> exp.Expr:
            return exp.And(this=found.this.copy(), expression=found.expression.copy())

        yield "filter", f"{_sql(node)}: or becomes and", conjunction
    if isinstance(node, exp.And) and isinstance(node.parent, exp.If | exp.Paren | exp.Alias | exp.Filter):

        def disjunction(found: exp.Expr) -> exp.Expr:
            return exp.Or(this=found.this.copy(), expression=found.expression.copy())

        yield "filter", f"{_sql(node)}: and becomes or", disjunction
    if isinstance(node, exp.Not) and node.find(exp.Column) is not None:

        def affirmed(found: exp.Expr) -> exp.Expr:
            return _inner(found)

        yield "filter", f"{_sql(node)} without not", affirmed
    if isinstance(node, exp.Case) and len(node.args["ifs"]) > 1:
        for index, branch in enumerate(node.args["ifs"]):

            def without(found: exp.Expr, index: int = index) -> None:
                found.set("ifs", [item for at, item in enumerate(found.args["ifs"]) if at != index])

            yield "filter", f"without the case {_sql(branch)}", without
    if isinstance(node, exp.In) and len(node.expressions) > 1:
        for index, item in enumerate(node.expressions):

            def shorter(found: exp.Expr, index: int = index) -> None:
                found.set("expressions", [value for at, value in enumerate(found.expressions) if at != index])

            yield "filter", f"{_sql(node)} without {_sql(item)}", shorter


def _ends(node: exp.Expr) -> Iterator[Found]:
    if type(node) in BOUNDARIES:
        other = BOUNDARIES[type(node)]

        def moved(found: exp.Expr) -> exp.Expr:
            return other(this=found.this.copy(), expression=found.expression.copy())

        yield (
            "interval end",
            f"{_sql(node)}: the end {'counts' if other in (exp.GTE, exp.LTE) else 'is left out'}",
            moved,
        )
    if isinstance(node, exp.Between):
        for end, low, high in (("first", exp.GT, exp.LTE), ("last", exp.GTE, exp.LT)):

            def open_ended(found: exp.Expr, low: type[exp.Expr] = low, high: type[exp.Expr] = high) -> exp.Expr:
                return exp.paren(
                    exp.and_(
                        low(this=found.this.copy(), expression=found.args["low"].copy()),
                        high(this=found.this.copy(), expression=found.args["high"].copy()),
                    )
                )

            yield "interval end", f"{_sql(node)} without its {end} value", open_ended
    if isinstance(node, exp.Literal) and node.is_int and _counts(node):

        def one_more(found: exp.Expr) -> exp.Expr:
            return exp.Literal.number(int(found.name) + 1)

        yield "interval end", f"{_sql(node.parent or node)}: {node.name} becomes {int(node.name) + 1}", one_more


def _counts(literal: exp.Literal) -> bool:
    """True for a number that limits or shifts something; not for the precision of a type or of a rounding."""
    parent = literal.parent
    if isinstance(parent, exp.DataTypeParam | exp.Round | exp.Group | exp.Ordered | exp.Anonymous | exp.Limit):
        return False
    return isinstance(parent, BOUNDED)


def _windows(node: exp.Expr) -> Iterator[Found]:
    if isinstance(node, exp.Window):
        for index, part in enumerate(node.args.get("partition_by") or []):

            def fewer(found: exp.Expr, index: int = index) -> None:
                found.set("partition_by", [p for at, p in enumerate(found.args["partition_by"]) if at != index])

            yield "window", f"{_sql(node)} without partition by {_sql(part)}", fewer
    if (
        isinstance(node, exp.Ordered)
        and isinstance(node.parent, exp.Order)
        and isinstance(node.parent.parent, exp.Window)
    ):

        def turned(found: exp.Expr) -> None:
            found.set("desc", not found.args.get("desc"))

        yield "window", f"{_sql(node.parent.parent)}: order of {_sql(node)} is turned", turned
    if isinstance(node, exp.RowNumber):

        def ranked(found: exp.Expr) -> exp.Expr:
            return exp.Anonymous(this="rank")

        yield "window", f"{_sql(node.parent or node)}: row_number becomes rank", ranked


def _signs_and_aggregates(node: exp.Expr) -> Iterator[Found]:
    other = OPPOSITES.get(type(node))
    if other is not None:

        def opposite(found: exp.Expr) -> exp.Expr:
            return other(**{name: _copied(value) for name, value in found.args.items()})

        if not (isinstance(node, exp.Sum | exp.Avg) and isinstance(node.this, exp.Distinct)):
            kind = "sign" if isinstance(node, exp.Add | exp.Sub) else "aggregate"
            if isinstance(node, exp.Lag | exp.Lead):
                kind = "window"
            if isinstance(node, exp.NullSafeEQ | exp.NullSafeNEQ):
                kind = "NULL"
            yield kind, f"{_sql(node)}: {type(node).__name__} becomes {other.__name__}", opposite
    if isinstance(node, exp.Neg) and not isinstance(node.this, exp.Literal):

        def positive(found: exp.Expr) -> exp.Expr:
            return _inner(found)

        yield "sign", f"{_sql(node)} without its sign", positive
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct):

        def repeated(found: exp.Expr) -> None:
            found.set("this", found.this.expressions[0].copy())

        yield "distinct", f"{_sql(node)} without distinct", repeated


def _copied(value: object) -> object:
    if isinstance(value, exp.Expr):
        return value.copy()
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


def _nulls(node: exp.Expr) -> Iterator[Found]:
    if isinstance(node, exp.Coalesce):

        def first_only(found: exp.Expr) -> exp.Expr:
            return _inner(found)

        yield "NULL", f"{_sql(node)} becomes {_sql(node.this)}", first_only
    if isinstance(node, exp.Nullif):

        def as_it_is(found: exp.Expr) -> exp.Expr:
            return _inner(found)

        yield "NULL", f"{_sql(node)} becomes {_sql(node.this)}", as_it_is
    if isinstance(node, exp.Is) and not isinstance(node.parent, exp.Not):

        def negated(found: exp.Expr) -> exp.Expr:
            return exp.not_(found.copy())

        yield "NULL", f"{_sql(node)} is negated", negated


def _sets(node: exp.Expr) -> Iterator[Found]:
    if isinstance(node, exp.Select) and node.args.get("distinct") is not None:

        def all_rows(found: exp.Expr) -> None:
            found.set("distinct", None)

        yield "distinct", f"select without distinct: {_sql(node)}", all_rows
    if isinstance(node, exp.Union):

        def other_set(found: exp.Expr) -> None:
            found.set("distinct", not found.args.get("distinct"))

        yield (
            "distinct",
            f"{_sql(node)}: union {'' if node.args.get('distinct') else 'all '}becomes the other",
            other_set,
        )
