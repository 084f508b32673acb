"""`ops feed`: lists the configured feeds, drafts contracts, and tries a file against its contract before it lands."""

from __future__ import annotations

import os
import re
import shlex
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops_project import catalog
from ops_project.cli.output import console, emit, errors, json_option, styled, table, write_out
from ops_project.cli.person import by_option
from ops_project.counted import counted
from ops_project.model.feed.delivery_rules import NAME
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing import dry_run, pending
from ops_project.pipeline.landing.contract_sql import require_expressions
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.pipeline.landing.drafting import Drafted


# The longest name of a feed or domain. Tables and files are named after them, so the name must fit there.
LONGEST_NAME = 100


@click.group()
def feed() -> None:
    """List feeds; draft a contract from a file; check a file against its contract before it lands."""


@feed.command("list")
@click.option("--domain", help="Only the feeds of this domain.")
@json_option
@click.pass_obj
def list_feeds(settings: Settings, domain: str | None, as_json: bool) -> None:
    """List the feeds with their files, keys, expectations and contacts, and the files that wait for a run."""
    found = catalog.load(settings)
    feeds = [item for item in found.feeds.values() if domain in (None, item.domain)]
    if domain is not None and not feeds:
        known = sorted({item.domain for item in found.feeds.values()})
        raise click.UsageError(f"domain {domain!r} has no feeds; valid: {', '.join(known)}")
    data = [_describe(item, settings) for item in feeds]
    emit(as_json, data, lambda: _show(data))


def _describe(item: Feed, settings: Settings) -> dict[str, object]:
    return {
        "feed": item.name,
        "domain": item.domain,
        "table": f"bronze.{item.name}",
        "inbound": list(item.inbound),
        "format": item.format.kind,
        "extract": item.extract,
        "key": list(item.key),
        "expected": _expected(item),
        "enabled": item.enabled,
        "version": item.contracts()[-1].version,
        "owners": list(item.owners),
        "contact": str(item.contact),
        "personal_data": sorted(item.personal_columns()),
        "waiting": [file.name for file in pending(item, settings.inbound)],
        "description": item.description,
    }


def _expected(item: Feed) -> str:
    rule = item.expected
    if rule.kind in ("never", "daily"):
        return rule.kind
    if rule.kind == "days":
        return ", ".join(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][day] for day in rule.weekdays)
    return f"cron {rule.cron}" if rule.kind == "cron" else "monthly"


def _show(data: list[dict[str, Any]]) -> None:
    rows = [
        (
            item["domain"],
            item["feed"],
            "\n".join(item["inbound"]),
            item["extract"],
            ", ".join(item["key"]) or None,
            item["expected"],
            item["contact"] or None,
            len(item["waiting"]),
        )
        for item in data
    ]
    console.print(table(["domain", "feed", "inbound", "extract", "key", "expected", "contact", "waiting"], rows))


@feed.command("init")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--feed", "name", required=True, metavar="NAME", help="Name of the feed: the table is bronze.NAME.")
@click.option("--domain", required=True, help="Domain: the inbound folder, and the name of the contract's file.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write DIR/feeds/<domain>.yaml. Default: print the draft.",
)
@click.pass_obj
def init_feed(settings: Settings, file: Path, name: str, domain: str, out: Path | None) -> None:
    """Draft a contract from a sample FILE: how the file is written, its columns, their types and the key. Read and
    correct the draft, then run `ops feed check`.
    """
    from ops_project.pipeline.landing.drafting import make_draft

    for what, word in (("--feed", name), ("--domain", domain)):
        if not re.fullmatch(NAME, word) or len(word) > LONGEST_NAME:
            raise click.UsageError(
                f"{what} {word[:80]!r} must be lower case letters, digits and underscores, at most {LONGEST_NAME}"
            )
    target = out / "feeds" / f"{domain}.yaml" if out is not None else None
    if target is not None and target.exists():
        raise click.ClickException(f"{target} exists and is left as it is; without --out the draft is printed")
    try:
        drafted = make_draft(file, domain, name, settings.now(), work_in=_work_in(settings))
    except (ValueError, OSError, EOFError) as error:
        raise click.ClickException(str(error)) from None
    text = drafted.proposal.yaml()
    if target is None:
        write_out(text, end="")
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        console.print(f"written: {target}")
    _tell_trial(drafted, file)
    home = ["--home", str(settings.home)]
    if target is None:
        folder = str(settings.overlay or "my-config")
        again = ["ops", *home, "feed", "init", str(file), "--feed", name, "--domain", domain, "--out", folder]
        errors.print(f"next: {shlex.join(again)}", soft_wrap=True)
    else:
        check = ["ops", *home, "--config", str(out), "feed", "check", str(file), "--feed", name]
        console.print(f"next: {shlex.join(check)}", soft_wrap=True)


