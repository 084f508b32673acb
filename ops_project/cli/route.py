"""`ops route`: show where an alert would go, and why; export the tree for Alertmanager's tools."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime

import click

from ops_project.cli.output import console, emit, json_option, styled, table, write_out
from ops_project.nearest import did_you_mean
from ops_project.settings import TIME_FORMS, Settings, SettingsError, parse_as_of


@click.group()
def route() -> None:
    """Test the routing tree before alerts take it."""


@route.command()
@click.option(
    "--severity", type=click.Choice(["critical", "high", "medium", "low"]), help="Default: the rule's, or else high."
)
@click.option("--domain", help="Domain id.")
@click.option("--rule", help="Rule of rules.yaml: sets alertname, severity, category and the rule's labels.")
@click.option("--asset", help="Asset key, schema/table: sets its domain, layer, tier and owners.")
@click.option("--pipeline", help="Job name.")
@click.option(
    "--label", "extra", multiple=True, metavar="NAME=VALUE", help="Any other label; may be given several times."
)
@click.option(
    "--owner", "owners", multiple=True, help="Owner of the alert; default: the asset's, or else the domain's."
)
@click.option("--at", metavar="TIME", help=f"When: {TIME_FORMS}. Default: now.")
@json_option
@click.pass_obj
def explain(
    settings: Settings,
    *,
    severity: str | None,
    domain: str | None,
    rule: str | None,
    asset: str | None,
    pipeline: str | None,
    extra: tuple[str, ...],
    owners: tuple[str, ...],
    at: str | None,
    as_json: bool,
) -> None:
    """Show who would be told of an alert with these labels, when, and through which channel. For the other receivers,
    show why they are not told.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.lineage import Lineage
    from ops_project.operations.alerting.cycle import LINEAGE
    from ops_project.operations.alerting.decide.explain import explain_route
    from ops_project.operations.alerting.engine_config import alert_config
    from ops_project.operations.domains import domains_of
    from ops_project.operations.ledger import open_ledger

    try:
        moment: datetime = parse_as_of(at) if at else settings.now()
    except SettingsError as error:
        raise click.UsageError(str(error).replace("as-of time", "--at")) from None
    catalog = load_catalog(settings)
    ledger = open_ledger(settings)
    config = alert_config(settings, catalog, Lineage.parse(ledger.document(LINEAGE) or ()))
    if domain is not None and domain not in (known := domains_of(catalog, config.lineage)):
        raise click.UsageError(f"unknown domain {domain!r}; valid: {', '.join(known)}")
    labels: dict[str, str] = {}
    _refuse_unknown("asset", asset, config.lineage.assets)
    _refuse_unknown("pipeline", pipeline, config.lineage.jobs)
    if asset:
        facts = config.lineage.get(asset)
        labels |= {"asset": asset, "layer": facts.layer, "tier": facts.tier}
        domain = domain or facts.domain
        owners = owners or facts.owners
    if rule:
        if rule not in config.rules:
            raise click.UsageError(f"there is no rule {rule!r}; valid: {', '.join(sorted(config.rules))}")
        found = config.rules[rule]
        labels |= {**found.labels, "alertname": rule, "category": found.category}
        severity = severity or found.severity
    labels |= {"severity": severity or "high", "domain": domain or "", "pipeline": pipeline or ""}
    for item in extra:
        name, sign, value = item.partition("=")
        if not sign:
            raise click.UsageError(f"--label {item!r}: write NAME=VALUE")
        labels[name] = value
    labels = {name: value for name, value in labels.items() if value}
    if not owners and domain in catalog.domain_ids():
        owners = tuple(catalog.owners.dagster(owner) for owner in catalog.domain(domain).owners)
    answer = explain_route(labels, owners, ledger.silences(moment), config, moment)

    def render() -> None:
        console.print("Labels: " + ", ".join(f"{n}={v}" for n, v in sorted(labels.items())))
        for step in answer.steps:
            mark = "✓" if step.matched else "·"
            console.print(styled(f"{'  ' * step.depth}{mark} {step.route}  ", ("dim", step.why)))
        if answer.quiet:
            console.print(f"Silent: {answer.quiet.name}")
        rows = [
            (
                t.channel,
                ", ".join(t.recipients),
                "page" if t.page else "",
                t.told_at.astimezone(config.zone).strftime("%Y-%m-%d %H:%M:%S") if t.told_at else "not told",
                t.why.replace("_", " "),
            )
            for t in answer.targets
        ]
        console.print(table(("channel", "to", "", f"told at ({config.zone.key})", "why not"), rows))

    emit(as_json, asdict(answer), render)


def _refuse_unknown(option: str, name: str | None, known: Collection[str]) -> None:
    """Raises UsageError for a name that the last alert cycle did not know. Before the first cycle no names are known,
    so every name is accepted.
    """
    if name is None or not known or name in known:
        return
    meant = did_you_mean(name, known) or f"; valid: {', '.join(sorted(known))}"
    raise click.UsageError(f"--{option} {name!r} is unknown{meant}")


@route.command()
@click.pass_obj
def export(settings: Settings) -> None:
    """Print the routing tree with its time intervals and inhibition rules, as an Alertmanager configuration."""
    import yaml

    from ops_project.catalog import load as load_catalog
    from ops_project.operations.alerting.decide.alertmanager_export import export as to_alertmanager

    catalog = load_catalog(settings)
    write_out(yaml.safe_dump(to_alertmanager(catalog.routes, catalog.calendar, catalog.receivers), sort_keys=False))
