"""What `ops run` prints about its runs: a table with a line for each domain, then the findings. `as_data` gives the
same facts for `--json`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ops_project.cli.failed_checks import failed_checks
from ops_project.cli.output import table
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.catalog import Catalog
    from ops_project.dagster_bridge.runs import CheckOutcome
    from ops_project.defs.shared.domain_run import DomainRun

SHOWN_WARNINGS = 5
GENERAL = "`ops alerts list` and `ops alerts show N` say what to do first; `ops ui` shows the run"
NO_FILES = "no files yet"
QUIET = ("nothing new", NO_FILES)


def numbers_of(item: DomainRun) -> dict[str, int]:
    """The rows, tables and checks of a run: name → number."""
    batches = item.report.batches
    checks = item.outcome.checks if item.outcome else ()
    return {
        "rows_in": sum(batch["rows_in"] for batch in batches),
        "rows_loaded": sum(batch["rows_loaded"] for batch in batches),
        "rows_quarantined": sum(batch["rows_quarantined"] for batch in batches),
        "rows_filtered": sum(batch["rows_filtered"] for batch in batches),
        "rows_collapsed": sum(batch["rows_collapsed"] for batch in batches),
        "tables_built": len(item.outcome.built) if item.outcome else 0,
        "checks_passed": sum(check.passed is True for check in checks),
        "checks_warned": sum(check.warned for check in checks),
        "checks_failed": sum(check.failed for check in checks),
        "checks_not_run": sum(check.passed is None for check in checks),
    }


def as_data(settings: Settings, runs: list[DomainRun], seconds: float) -> dict[str, Any]:
    return {
        "home": settings.home,
        "seconds": round(seconds, 3),
        "failed": any(item.failed for item in runs),
        "runs": [
            {
                "domain": item.domain,
                "job": item.job,
                "state": item.ending,
                "run_id": item.run_id,
                "from": item.window[0] if item.window else None,
                "to": item.window[1] if item.window else None,
                "seconds": round(item.seconds, 3),
                "parts": {name: round(value, 3) for name, value in item.report.seconds.items()},
                "snapshot": item.report.snapshot,
                **numbers_of(item),
                "findings": item.report.findings,
                "not_published": item.report.held,
                "replayed": item.report.replayed,
                "retries": item.report.retries,
                "repaired": item.report.repaired,
                "on_hold": item.report.on_hold,
                "offers": item.report.offers,
                "failures": _failures(item),
                "warnings": _warnings(item),
            }
            for item in runs
        ],
    }


def _failures(item: DomainRun) -> list[str]:
    return [*_errors(item), *(line for check in _failed(item) for line in failed_checks([check], ()))]


def _errors(item: DomainRun) -> list[str]:
    found = [item.error] if item.error else []
    found += [item.report.error] if item.report.error else []
    if item.outcome is not None:
        told = item.report.error or ""
        found += [f"{step}: {words}" for step, words in item.outcome.failures if not (told and told in words)]
    return found


def _failed(item: DomainRun) -> list[CheckOutcome]:
    return [check for check in item.outcome.checks if check.failed] if item.outcome is not None else []


def _told(item: DomainRun) -> set[str]:
    """The assets (`bronze/orders`) whose findings are printed and are also judged by checks. A finding of a duplicate
    file that has been settled is printed too, but no check judges it, so it does not count.
    """
    settled = ("source_duplicate", "resolved")
    return {one["asset"] for one in item.report.findings if (one["kind"], one["state"]) != settled}


def _not_run(item: DomainRun) -> list[str]:
    """The checks of built tables that gave no result. The checks of a table on hold are not listed, because the table
    was not built.
    """
    names: dict[str, list[str]] = {}
    for check in item.outcome.checks if item.outcome is not None else ():
        if check.passed is None and item.outcome is not None and check.asset in item.outcome.built:
            names.setdefault(".".join(check.asset), []).append(check.name)
    return [
        f"{table}: no result of {', '.join(found)}; it is not known whether the table is good"
        for table, found in names.items()
    ]


def _warnings(item: DomainRun) -> list[str]:
    """The checks that warned. A check of a landed table is left out if a finding about that table is printed."""
    told = _told(item)
    checks = item.outcome.checks if item.outcome is not None else ()
    return [
        f"{'.'.join(check.asset)}: check {check.name}{': ' + check.description if check.description else ''}"
        for check in checks
        if check.warned and "/".join(check.asset) not in told
    ]


def strays_of(settings: Settings, domains: list[str]) -> list[str]:
    """The files in the inbound folders that match no contract. Without this list they would wait for ever without being
    noticed.

    The entry `<domain>@` stands for a domain's folder that is a symbolic link.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.pipeline.landing import LINKED, unclaimed

    catalog = load_catalog(settings)
    return [
        f"{domain}{LINKED}" if name == LINKED else f"{domain}/{name}"
        for domain in dict.fromkeys(domains)
        for name in unclaimed(catalog.feeds_of(domain), settings.inbound / domain)
    ]