def _tell_trial(drafted: Drafted, file: Path) -> None:
    """Print to standard error what was doubtful, and how well the draft reads the file.

    Standard output holds only the draft, so it can be redirected into a file.
    """
    for doubt in drafted.proposal.doubts:
        errors.print(f"doubt: {doubt}", soft_wrap=True)
    report = drafted.report
    if report is None:
        errors.print(f"warning: the draft could not be tried on {file.name}: {drafted.failure}", soft_wrap=True)
        return
    good = report.would == "load" and report.rows_loaded == report.rows_in
    errors.print(
        f"{'' if good else 'warning: '}tried on {file.name}: of {counted(report.rows_in, 'row')} "
        + (f"{report.rows_loaded:,} would be loaded" if report.would == "load" else "none would be loaded")
        + f", {report.rows_quarantined:,} quarantined"
        + (f", {report.rows_collapsed:,} collapsed" if report.rows_collapsed else "")
        + ("" if good else "; correct the draft"),
        soft_wrap=True,
    )
    for problem in report.problems:
        errors.print(f"  {problem['kind']}: {problem['message']}", soft_wrap=True)
    for item in report.reasons:
        errors.print(
            f"  {item['column'] or 'row'}: {item['reason']}: {counted(item['rows'], 'row')}, first in line "
            f"{item['first_line']}",
            soft_wrap=True,
        )
    if drafted.rows:
        columns = list(drafted.rows[0])
        errors.print("As it would load:")
        errors.print(table(columns, [[row[name] for name in columns] for row in drafted.rows]))


@feed.command("replay")
@click.argument("name", metavar="FEED")
@click.option(
    "--date",
    "days",
    type=click.DateTime(["%Y-%m-%d"]),
    multiple=True,
    help="Only files of this business date, even if the present contract has already loaded them; may be given several "
    "times.",
)
@click.option(
    "--batch",
    "batches",
    multiple=True,
    metavar="ID",
    help="Only this batch, even if it was replaced; may be given several times.",
)
@click.option("--dry-run", is_flag=True, help="Only list the files that would be read again.")
@json_option
@click.pass_obj
def replay_feed(
    settings: Settings, *, name: str, days: tuple[datetime, ...], batches: tuple[str, ...], dry_run: bool, as_json: bool
) -> None:
    """Read archived files of FEED again under its present contract, and build what depends on them.

    Without --date and --batch, these files are read: every file that was loaded under an earlier contract, and every
    rejected file that no other file has replaced. If the present contract refuses a file, the file's old rows stay
    where they are.
    """
    from ops_project.cli.run import Wanted, perform
    from ops_project.pipeline.landing import ReplayOrder

    found = _feed(settings, name)
    if days and batches:
        raise click.UsageError("--date and --batch exclude each other")
    order = ReplayOrder(name, tuple(sorted({day.date() for day in days})), batches)
    if not dry_run:
        perform(settings, Wanted(domains=(found.domain,), replays=(order,)), as_json)
        return
    from ops_project.defs.shared.execute import ReplayError, planned
    from ops_project.defs.shared.site import Site
    from ops_project.process import locks

    try:
        with locks.hold(settings.lock, owner="ops feed replay --dry-run", now=settings.now()):
            chosen = planned(Site.load(settings), order)
    except ReplayError as error:
        raise click.ClickException(str(error)) from None
    columns = ["batch", "business date", "file", "status"]
    rows = [(item.batch_id, item.business_date, item.file_name, item.status) for item in chosen]
    data = [dict(zip(("batch_id", "business_date", "file_name", "status"), row, strict=True)) for row in rows]
    emit(as_json, data, lambda: console.print(table(columns, rows) if rows else "Nothing to replay."))


