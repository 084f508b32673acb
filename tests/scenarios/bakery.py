"""A small home of the example domain, landed in this process without Dagster: the cheapest home with real tables."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.operations.ledger import Ledger
from ops_project.pipeline import landing
from ops_project.pipeline.landing import LandingResult
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.settings import PROJECT_ROOT, Settings

OVERLAY = PROJECT_ROOT / "examples" / "bakery"
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HEAD = "sale_id,shop,product,sold_on,pieces,price\n"
FEED = "bakery_sales"


def rows(day: str, count: int, first: int = 0) -> str:
    """A file of sales, none of which the contract refuses."""
    return HEAD + "".join(f"{number},North,Rye bread,{day},1,4.20\n" for number in range(first, first + count))


def deliver(settings: Settings, day: str, text: str) -> None:
    """Put a file into the inbound folder."""
    folder = settings.inbound / "bakery"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"sales_{day}.csv").write_text(text, encoding="utf-8")


def land(settings: Settings, days: tuple[date, ...] | None = None) -> LandingResult:
    """Land the waiting files, and take the final snapshot, as a run does."""
    found = catalog.load(settings)
    with writer(settings, found.platform, owner="test", now=settings.now()) as warehouse:
        landing.ensure_tables(warehouse.connection(), found.feeds.values())
        result = landing.land(
            warehouse.connection(),
            found.feeds[FEED],
            inbound=settings.inbound,
            archive=settings.archive,
            now=settings.now(),
            run_id="run",
            dates=days,
        )
        snapshots.take(warehouse, domain="bakery", run_id="run", as_of=settings.now(), commit="")
    return result


def built(home: Path, overlay: Path = OVERLAY) -> Settings:
    """Two days of sales, landed; a ledger with an entry."""
    settings = Settings(home=home, overlay=overlay, as_of=NOW)
    for number, day in enumerate(("2026-03-02", "2026-03-03")):
        deliver(settings, day, rows(day, 40, number * 1000))
    land(settings)
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.audit(NOW, who="ada", source="shell", action="test", subject="home", outcome="done", detail="built")
    return settings


def ops(settings: Settings, *words: str, code: int = 0) -> Any:
    """`ops … --json` in this process. Returns its answer."""
    ended = run(settings, *words, "--json")
    assert ended.exit_code == code, ended.output
    return json.loads(ended.stdout)


def run(settings: Settings, *words: str) -> Any:
    """Runs `ops …` in this process. Returns how it ended."""
    before = ["--home", str(settings.home), "--as-of", settings.now().isoformat()]
    if settings.overlay is not None:
        before += ["--config", str(settings.overlay)]
    return CliRunner().invoke(cli, [*before, *words])


def tables(settings: Settings) -> dict[str, str]:
    """Table → checksum, of the newest snapshot."""
    return {name: found.checksum for name, found in snapshots.newest(settings).tables.items()}


def rewrite(settings: Settings, name: str, old: str, new: str) -> None:
    """Change the first place that reads `old` in a file of the overlay."""
    assert settings.overlay is not None
    file = settings.overlay / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
