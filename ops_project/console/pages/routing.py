"""Routes: where an alert would go and why, and which messages a changed rule would have sent."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.pages.alerts import described
from ops_project.console.views import Ask, Wrong, deed, page
from ops_project.model.document import ConfigError, Document
from ops_project.model.severity import SEVERITIES
from ops_project.operations.alerting.decide.explain import Explanation, explain_route
from ops_project.operations.domains import domains_of
from ops_project.settings import SettingsError, parse_as_of

LONGEST_REPLAY = 31


def routes() -> list[Route]:
    return [page("/routes", shown), deed("/routes/replay", replayed, command="")]


def shown(ask: Ask) -> Response:
    engine, catalog = ask.site.engine, ask.site.catalog
    asked = {name: ask.query.get(name, "") for name in ("rule", "severity", "domain", "asset", "pipeline", "at")}
    answer, wrong = None, ""
    if any(asked.values()):
        try:
            answer = explained(ask, asked)
        except Wrong as error:
            wrong = str(error)
    return ask.show(
        "routes.html.j2",
        asked=asked,
        answer=answer,
        wrong=wrong,
        rules=[(name, rule, [described(c) for c in rule.conditions]) for name, rule in sorted(engine.rules.items())],
        severities=SEVERITIES,
        domains=domains_of(catalog, ask.site.lineage),
        assets=sorted(ask.site.lineage.assets),
        jobs=ask.site.lineage.jobs,
        ladders=catalog.escalation,
        replay=None,
        change="",
        days=7,
    )


def explained(ask: Ask, asked: dict[str, str]) -> Explanation:
    """The path through the routing tree for an alert with these labels. Raises Wrong."""
    engine, catalog = ask.site.engine, ask.site.catalog
    try:
        at: datetime = parse_as_of(asked["at"]) if asked["at"] else ask.now
    except SettingsError as error:
        raise Wrong(str(error)) from None
    labels: dict[str, str] = {}
    owners: tuple[str, ...] = ()
    domain, severity = asked["domain"], asked["severity"]
    if asked["asset"]:
        facts = engine.lineage.get(asked["asset"])
        labels |= {"asset": asked["asset"], "layer": facts.layer, "tier": facts.tier}
        domain, owners = domain or facts.domain, facts.owners
    if asked["rule"]:
        if asked["rule"] not in engine.rules:
            raise Wrong(f"there is no rule {asked['rule']!r}")
        found = engine.rules[asked["rule"]]
        labels |= {**found.labels, "alertname": asked["rule"], "category": found.category}
        severity = severity or found.severity
    if domain and domain not in (known := domains_of(catalog, engine.lineage)):
        raise Wrong(f"unknown domain {domain!r}; valid: {', '.join(known)}")
    labels |= {"severity": severity or "high", "domain": domain, "pipeline": asked["pipeline"]}
    if not owners and domain in catalog.domain_ids():
        owners = tuple(catalog.owners.dagster(owner) for owner in catalog.domain(domain).owners)
    labels = {name: value for name, value in labels.items() if value}
    return explain_route(labels, owners, ask.site.ledger.silences(at), engine, at)


def replayed(ask: Ask) -> Response:
    """The messages that a changed rules.yaml would have sent in the past days. They are the output of `ops rules
    replay`.
    """
    change, text_days = ask.form.get("change", ""), ask.form.get("days", "7")
    if text_days not in map(str, range(1, LONGEST_REPLAY + 1)):
        raise Wrong(f"the days are a number from 1 to {LONGEST_REPLAY}")
    try:
        data = Document.parse(change, "change").data
    except ConfigError as error:
        raise Wrong(str(error)) from None
    if not isinstance(data, dict) or "rules" not in data:
        raise Wrong("write the change as in rules.yaml: `rules:`, then the rule, and below the rule the keys to change")
    result: dict[str, Any] | None = None
    with tempfile.TemporaryDirectory(prefix="ops-replay-") as folder:
        overlay = Path(folder) / "overlay"
        if ask.site.settings.overlay is not None:
            shutil.copytree(ask.site.settings.overlay, overlay)
        (overlay / "rules.d").mkdir(parents=True, exist_ok=True)
        (overlay / "rules.d" / "zz-change.yaml").write_text(change, encoding="utf-8")
        words = ["rules", "replay", "--days", text_days, "--new", str(overlay), "--json"]
        well, output = ask.site.run_command(ask.site.settings, words)
    if not well:
        raise Wrong(f"it cannot be replayed: {output.strip()[:1500]}")
    result = json.loads(output[output.index("{") :])
    return ask.show("replay.html.j2", replay=result, change=change, days=int(text_days))
