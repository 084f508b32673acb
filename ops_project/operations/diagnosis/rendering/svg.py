"""A lineage graph as a picture. Each table is a card, each column is a line on it, and the sources are on the left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ops_project.column_lineage import ROWS, Column, LineageGraph
from ops_project.operations.diagnosis.rendering.tree import name_of

WIDTH, GAP, LINE, HEAD, MARGIN = 250, 90, 20, 28, 24
LETTERS = 30
COLORS = {"bronze": "#8a6636", "silver": "#5f6e7c", "gold": "#8a6c0e", "serving": "#3f6f3e", "models": "#5f4f8f"}
"""The colours of the cards. White text can be read on each of them (its contrast is 4.5 or more)."""
OTHER = "#566074"
STYLE = """
text{font:12px system-ui,sans-serif;fill:#1d2939}.head{font-weight:600;fill:#fff}.card{fill:#fff;stroke:#d0d5dd}
.root{fill:#fef3c7}.edge{fill:none;stroke:#667085;stroke-width:1.4}.condition,.rows{stroke-dasharray:5 4;stroke:#98a2b3}
.unknown{fill:#b42318}.absent{fill:#98a2b3}.personal{fill:#7a271a;font-weight:600}
@media (prefers-color-scheme:dark){text{fill:#e4e7ec}.card{fill:#1d2939;stroke:#475467}.root{fill:#54420b}
.unknown{fill:#fda29b}.personal{fill:#fecdca}}
""".replace("\n", "")


@dataclass(frozen=True)
class _Card:
    asset: str
    columns: Sequence[Column]
    x: int
    y: int

    @property
    def height(self) -> int:
        return HEAD + LINE * len(self.columns) + 8

    def line(self, column: Column) -> int:
        """The y coordinate of the middle of a column's line."""
        return self.y + HEAD + LINE * self.columns.index(column) + LINE // 2 + 2


def svg(graph: LineageGraph, link: Callable[[Column], str] | None = None) -> str:
    """The picture as one SVG element. A solid edge means that a value appears in the column. A dashed edge means that a
    value decides the column's value or its rows. `link`: gives the address for each column. A picture with links is
    part of a page, and uses the stylesheet of the page.
    """
    cards = _placed(graph)
    by_column = {column: card for card in cards for column in card.columns}
    width = max((card.x + WIDTH for card in cards), default=0) + MARGIN
    height = max((card.y + card.height for card in cards), default=0) + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="{"img" if link is None else "group"}" aria-label="{escape(title(graph), quote=True)}" '
        f'class="columns"><title>{escape(title(graph))}</title>' + (f"<style>{STYLE}</style>" if link is None else "")
    ]
    for hop in graph.hops:
        left, right = by_column[hop.parent], by_column[hop.child]
        x1, y1, x2, y2 = left.x + WIDTH, left.line(hop.parent), right.x, right.line(hop.child)
        if left is right:  # The rows of a table decide a column of the same table.
            x2 = x1
        bend = max(GAP // 2, abs(x2 - x1) // 2)
        toward = x2 - bend if left is not right else x2 + bend
        parts.append(f'<path class="edge {hop.kind}" d="M{x1},{y1} C{x1 + bend},{y1} {toward},{y2} {x2},{y2}"/>')
    parts += [_drawn(card, graph, link) for card in cards]
    return "".join([*parts, "</svg>"])


def title(graph: LineageGraph) -> str:
    """One sentence that describes the picture."""
    words = "comes from" if graph.direction == "up" else "goes to"
    return f"Where {name_of(graph.root)} {words}"


def html(graph: LineageGraph) -> str:
    """A complete page with the picture, its legend, and a list of the columns whose origin is unknown, with the
    reasons.
    """
    unknown = "".join(
        f"<li><code>{escape(name_of(column))}</code>: {escape(why)}</li>" for column, why in graph.unknown.items()
    )
    told = f"<h2>Unknown</h2><ul>{unknown}</ul>" if unknown else "<p>The origin of every column is known.</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title(graph))}</title><style>body{{font:14px system-ui,sans-serif;margin:1.5rem}}"
        ".picture{overflow:auto}</style></head><body>"
        f'<h1>{escape(title(graph))}</h1><div class="picture">{svg(graph)}</div>'
        "<p>A solid line: the value appears in the column. A dashed line: it decides the value, or which rows exist. "
        "● Personal data. Red: the origin is unknown. Grey: it comes from no column.</p>"
        f"{told}<p>Version of the code: {escape(graph.version or 'unknown')}</p></body></html>"
    )


def _placed(graph: LineageGraph) -> list[_Card]:
    """The cards with their places. A table's column in the picture is its longest path from the root; the sources are
    on the left.
    """
    level = _levels(graph)
    last = max(level.values(), default=0)
    columns: dict[str, list[Column]] = {}
    for column in sorted(graph.depth, key=lambda item: (graph.depth[item], item)):
        columns.setdefault(column.asset, []).append(column)
    cards: list[_Card] = []
    below: dict[int, int] = {}
    for asset in sorted(columns, key=lambda item: (level[item], item)):
        place = last - level[asset] if graph.direction == "up" else level[asset]
        y = below.get(place, MARGIN)
        card = _Card(asset, columns[asset], MARGIN + place * (WIDTH + GAP), y)
        below[place] = y + card.height + MARGIN
        cards.append(card)
    return cards


def _levels(graph: LineageGraph) -> Mapping[str, int]:
    level = {column.asset: 0 for column in graph.depth}
    # Tables form no cycle. If they did, this limit would still end the loop.
    for _ in range(len(level)):
        moved = False
        for hop in graph.hops:
            near, far = (hop.child, hop.parent) if graph.direction == "up" else (hop.parent, hop.child)
            if near.asset != far.asset and level[far.asset] < level[near.asset] + 1:
                level[far.asset], moved = level[near.asset] + 1, True
        if not moved:
            break
    return level


def _drawn(card: _Card, graph: LineageGraph, link: Callable[[Column], str] | None) -> str:
    color = COLORS.get(card.asset.partition("/")[0], OTHER)
    top = f"M{card.x},{card.y + HEAD} v-{HEAD - 6} q0,-6 6,-6 h{WIDTH - 12} q6,0 6,6 v{HEAD - 6} z"
    parts = [
        f'<g><rect class="card" x="{card.x}" y="{card.y}" width="{WIDTH}" height="{card.height}" rx="6"/>'
        f'<path fill="{color}" d="{top}"/>'
        f'<text class="head" x="{card.x + 10}" y="{card.y + 19}">{escape(_cut(card.asset.replace("/", ".")))}</text>'
    ]
    for column in card.columns:
        origin = graph.origins[column]
        y = card.line(column)
        if column == graph.root:
            parts.append(
                f'<rect class="root" x="{card.x + 1}" y="{y - LINE // 2}" width="{WIDTH - 2}" height="{LINE}"/>'
            )
        shown = "its rows" if column.name == ROWS else column.name
        personal = column in graph.personal
        kind = "personal" if personal else origin.state
        said = escape(f"{name_of(column)}: {origin.state}; {origin.reason}")
        line = (
            f'<text class="{kind}" x="{card.x + 10}" y="{y + 4}"><title>{said}</title>'
            f"{escape(_cut(shown))}{' ●' if personal else ''}{' ?' if origin.state == 'unknown' else ''}</text>"
        )
        parts.append(line if link is None else f'<a href="{escape(link(column), quote=True)}">{line}</a>')
    return "".join([*parts, "</g>"])


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"
