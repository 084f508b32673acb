"""Checks that every file that was due has arrived complete, on time and in the agreed form. The check reads the
findings of landing, and opens no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from asset_checks.specs import TableSpec
from asset_checks.verdict import PRECEDENCE, Severity, Situation, Verdict, worst

NAME = "arrival"
DESCRIPTION = "Every expected file arrived on time, once, whole, readable and in the agreed structure."

# The kinds of findings in order of precedence, each with what to do about it. The first kind that is open gives the
# failure its class.
ADVICE = {
    "source_missing": "Ask the upstream contact for the file; once it is in the inbound folder, run the domain again.",
    "source_empty": "The file has zero bytes: ask the upstream contact to deliver it again.",
    "data_invalid": "The whole file was rejected: unreadable, or none of its rows fits. It is kept; ask for a new one.",
    "schema_mismatch": "The columns differ from the contract: agree a new contract version with the upstream contact, "
    "or ask for a file in the agreed structure.",
    "source_duplicate": "The same file came again and was not loaded twice. Ask upstream whether another was meant.",
    "source_partial": "The file holds fewer rows than it should. Ask for a complete one: it replaces this batch.",
    "source_late": "The file came after its deadline. Check what the delay did to the tables that depend on it.",
}
SHOWN = 20
TOLD = 3


@dataclass(frozen=True)
class Finding:
    """One open finding of landing."""

    kind: str
    business_date: date | None
    file_name: str | None
    message: str


def applies(table: TableSpec) -> bool:
    return table.feed is not None


def precedence(kind: str) -> int:
    order = list(ADVICE)
    return order.index(kind) if kind in ADVICE else len(order)


def judge(feed: str, findings: list[Finding], severities: object) -> Verdict:
    """The verdict on the open findings of a feed. `severities` has one attribute for each kind of finding."""
    if not findings:
        return Verdict.ok(f"Every file of {feed} that was due has arrived and was accepted.")
    kinds = sorted({finding.kind for finding in findings}, key=precedence)
    severity_of: dict[str, Severity] = {kind: getattr(severities, kind, "medium") for kind in kinds}
    first = kinds[0]
    count = {kind: sum(finding.kind == kind for finding in findings) for kind in kinds}
    counted = ", ".join(f"{count[kind]} × {kind}" for kind in kinds)
    return Verdict.fail(
        f"{feed}: {counted}. {_said(findings, severity_of)} {ADVICE.get(first, '')}".rstrip(),
        worst(*severity_of.values()),
        first,
        kind=first,
        kinds=kinds,
        dates=sorted({str(finding.business_date) for finding in findings if finding.business_date})[:SHOWN],
        files=sorted({finding.file_name for finding in findings if finding.file_name})[:SHOWN],
        findings=[
            {
                "kind": finding.kind,
                "severity": severity_of[finding.kind],
                "business_date": str(finding.business_date or ""),
                "file": finding.file_name or "",
                "message": finding.message,
                "what_to_do": ADVICE.get(finding.kind, ""),
            }
            for finding in sorted(
                findings, key=lambda f: (PRECEDENCE.index(severity_of[f.kind]), str(f.business_date), f.kind)
            )[:SHOWN]
        ],
        open_findings=len(findings),
    )


def _said(findings: list[Finding], severity_of: dict[str, Severity]) -> str:
    """The messages of the most severe findings. The number of findings alone would not say what to do."""
    by_rank = sorted(findings, key=lambda f: (PRECEDENCE.index(severity_of[f.kind]), precedence(f.kind)))
    words = [finding.message.rstrip(".") for finding in by_rank[:TOLD]]
    more = [f"and {len(findings) - TOLD} more"] if len(findings) > TOLD else []
    return "; ".join([*words, *more]) + "."


def evaluate(situation: Situation, table: TableSpec) -> Verdict:
    # A finding of kind data_invalid is about a whole rejected file, or about single bad rows. Only rejected files count
    # here.
    rows = situation.rows(
        """
        select findings.kind, findings.business_date, findings.file_name, findings.message
        from ops.findings as findings
        left join ops.batches as batches on batches.batch_id = findings.batch_id
        where
            findings.feed = ?
            and findings.state = 'open'
            and list_contains(?, findings.kind)
            and findings.observed_at <= ?
            and (findings.kind <> 'data_invalid' or batches.status is null or batches.status = 'rejected')
        """,
        [table.feed, list(ADVICE), situation.now_utc],
    )
    findings = [Finding(*row) for row in rows]
    if not findings and table.expected:
        [[batches]] = situation.rows("select count(*) from ops.batches where feed = ?", [table.feed])
        if not batches:
            return Verdict.unknown(f"{table.feed} has never delivered a file, and none is due yet.", passed=True)
    return judge(str(table.feed), findings, situation.parameters.arrival)
