"""Templates and the words in them: times in the platform's zone, sizes, durations, and the three states."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from ops_project.console.access.visitor import Visitor
from ops_project.console.navigation import sections
from ops_project.console.site import Site
from ops_project.counted import counted
from ops_project.operations.alerting.decide.wording import human_bytes

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
UNKNOWN = "unknown"
WELL, WRONG = "well", "wrong"
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Frame:
    """The frame of a page: everything around its own content."""

    site: Site
    visitor: Visitor
    token: str
    path: str
    now: datetime
    flash: tuple[str, str] | None


def rendered(frame: Frame, template: str, status: int, values: Mapping[str, Any]) -> Response:
    """The HTML of a template."""
    site = frame.site
    catalog = site.catalog
    text = (
        _environment()
        .get_template(template)
        .render(
            {
                "visitor": frame.visitor,
                "token": frame.token,
                "path": frame.path,
                "now": frame.now,
                "zone": catalog.platform.zone,
                "platform_name": catalog.platform.name,
                "people": catalog.owners.people,
                "ui_url": site.ui_url,
                "sections": sections(frame.path, catalog.watches),
                "watches": catalog.watches,
                "flash": frame.flash,
                "frozen": site.settings.as_of is not None,
                **values,
            }
        )
    )
    return HTMLResponse(text, status)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "local": local,
        "clock": clock,
        "ago": ago,
        "lasted": lasted,
        "number": number,
        "bytes": sized,
        "percent": percent,
        "words": words,
        "cell": cell,
        "ticks": ticks,
        "counted": counted,
    }
    environment.globals |= {"asset_version": asset_version}
    return environment


@lru_cache(maxsize=1)
def asset_version() -> str:
    """A text that changes whenever a static file changes. The addresses of static files contain it, so that browsers
    may keep the files.
    """
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@pass_context
def local(context: Context, at: datetime | None, form: str = "%a %Y-%m-%d %H:%M") -> str:
    """A moment in the platform's time zone."""
    return UNKNOWN if at is None else at.astimezone(context["zone"]).strftime(form)


@pass_context
def clock(context: Context, at: datetime | None) -> str:
    """A moment in its shortest clear form: only the time for a moment of today, otherwise with the day."""
    if at is None:
        return UNKNOWN
    zone: ZoneInfo = context["zone"]
    here, today = at.astimezone(zone), context["now"].astimezone(zone)
    if here.date() == today.date():
        return f"{here:%H:%M}"
    return f"{here:%a %H:%M}" if abs(today - here) < timedelta(days=6) else f"{here:%Y-%m-%d %H:%M}"


@pass_context
def ago(context: Context, at: datetime | None) -> str:
    """The time since a moment, in one unit."""
    if at is None:
        return UNKNOWN
    seconds = (context["now"] - at).total_seconds()
    return f"in {lasted(-seconds)}" if seconds < -1 else f"{lasted(max(seconds, 0))} ago"


def lasted(seconds: float | timedelta | None) -> str:
    """A duration in one unit, or in its two largest units."""
    if seconds is None:
        return UNKNOWN
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes and hours < 12 else f"{hours} h"
    return f"{round(seconds / DAY_SECONDS)} days"


def number(value: Any, digits: int | None = None) -> str:
    """A number with its digits in groups of three; `unknown` if there is none."""
    if value is None:
        return UNKNOWN
    if digits is None:
        digits = 0 if isinstance(value, int) or float(value) == int(float(value)) or abs(float(value)) >= 1000 else 2
    return f"{value:,.{digits}f}".replace(",", "\u202f")


def sized(value: float | None) -> str:
    return UNKNOWN if value is None else human_bytes(value)


def percent(value: float | None, digits: int = 1) -> str:
    return UNKNOWN if value is None else f"{value:.{digits}f} %"


def words(value: str) -> str:
    """An identifier of the code, as words."""
    return value.replace("_", " ")


def ticks(text: str) -> Markup:
    """Text between backticks becomes code; everything else is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


@pass_context
def cell(context: Context, value: Any, column: str = "") -> str:
    """A value of a table. The name of its column decides its form."""
    if value is None:
        return UNKNOWN
    if column.endswith("bytes"):
        return sized(value)
    if column == "month" and isinstance(value, date):
        return f"{value:%Y-%m}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return local(context, value if value.tzinfo else value.replace(tzinfo=UTC), "%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return f"{value:%a %Y-%m-%d}"
    if isinstance(value, int | float) or type(value).__name__ == "Decimal":
        return number(value)
    return str(value)
