"""The text of a report, as Markdown, and as HTML for a browser, a printer or a mail. The same facts always give the
same bytes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from markdown_it import MarkdownIt

from ops_project.counted import counted
from ops_project.operations.reports.facts import FigureFacts, ReportFacts
from ops_project.operations.reports.judge import judge

STATES = {"well": "All is well", "wrong": "Something is wrong", "unknown": "Not everything is known"}
MOST_ROWS = 15
SPECIAL = re.compile(r"[\\|*\[\]<>]|(?<![^\W_])_|_(?![^\W_])")
"""The characters that Markdown treats as markup. An underscore inside a word is not among them."""
MOMENTS = ("opened_at", "resolved_at")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_STYLE = (
    "body{margin:0 auto;max-width:46rem;padding:1.5rem;color:#16202b;background:#fff;"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif}"
    "h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:1.4rem 0 .3rem}"
    "table{border-collapse:collapse;width:100%;font-size:13px;margin:.3rem 0}"
    "th{text-align:left;border-bottom:1px solid #b9c1ca;padding:3px 8px 3px 0;color:#4b5865}"
    "td{border-bottom:1px solid #dde1e6;padding:3px 8px 3px 0;vertical-align:top}"
    "code{background:#eef0f2;border-radius:3px;padding:0 3px}em{color:#65717d}"
)


def as_markdown(facts: ReportFacts) -> str:
    """The report as Markdown: what happened, what it meant and what to do, and then the figures with their
    definitions.
    """
    found = judge(facts)
    span = facts.first if facts.first == facts.last else f"{facts.first} to {facts.last}"
    lines = [
        f"# {facts.title}: {span}",
        "",
        f"*{facts.asks}*",
        "",
        f"Known up to {_moment(facts.until, facts.zone)}; drawn up {_moment(facts.drawn_at, facts.zone)}.",
        "",
        f"**{STATES[found.state]}.**",
    ]
    for heading, sentences in (
        ("What happened", found.happened),
        ("What it meant", found.meant),
        ("What to do", found.todo),
    ):
        lines += ["", f"## {heading}", "", *(f"- {_escaped(sentence)}" for sentence in dict.fromkeys(sentences))]
    for figure in facts.figures:
        lines += ["", f"## {figure.title}", "", *_figure(figure, facts.zone)]
    return "\n".join(lines) + "\n"


def as_html(facts: ReportFacts) -> str:
    """A complete HTML document, without references to other files."""
    body = _MARKDOWN.render(as_markdown(facts))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(facts.title)}, {escape(facts.last)}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{body}</body></html>\n"
    )


def subject(facts: ReportFacts) -> str:
    """The subject of the mail that contains the report."""
    return f"[{judge(facts).state}] {facts.title}, {facts.last}"


def _figure(figure: FigureFacts, zone: str) -> list[str]:
    where = figure.source + (f", as of {_moment(figure.source_as_of, zone)}" if figure.source_as_of else "")
    lines = [f"*{figure.tells}* {f'({where})' if where else ''}".rstrip(), ""]
    if not figure.known:
        return [*lines, f"Unknown. {_escaped(figure.unknown or figure.empty)}"]
    if not figure.rows:
        return [*lines, "None."]
    lines += [
        "| " + " | ".join(name.replace("_", " ") for name in figure.columns) + " |",
        "|" + "---|" * len(figure.columns),
    ]
    for row in figure.rows[:MOST_ROWS]:
        cells = [_cell(name, value, zone) for name, value in zip(figure.columns, row, strict=True)]
        lines.append("| " + " | ".join(cells) + " |")
    if len(figure.rows) > MOST_ROWS:
        lines += ["", f"The first {MOST_ROWS} of {counted(len(figure.rows), 'row')}."]
    return lines


def _cell(name: str, value: Any, zone: str) -> str:
    if value is None:
        return "open" if name == "resolved_at" else "unknown"
    if name in MOMENTS and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return _escaped(str(value))


def _escaped(text: str) -> str:
    """The text in one line. Only text in backticks keeps a meaning in Markdown; everything else is escaped."""
    joined = " ".join(text.split())
    if "`" in joined:
        return joined.replace("|", "\\|").replace("<", "&lt;")
    return SPECIAL.sub(r"\\\g<0>", joined)


def _moment(text: str, zone: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %Z}"
