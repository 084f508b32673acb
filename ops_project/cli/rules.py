"""`ops rules`: check the rules, and show what a changed rule would have sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from ops_project.cli.numbers import DAYS
from ops_project.cli.output import console, emit, json_option, table
from ops_project.counted import counted
from ops_project.settings import Settings

LISTED = 50


@click.group()
def rules() -> None:
    """Lint the rules; replay the past with changed rules."""


@rules.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List every rule with its conditions and severity."""
    from ops_project.catalog import load as load_catalog

    found = load_catalog(settings).rules.rules
    data = [
        {
            "rule": name,
            "severity": rule.severity,
            "conditions": [_words(c) for c in rule.conditions],
            "mode": "any" if rule.any else "all",
            "for": str(rule.hold),
            "runbook": rule.runbook,
            "origin": rule.origin,
        }
        for name, rule in found.items()
    ]
    rows = [
        (d["rule"], d["severity"], f" {'or' if d['mode'] == 'any' else 'and'} ".join(d["conditions"]), d["runbook"])
        for d in data
    ]
    emit(as_json, data, lambda: console.print(table(("rule", "severity", "conditions", "runbook"), rows)))


def _words(condition: Any) -> str:
    name = condition.metric if condition.aggregate == "last" else f"{condition.aggregate}({condition.metric})"
    window = f" in {condition.window}" if condition.window else ""
    match = f" where {', '.join(map(str, condition.match))}" if condition.match else ""
    return f"{name}{window} {condition.op} {condition.threshold:g}{match}"


@rules.command()
@json_option
@click.pass_obj
def lint(settings: Settings, as_json: bool) -> None:
    """Load all configuration and report every mistake. Then warn of settings that are allowed but probably not
    intended.

    The exit code is 1 if there is a mistake.
    """
    from ops_project.catalog import ConfigError
    from ops_project.catalog import load as load_catalog
    from ops_project.operations.alerting.decide.doubles import doubles
    from ops_project.operations.alerting.decide.routing import compile_tree
    from ops_project.operations.channels.registry import lacks, unconfigured
    from ops_project.pipeline.landing.contract_sql import require_expressions

    try:
        catalog = load_catalog(settings)
        require_expressions(catalog)
        # Each service level names a table or a job, which must exist. Only the definitions know which exist.
        from ops_project.defs.compose import compose
        from ops_project.defs.shared.site import Site

        compose(Site.load(settings))
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
        emit(as_json, {"mistakes": problems, "warnings": []}, lambda: _print_problems(problems))
        raise SystemExit(1) from None
    warnings = [
        f"channel {name} is left out: {lacks(lacking)}"
        for name, lacking in unconfigured(catalog.receivers.receivers, settings).items()
    ]
    used = {condition.metric for rule in catalog.rules.rules.values() for condition in rule.conditions}
    warnings += [
        f"metric {name} is produced, and no rule uses it" for name in catalog.metrics.metrics if name not in used
    ]
    warnings += [
        f"rule {name}: runbook {rule.runbook!r} has no page in runbooks/"
        for name, rule in catalog.rules.rules.items()
        if catalog.runbook_file(rule.runbook) is None
    ]
    warnings += [
        f"first response to {name}: runbook {own.runbook!r} has no page in runbooks/"
        for name, own in catalog.rules.first_responses.items()
        if own.runbook is not None and catalog.runbook_file(own.runbook) is None
    ]
    warnings += [
        f"routes.yaml, {'.'.join(map(str, double.path))}: {double.receiver} already gets {double.alertname} of "
        f"{double.domain} through another route, so this route adds no message; remove one of the two"
        for double in doubles(compile_tree(catalog.routes.route), catalog.rules.rules, catalog.domain_ids())
    ]
    count = len(catalog.rules.rules)

    def render() -> None:
        for warning in warnings:
            console.print(f"warning: {warning}", markup=False)
        console.print(f"{counted(count, 'rule')}, no mistake, {counted(len(warnings), 'warning')}.")

    emit(as_json, {"rules": count, "mistakes": [], "warnings": warnings}, render)


