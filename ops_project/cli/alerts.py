"""`ops alerts`: open and past alerts, who was told and why, and whether an alert was justified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ops_project.cli.acknowledge import ack
from ops_project.cli.numbers import COUNT, NUMBER, refuse_any, several_numbers
from ops_project.cli.output import console, emit, json_option, styled, table, told_if_cut
from ops_project.cli.person import by_option
from ops_project.cli.resolve import resolve
from ops_project.model.severity import SEVERITIES
from ops_project.settings import Settings

MESSAGE_STATES = ("pending", "sending", "delivered", "dead")
VERDICTS = ("true-positive", "false-positive", "noise", "unclear")


@click.group()
def alerts() -> None:
    """List and show alerts; acknowledge or resolve one, give a verdict on it; look at the outbox."""


alerts.add_command(ack)
alerts.add_command(resolve)


def _ledger(settings: Settings) -> Any:
    from ops_project.operations.ledger import open_ledger

    return open_ledger(settings)


def require_domain(settings: Settings, domain: str | None) -> None:
    """Raises UsageError for an unknown domain. Otherwise a mistyped name would give an empty list, which looks like
    good news.
    """
    if domain is not None:
        from ops_project.catalog import load as load_catalog
        from ops_project.lineage import Lineage
        from ops_project.operations.domains import domains_of
        from ops_project.operations.ledger.lineage_document import recall

        lineage = recall(_ledger(settings)) if settings.watched is not None else Lineage()
        if domain not in (known := domains_of(load_catalog(settings), lineage)):
            raise click.UsageError(f"unknown domain {domain!r}; valid: {', '.join(known)}")


@alerts.command("list")
@click.option("--all", "everything", is_flag=True, help="Also show resolved alerts.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="Only this severity.")
@click.option("--domain", help="Only this domain.")
@click.option("--limit", type=COUNT, default=100, show_default=True, help="The largest number of alerts listed.")
@json_option
@click.pass_obj
def list_(
    settings: Settings, *, everything: bool, severity: str | None, domain: str | None, limit: int, as_json: bool
) -> None:
    """List the open alerts, the newest first."""
    from ops_project.operations.alerting.untold_now import why_silent

    ledger = _ledger(settings)
    now = settings.now()
    require_domain(settings, domain)
    silences, given = ledger.silences(now), ledger.acknowledgements()
    status = None if everything else "open"
    found = ledger.alerts(status, limit, severity, domain)
    total = len(found) if len(found) < limit else ledger.count_alerts(status, severity, domain)
    data = [_brief(alert, why_silent(alert, silences, now), _acknowledged(alert, given)) for alert in found]
    columns = ("number", "severity", "status", "since", "summary", "owners", "acknowledged", "silent")
    rows = [
        (
            a["number"],
            a["severity"],
            a["status"],
            f"{alert.starts_at:%Y-%m-%d %H:%M}",
            a["summary"],
            ", ".join(a["owners"]),
            a["acknowledged"],
            a["silent"],
        )
        for a, alert in zip(data, found, strict=True)
    ]
    emit(
        as_json,
        data,
        lambda: console.print(table(columns, rows) if rows else "No open alert." if not everything else "No alert."),
    )
    told_if_cut(len(found), total)


def _acknowledged(alert: Any, given: Mapping[int, Any]) -> str:
    """Who works on the alert. A new acknowledgement is shown at once, even before a cycle has applied it."""
    found = given.get(alert.number)
    if found is None or found.at < alert.starts_at:
        return ""
    return f"by {found.by}, {found.at:%Y-%m-%d %H:%M} UTC" + (f": {found.note}" if found.note else "")


def _brief(alert: Any, silent: str, acknowledged: str) -> dict[str, Any]:
    return {
        "number": alert.number,
        "rule": alert.rule,
        "severity": alert.severity,
        "status": alert.status,
        "summary": alert.summary,
        "asset": alert.asset,
        "domain": alert.labels.get("domain", ""),
        "owners": list(alert.owners),
        "since": alert.starts_at,
        "resolved_at": alert.resolved_at,
        "acknowledged": acknowledged,
        "silent": silent,
    }


@alerts.command()
@click.argument("number", type=NUMBER)
@json_option
@click.pass_obj
def show(settings: Settings, number: int, as_json: bool) -> None:
    """Show everything about one alert: its timeline, who was told of it, and why."""
    from ops_project.catalog import load as load_catalog
    from ops_project.lineage import Lineage
    from ops_project.operations.alerting.circumstances import Circumstances
    from ops_project.operations.alerting.cycle import LINEAGE
    from ops_project.operations.alerting.decide.message import around, of_alert
    from ops_project.operations.alerting.decide.routing import match
    from ops_project.operations.alerting.engine_config import alert_config
    from ops_project.operations.alerting.rendering.lines import facts
    from ops_project.operations.alerting.untold_now import why_nobody, why_silent
    from ops_project.operations.channels.registry import lacks, unconfigured

    ledger = _ledger(settings)
    alert = ledger.alert(number)
    if alert is None:
        raise click.ClickException(f"there is no alert {number}; `ops alerts list --all` shows all alerts")
    config = alert_config(settings, load_catalog(settings), Lineage.parse(ledger.document(LINEAGE) or ()))
    body = of_alert(alert, around(ledger.alerts("open", None)), config)
    body["acknowledged"] = _acknowledged(alert, ledger.acknowledgements())
    circumstances = Circumstances(settings, load_catalog(settings), ledger, settings.now())
    body = circumstances.of_alert(body)
    timeline = ledger.timeline(number)
    messages = ledger.messages_about(number)
    verdict = next((v for v in ledger.verdicts() if v["alert"] == number), None)
    told = sorted({node.receiver for node in match(config.tree, alert.labels)})
    receivers = {receiver: config.receivers[receiver] for receiver in told}
    left_out = {
        name: lacking
        for name, lacking in unconfigured(receivers, settings).items()
        # The channel of a message that was sent counts as configured: the process that sent the message had the
        # channel's variables, even if this process lacks them.
        if all(message["channel"] != name for message in messages)
    }
    now = settings.now()
    silent = why_silent(alert, ledger.silences(now), now)
    untold = "" if messages else why_nobody(alert, ledger, settings, config, now)
    data = {
        **body,
        "silent": silent,
        "timeline": timeline,
        "messages": messages,
        "no_message_because": untold,
        "left_out": left_out,
        "verdict": verdict,
    }

    def render() -> None:
        console.print(styled(("bold", f"#{number} {alert.summary}"), f"  {alert.status}"))
        shown = facts(body, {"ui_url": config.ui_url, "ops": circumstances.command})
        console.print(table(("", ""), [*shown, ("Silent", silent)] if silent else shown))
        console.print(
            table(
                ("when", "what", "detail"),
                [(f"{e.at:%Y-%m-%d %H:%M:%S}", e.reason.value.replace("_", " "), e.detail) for e in timeline],
                title="Timeline",
            )
        )
        if messages:
            rows = [
                (
                    m["id"],
                    m["channel"],
                    m["recipient"],
                    m["state"],
                    m["attempts"],
                    m["reason"].replace("_", " "),
                    m["last_error"],
                )
                for m in messages
            ]
            columns = ("message", "channel", "to", "state", "tries", "why", "error")
            console.print(table(columns, rows, title="Messages"))
        if untold:
            console.print(untold, markup=False, soft_wrap=True)
        for name, lacking in left_out.items():
            console.print(f"{name}  left out: {lacks(lacking)} in this process", markup=False, soft_wrap=True)
        if verdict:
            console.print(f"Verdict: {verdict['verdict']} by {verdict['by']}: {verdict['why']}")

    emit(as_json, data, render)


@alerts.command()
@several_numbers
@click.argument("value", type=click.Choice(VERDICTS))
@click.option("--why", required=True, help="The reason; it helps to tune the rule.")
@by_option("The person who gives the verdict.")
@json_option
@click.pass_obj
def verdict(settings: Settings, *, numbers: tuple[int, ...], value: str, why: str, by: str, as_json: bool) -> None:
    """Record whether alerts were justified.

    The checks of anomalies and volumes do not learn from the dates of a false positive.
    """
    ledger = _ledger(settings)
    unknown = "there is no alert {}; `ops alerts list --all` shows all alerts"
    refuse_any(numbers, lambda number: "" if ledger.alert(number) else unknown.format(number))
    for number in numbers:
        ledger.give_verdict(number, value, why, by, settings.now())
    data = [{"alert": number, "verdict": value, "why": why, "by": by} for number in numbers]
    lines = [f"Alert {number}: {value}." for number in numbers]
    emit(as_json, data, lambda: console.print("\n".join(lines)))


@alerts.command()
@json_option
@click.pass_obj
def precision(settings: Settings, as_json: bool) -> None:
    """Show how many alerts of each rule were justified, according to the verdicts."""
    from ops_project.operations.alerting.decide.precision import by_rule

    ledger = _ledger(settings)
    rows = by_rule(ledger.fired_by_rule(), ledger.verdicts())

    def render() -> None:
        if not rows:
            console.print("No alert has fired yet.")
            return
        lines = [
            (r.rule, r.fired, r.judged, r.true, r.false, "unknown" if r.precision is None else f"{r.precision:.0%}")
            for r in rows
        ]
        console.print(table(("rule", "fired", "judged", "true", "false", "precision"), lines))

    emit(as_json, rows, render)


@alerts.command()
@click.option("--state", type=click.Choice(MESSAGE_STATES), help="Only messages in this state.")
@click.option("--limit", type=COUNT, default=50, show_default=True, help="The largest number of messages listed.")
@json_option
@click.pass_obj
def outbox(settings: Settings, state: str | None, limit: int, as_json: bool) -> None:
    """List messages, the newest first, and show how many may have been sent twice."""
    ledger = _ledger(settings)
    counts, rows = ledger.outbox_counts(), ledger.outbox_list(state, limit)

    def render() -> None:
        columns = ("id", "created_at", "state", "channel", "recipient", "severity", "attempts", "last_error")
        if rows:
            console.print(table(columns, [[row[column] for column in columns] for row in rows]))
        else:
            console.print(f"No message{f' is {state}' if state else ''}.")
        console.print("  ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(counts.items())))

    emit(as_json, {"counts": counts, "messages": rows}, render)
    told_if_cut(len(rows), sum(counts.get(name, 0) for name in ((state,) if state else MESSAGE_STATES)))
