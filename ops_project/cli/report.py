"""`ops report`: reports on a day, week, month or quarter. A report on a past date gives the same bytes each time."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ops_project.cli.output import console, emit, errors, json_option, table, write_out
from ops_project.operations.reports.kinds import KINDS
from ops_project.settings import Settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PRINT_SECONDS = 60


@click.command()
@click.argument("what", type=click.Choice([*KINDS, "list", "due"]))
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last period that ends on this day or earlier. Default: the newest.",
)
@click.option(
    "--format", "shape", type=click.Choice(["md", "html", "pdf"]), default="md", show_default=True, help="The format."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file. It is needed for a PDF."
)
@click.option("--send", is_flag=True, help="Also send the report by e-mail to its readers; each reader gets it once.")
@json_option
@click.pass_obj
def report(
    settings: Settings, *, what: str, day: datetime | None, shape: str, out: Path | None, send: bool, as_json: bool
) -> None:
    """Make a report, or print the one that was stored. `list` shows the stored reports. `due` makes every report whose
    period has ended, as the schedule does.

    A report shows what was known at the end of its period. Its figures are stored in reports/ of the home, so a report
    on a past date gives the same bytes each time.
    """
    from ops_project.catalog import load
    from ops_project.console.drawn_reports import due
    from ops_project.console.drawn_reports import report as drawn
    from ops_project.console.drawn_reports import send as queue
    from ops_project.console.site import Site
    from ops_project.operations.reports import document
    from ops_project.operations.reports.kept import listed
    from ops_project.operations.reports.period import NotOver

    load(settings)
    now = settings.now()
    site = Site(settings, settings.now)
    try:
        if what == "list":
            rows = [{"kind": item.kind, "until": item.last, "file": str(item.path)} for item in listed(settings)]
            shown = [list(row.values()) for row in rows]
            emit(as_json, rows, lambda: console.print(table(("kind", "until", "file"), shown) if rows else "None yet."))
            return
        if what == "due":
            made = [(facts, queue(site, facts, now) if send else 0) for facts in due(site, now)]
            told = [{"kind": facts.kind, "until": facts.last, "mails": count} for facts, count in made]
            words = "\n".join(f"{item['kind']} {item['until']}: {item['mails']} mails" for item in told)
            emit(as_json, told, lambda: console.print(words or "Nothing is due.", markup=False))
            return
        try:
            facts = drawn(site, KINDS[what], day.date() if day else None, now)
        except NotOver as error:
            raise click.UsageError(f"--date: {error}") from None
        if send:
            count = queue(site, facts, now)
            errors.print(f"{count} mails queued; the alert cycle delivers them.", soft_wrap=True)
    finally:
        site.reader.close()
    if as_json:
        emit(True, facts.dump(), lambda: None)
        return
    if shape == "pdf":
        if out is None:
            raise click.UsageError("--format pdf writes a file: name it with --out")
        out.write_bytes(as_pdf(document.as_html(facts), facts.until))
        _written(out, facts.kind, facts.last)
        return
    text = document.as_html(facts) if shape == "html" else document.as_markdown(facts)
    if out is not None:
        out.write_text(text, encoding="utf-8")
        _written(out, facts.kind, facts.last)
        return
    write_out(text, end="")


def _written(out: Path, kind: str, until: str) -> None:
    errors.print(f"{out}: the {kind} report until {until}", markup=False, soft_wrap=True)


def as_pdf(html: str, until: str) -> bytes:
    """The document as a PDF, which Chromium prints. The time of printing is replaced by the report's own time, so that
    the same report gives the same bytes.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise click.ClickException(
            "a PDF is printed by Chromium, which is not installed here (Debian: apt-get install chromium); "
            "--format html can be printed by any browser"
        )
    with tempfile.TemporaryDirectory(prefix="ops-report-") as folder:
        page, printed = Path(folder) / "report.html", Path(folder) / "report.pdf"
        page.write_text(html, encoding="utf-8")
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            # The shared memory of a container is often too small to render a page.
            "--disable-dev-shm-usage",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/p",
        ]
        command = [browser, *options, f"--print-to-pdf={printed}", page.as_uri()]
        done: Any = None
        try:
            done = subprocess.run(command, capture_output=True, timeout=PRINT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise click.ClickException(f"{browser} did not print within {PRINT_SECONDS} s") from None
        if not printed.is_file():
            said = done.stderr.decode("utf-8", "replace").strip()[-500:]
            raise click.ClickException(f"{browser} did not print: {said}")
        return stamped(printed.read_bytes(), datetime.fromisoformat(until))


def stamped(pdf: bytes, at: datetime) -> bytes:
    """The same PDF with `at` as its time of creation. The new time has as many bytes as the old one, so the index
    inside the PDF stays valid.
    """
    stamp = f"D:{at:%Y%m%d%H%M%S}".encode()
    return re.sub(rb"(/(?:CreationDate|ModDate) \()D:\d{14}", lambda found: found[1] + stamp, pdf)