@rules.command("replay")
@click.option("--days", type=DAYS, default=30, show_default=True, help="The number of past days.")
@click.option(
    "--new",
    "--config",
    "new",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with changed configuration, as for --config.",
)
@json_option
@click.pass_obj
def replay_(settings: Settings, days: int, new: Path | None, as_json: bool) -> None:
    """Evaluate the signals of the past days again. Show what was sent, and which messages a change adds and removes."""
    from ops_project.catalog import load as load_catalog
    from ops_project.lineage import Lineage
    from ops_project.operations.alerting.authority import recorded
    from ops_project.operations.alerting.cycle import LINEAGE
    from ops_project.operations.alerting.decide.rules_replay import compare, replay
    from ops_project.operations.alerting.decide.rules_replay_summary import by_alert, by_moment
    from ops_project.operations.alerting.engine_config import alert_config
    from ops_project.operations.channels.registry import lacks, unconfigured
    from ops_project.operations.ledger import open_ledger

    ledger = open_ledger(settings)
    lineage = Lineage.parse(ledger.document(LINEAGE) or ())
    now = settings.now()
    signals = sorted((s for _, s in ledger.signals_since(now - timedelta(days=days))), key=lambda s: s.event_at)
    # Both replays assume that every channel is set up. Whether a secret is set here does not change which messages a
    # rule sends. But the answer says which of these channels send nothing.
    old = replace(alert_config(settings, load_catalog(settings), lineage), unconfigured=frozenset())
    before = replay(signals, old, now)
    receivers, used = dict(old.receivers), {item.channel for item in before}
    data: dict[str, Any] = {
        "days": days,
        "signals": len(signals),
        "notifications": len(before),
        "pages": sum(t.page for t in before),
    }
    changes = []
    if new is not None:
        changed = replace(settings, overlay=new.resolve())
        config = replace(alert_config(changed, load_catalog(changed), lineage), unconfigured=frozenset())
        after = replay(signals, config, now)
        changes = compare(before, after)
        receivers, used = {**receivers, **config.receivers}, {change.channel for change in changes}
        data |= {
            "notifications_after": len(after),
            "pages_after": sum(t.page for t in after),
            "added": _sum(changes, 1),
            "removed": _sum(changes, -1),
            "changes": [asdict(change) for change in changes],
        }
    else:
        data["told"] = [asdict(item) for item in before]

    deciding = recorded(ledger)
    secrets = deciding.secrets if deciding is not None else ()
    left_out = {
        name: lacks(lacking) for name, lacking in unconfigured(receivers, settings, secrets).items() if name in used
    }
    data["left_out"] = left_out

    def render() -> None:
        console.print(
            f"{counted(len(signals), 'signal')} of {counted(days, 'day')}: "
            f"{counted(len(before), 'notification')}, {counted(data['pages'], 'page')}."
        )
        if new is None:
            shown = by_moment(before, left_out)
            rows = [
                (f"{m.at:%Y-%m-%d %H:%M}", "page" if m.page else "", m.status, m.summary, ", ".join(m.through))
                for m in shown[-LISTED:]
            ]
            console.print(table(("at", "", "status", "what", "told through"), rows))
            if len(shown) > LISTED:
                console.print(f"The last {LISTED} of {len(shown)}; --json has all.")
            _print_left_out(left_out)
            return
        added, removed = data["added"], data["removed"]
        console.print(
            f"With {new}: {counted(data['notifications_after'], 'notification')} (+{added['notifications']} "
            f"−{removed['notifications']}), "
            f"{counted(data['pages_after'], 'page')} (+{added['pages']} −{removed['pages']}).",
            soft_wrap=True,
        )
        changed = [
            (c.word, "page" if c.page else "", c.status, c.summary, c.before, c.after, ", ".join(c.through))
            for c in by_alert(changes, left_out)
        ]
        columns = ("change", "", "status", "what", "messages before", "after", "told through")
        console.print(table(columns, changed) if changed else "Nothing changes.")
        _print_left_out(left_out)

    emit(as_json, data, render)


def _print_left_out(left_out: Mapping[str, str]) -> None:
    """The channels of a replay that send nothing, with the reason."""
    for why in dict.fromkeys(left_out.values()):
        names = ", ".join(sorted(name for name, words in left_out.items() if words == why))
        console.print(f"left out, but counted above: {names}: {why}", soft_wrap=True)


def _print_problems(problems: list[str]) -> None:
    for problem in problems:
        console.print(problem, markup=False, soft_wrap=True)


def _sum(changes: list[Any], sign: int) -> dict[str, int]:
    """How many messages were added (`sign` 1) or dropped (`sign` -1), and how many of these are pages."""
    moved = [(max(0, sign * (change.after - change.before)), change.page) for change in changes]
    return {"notifications": sum(n for n, _ in moved), "pages": sum(n for n, page in moved if page)}