@feed.command("confirm")
@click.argument("name", metavar="FEED")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The business date that is in doubt."
)
@click.option("--why", required=True, help="What the source said; kept with the confirmation.")
@by_option("The person who confirms the delivery.")
@json_option
@click.pass_obj
def confirm_feed(settings: Settings, *, name: str, day: datetime, why: str, by: str, as_json: bool) -> None:
    """Confirm that the delivery of a date is complete although it looked incomplete.

    The finding and its alert close. A file that was refused because it looked incomplete is loaded. Another file of
    that date is checked again. `ops.confirmations` and the ledger's audit log record who confirmed what, when and why.
    """
    from ops_project.cli.confirm import confirm_delivery

    found = _feed(settings, name)
    if not why.strip():
        raise click.UsageError("--why is empty: a confirmation needs what the source said")
    confirm_delivery(settings, found, day.date(), by=by, why=why.strip(), as_json=as_json)


def _work_in(settings: Settings) -> Path | None:
    """The folder in which the check makes its temporary files. It is the home, because other users cannot read the
    home. None, which means the system's own place, if there is no home that can be written to.
    """
    return settings.home if os.access(settings.home, os.W_OK) else None


def _feed(settings: Settings, name: str) -> Feed:
    loaded = catalog.load(settings)
    require_expressions(loaded)
    feeds = loaded.feeds
    if name not in feeds:
        close = get_close_matches(name, list(feeds), n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        raise click.UsageError(f"feed {name!r} does not exist{meant}; valid: {', '.join(sorted(feeds))}")
    return feeds[name]


@feed.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--feed", "name", required=True, metavar="NAME", help="The feed whose contract is used.")
@json_option
@click.pass_context
def check_file(ctx: click.Context, file: Path, name: str, as_json: bool) -> None:
    """Check FILE against a contract: show drift, bad rows, and what landing would do. The exit code is 1 if the file
    would not be loaded.

    FILE may lie in the archive, under the name that it has there. If the contract requires a control file, it is looked
    for beside FILE.
    """
    settings: Settings = ctx.obj
    report = dry_run.check(file, _feed(settings, name), settings.now(), work_in=_work_in(settings))
    emit(as_json, report, lambda: _show_report(report))
    if report.would != "load":
        ctx.exit(1)


def _show_report(report: dry_run.Report) -> None:
    what = {
        "load": ("green", "would be loaded"),
        "reject": ("red", "would be rejected"),
        "wait": ("yellow", "would wait for its control file"),
    }.get(report.would, ("red", "could not be examined"))
    against = f" against {report.feed}, contract version {report.contract_version}, "
    console.print(
        styled(("bold", report.file_name), f"{against}business date {report.business_date}: ", what), soft_wrap=True
    )
    console.print(
        f"rows in {report.rows_in:,} = loaded {report.rows_loaded:,} + quarantined {report.rows_quarantined:,} "
        f"+ filtered {report.rows_filtered:,} + collapsed {report.rows_collapsed:,}"
    )
    for note in report.notes:
        console.print(f"note: {note}", markup=False)
    for problem in report.problems:
        console.print(f"{problem['kind']}: {problem['message']}", markup=False)
    if report.reasons:
        rows = [(item["column"], item["reason"], item["rows"], item["first_line"]) for item in report.reasons]
        console.print(table(["column", "reason", "rows", "first line"], rows, title="Quarantined rows"))
    if report.rows:
        console.print(
            table(
                ["line", "reason", "raw text"], [(row["line"], row["reason"], row["raw_text"]) for row in report.rows]
            )
        )