def _stray(name: str) -> str:
    from ops_project.pipeline.landing import LINKED, LINKED_FOLDER

    if "/" not in name and name.endswith(LINKED):
        return f"\ninbound/{name.removesuffix(LINKED)} {LINKED_FOLDER}."
    return f"\nNo contract takes {name}: compare its name with `ops feed list`."


def _general(catalog: Catalog, domain: str) -> str:
    """What to do first about a finding if rules.yaml has no first response for its kind."""
    found = catalog.domains.domains.get(domain)
    runbook = found.runbook if found is not None else None
    return f"{GENERAL}; the runbook of the domain: `ops runbook show {runbook}`" if runbook else GENERAL


def _first_response(catalog: Catalog, domain: str, finding: Mapping[str, Any], file: str) -> str:
    """The same first response that an alert about this finding would give. `file`: where the finding's file is kept;
    empty if that is unknown.
    """
    known = catalog.rules.first_responses.get(finding["kind"])
    facts = {"feed": finding["feed"] or "", "table": finding["asset"] or "", "file": shlex.quote(file) if file else ""}
    return (known.about(**facts) if known else None) or _general(catalog, domain)


def advised(findings: Iterable[tuple[str, str]]) -> list[str]:
    """The lines for findings, given as (message, advice). Findings with the same advice stand together, and the advice
    is printed once below them.
    """
    groups: dict[str, list[str]] = {}
    for message, advice in findings:
        groups.setdefault(advice, []).append(message)
    lines = []
    for advice, messages in groups.items():
        lines += [f"  finding   {message}" for message in messages]
        lines.append(f"            → {advice}")
    return lines


def render(settings: Settings, runs: list[DomainRun], seconds: float, strays: list[str], catalog: Catalog) -> list[Any]:
    columns = [
        "domain",
        "state",
        "rows in",
        "loaded",
        "quarantined",
        "tables",
        "checks passed/warned/failed",
        "seconds",
    ]
    numbers = [numbers_of(item) for item in runs]
    # These columns are usually zero. They are shown if they are not, because the counts of each row must add up.
    rare = [key for key in ("rows_filtered", "rows_collapsed") if any(found[key] for found in numbers)]
    columns[5:5] = [key.removeprefix("rows_") for key in rare]
    rows = [
        [
            item.domain,
            item.words,
            *(found[key] for key in ("rows_in", "rows_loaded", "rows_quarantined", *rare, "tables_built")),
            f"{found['checks_passed']} / {found['checks_warned']} / {found['checks_failed']}",
            round(item.seconds, 1),
        ]
        for item, found in zip(runs, numbers, strict=True)
    ]
    parts: list[Any] = [table(columns, rows)]
    for item in runs:
        kept = {batch["batch_id"]: str(settings.archive / batch["archive_path"]) for batch in item.report.batches}
        lines = advised(
            (one["message"], _first_response(catalog, item.domain, one, kept.get(one["batch_id"], "")))
            for one in item.report.findings
        )
        failures = [*_errors(item), *failed_checks(_failed(item), _told(item))]
        lines += [f"  failed    {line}" for line in failures]
        lines += [f"            → {_general(catalog, item.domain)}"] if failures else []
        lines += [f"  not run   {line}" for line in _not_run(item)]
        warnings = _warnings(item)
        lines += [f"  warned    {line}" for line in warnings[:SHOWN_WARNINGS]]
        if len(warnings) > SHOWN_WARNINGS:
            lines.append(f"  warned    … and {len(warnings) - SHOWN_WARNINGS} more: ops status, ops alerts list")
        lines += [f"  held back {line}" for line in item.report.held]
        lines += [f"  replayed  {one.words}" for one in item.report.replayed]
        lines += [f"  retried   {line}" for line in item.report.retries]
        lines += [f"  repaired  {line}" for line in item.report.repaired]
        lines += [f"  on hold   {line}" for line in item.report.on_hold]
        lines += [f"  offer     {line}" for line in item.report.offers]
        if lines:
            parts.append(f"\n{item.domain}" + (f"  run {item.run_id}" if item.run_id else ""))
            parts += lines
    parts += [_stray(name) for name in strays]
    if all(item.state == NO_FILES for item in runs):
        parts.append(
            f"\nNothing was built: no file that a contract takes has ever arrived for "
            f"{', '.join(dict.fromkeys(item.domain for item in runs))}. Put files into {settings.inbound}/DOMAIN "
            "(`ops feed list` shows their names), or let `ops simulate` write some."
        )
    elif all(item.state in QUIET for item in runs):
        parts.append("\nNothing new has arrived since the last run.")
    parts.append(f"\n{seconds:.1f} s in all. `ops ui` shows the runs; `ops sql` asks the newest snapshot.")
    return parts
