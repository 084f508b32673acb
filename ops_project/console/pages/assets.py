"""Tables: who owns them, who reads them, what they are built from, and the results of their checks and builds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import Route

from ops_project.column_lineage import ROWS, Column, assets_of
from ops_project.console.graph import drawing
from ops_project.console.pages.alerts import firing_by_asset
from ops_project.console.pages.feeds import records
from ops_project.console.views import Ask, NotThere, page
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING
from ops_project.operations.diagnosis.columns import trace
from ops_project.operations.diagnosis.rendering import svg
from ops_project.operations.diagnosis.rendering.tree import name_of
from ops_project.settings import DBT_PROJECT_DIR

WEEKS = timedelta(days=14)
COLUMNS = """
select column_name, data_type, comment from duckdb_columns()
where schema_name = $schema and table_name = $table order by column_index
"""
SCORES = """
select as_of, score, completeness, validity, uniqueness, consistency, timeliness, row_count from ops.quality_scores
where table_schema = $schema and table_name = $table order by as_of desc limit 60
"""
BUILT = "select max(built_at) as built_at from ops.builds where model = $table"
MOST = 400


def routes() -> list[Route]:
    return [page("/assets", listed), page("/assets/{key:path}", one)]


def listed(ask: Ask) -> Response:
    lineage = ask.site.lineage
    wanted, domain = ask.query.get("q", "").strip().lower(), ask.query.get("domain", "")
    firing = firing_by_asset(ask.site.ledger)
    built = ask.site.ledger.last_ok("asset.failure")
    found = [
        fact
        for key, fact in sorted(lineage.assets.items())
        if (not wanted or wanted in key.lower() or wanted in " ".join(fact.owners).lower())
        and (not domain or fact.domain == domain)
    ]
    found.sort(key=lambda fact: (-firing[fact.key], fact.domain, fact.key))
    values: dict[str, Any] = {
        "assets": found[:MOST],
        "total": len(found),
        "firing": firing,
        "built": built,
        "wanted": wanted,
        "domain": domain,
        "domains": sorted({fact.domain for fact in lineage.assets.values()} - {""}),
    }
    return ask.show("asset_rows.html.j2" if ask.partial else "assets.html.j2", 200, **values)


def one(ask: Ask) -> Response:
    lineage, ledger, key = ask.site.lineage, ask.site.ledger, str(ask.path["key"])
    if key not in lineage.assets:
        raise NotThere(f"there is no table {key!r} in the asset graph; the list shows those that exist")
    fact = lineage.assets[key]
    schema, _, table = key.partition("/")
    firing = ledger.alerts("open", limit=None)
    alerts = [alert for alert in firing if key in (alert.asset, *alert.assets)]
    history = ledger.signals_of(key, ("check.failure", "check.warning", "asset.failure"), ask.now - WEEKS)
    checks: dict[str, list[Any]] = {name: [] for name in fact.checks}
    builds = []
    for signal in history:
        if signal.kind == "asset.failure":
            builds.append(signal)
        elif signal.check:
            checks.setdefault(signal.check, []).append(signal)
    wrong = {alert.asset for alert in firing} & set(lineage.assets)
    path = sql_file(table, ask.site.settings.overlay)
    return ask.show(
        "asset.html.j2",
        fact=fact,
        alerts=alerts,
        checks=[(name, readings[-40:]) for name, readings in sorted(checks.items())],
        builds=list(reversed(builds))[:20],
        last_built=ledger.last_ok("asset.failure").get(key),
        columns=records(ask, COLUMNS, schema=schema, table=table),
        origins=origins(ask, key),
        traced=traced(ask, key),
        column_address=lambda column: address(lineage, column, "up"),
        scores=records(ask, SCORES, schema=schema, table=table),
        picture=drawing(lineage, [key], up=True, wrong=wrong),
        up=len(lineage.ancestors(key)),
        down=len(lineage.descendants(key)),
        sql=path.read_text(encoding="utf-8") if path is not None else None,
        feed=table if schema == "bronze" and table in ask.site.catalog.feeds else "",
        firing=FIRING,
    )


def origins(ask: Ask, key: str) -> dict[str, tuple[str, str, list[Column], int]]:
    """The origin of each column of a table: column → (state, reason, sources, uses).

    The state is proven, absent or unknown. The sources are the columns that the column comes from. `uses` is the number
    of columns that come from it.
    """
    lineage = ask.site.columns
    if lineage is None:
        return {}
    found: dict[str, tuple[str, str, list[Column], int]] = {}
    for name in lineage.columns.get(key, ()):
        column = Column(key, name)
        origin = lineage.origin(column)
        children = sum(child.name != ROWS for child in lineage.children.get(column, ()))
        found[name] = (origin.state, origin.reason, [item for item in origin.values if item.name != ROWS], children)
    return found


@dataclass(frozen=True)
class Traced:
    """The origins or the uses of one column, as a picture."""

    column: str
    direction: Literal["up", "down"]
    title: str
    picture: Markup
    tables: int
    """The number of other tables in the picture."""
    unknown: dict[str, str]
    """Column whose origin could not be determined → the reason."""


def traced(ask: Ask, key: str) -> Traced | None:
    """The picture for the column that the address names (`?column=…`); None if the address names none. Raises
    NotThere.
    """
    name, lineage = ask.query.get("column", ""), ask.site.columns
    if not name:
        return None
    if lineage is None:
        raise NotThere("no run has stored column lineage here; `ops lineage` reads it from the code")
    if name not in lineage.columns.get(key, ()):
        valid = ", ".join(lineage.columns.get(key, ())) or "none"
        raise NotThere(f"{key} has no column {name!r} in the lineage that the last run stored; columns: {valid}")
    direction: Literal["up", "down"] = "down" if ask.query.get("direction") == "down" else "up"
    graph = trace(lineage, Column(key, name), direction)
    drawn = svg.svg(graph, lambda column: address(ask.site.lineage, column, direction))
    unknown = {name_of(column): why for column, why in graph.unknown.items()}
    others = len(assets_of(graph.depth) - {key})
    # The picture escapes each name that it draws.
    return Traced(
        column=name, direction=direction, title=svg.title(graph), picture=Markup(drawn), tables=others, unknown=unknown
    )


def address(known: Lineage, column: Column, direction: str) -> str:
    """The address of a column's page. A column of an inbound file has no such page, so its address is that of
    the feed.
    """
    if column.asset not in known.assets:
        return f"/feeds/{quote(column.asset.partition('/')[2])}"
    asked = "" if column.name == ROWS else f"?column={quote(column.name)}&direction={direction}#column"
    return f"/assets/{quote(column.asset)}{asked}"


def sql_file(table: str, overlay: Path | None) -> Path | None:
    """The file of the dbt model that makes a table; None if dbt does not make it."""
    roots = [DBT_PROJECT_DIR / "models", *([overlay / "models"] if overlay is not None else [])]
    return next((found for root in reversed(roots) if (found := _models(root).get(table)) is not None), None)


@lru_cache(maxsize=4)
def _models(root: Path) -> dict[str, Path]:
    return {path.stem: path for path in root.rglob("*.sql")}
