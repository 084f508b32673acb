"""Makes the configuration of alerting from the catalog and the asset graph."""

from __future__ import annotations

from dataclasses import replace

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.operations.alerting.decide.routing import compile_tree
from ops_project.operations.alerting.decide.state import AlertConfig
from ops_project.operations.channels.registry import unconfigured
from ops_project.process import ui_address
from ops_project.settings import Settings

# A cycle needs the configuration every few seconds, usually for the same catalog and graph. Making it takes 1.5 ms,
# most of it for the routing tree. So the last one is kept.
_last: list[tuple[tuple[object, ...], Catalog, Lineage, AlertConfig]] = []


def alert_config(
    settings: Settings,
    catalog: Catalog,
    lineage: Lineage,
    flush_now: bool = False,
    *,
    removed: frozenset[str] = frozenset(),
    secrets: frozenset[str] = frozenset(),
    on_call: tuple[str, ...] = (),
) -> AlertConfig:
    """The configuration that decides about alerts. A channel whose secrets are missing is left out.

    `flush_now`, `on_call`, `removed`: as in AlertConfig. `secrets`: the names of variables that another deciding
    process has. Messages for the channels that need them are made here, and the process that has the secrets sends
    them.
    """
    ui_url = settings.secret("OPS_UI_URL") or ui_address.recall(settings)
    left_out = frozenset(unconfigured(catalog.receivers.receivers, settings, secrets))
    key = (id(catalog), id(lineage), ui_url, left_out, flush_now, removed, on_call)
    kept = next(iter(_last), None)
    if kept is None or kept[0] != key:
        # The catalog and the graph are kept too. Otherwise Python could give their ids to other objects.
        made = replace(_made(catalog, lineage, ui_url, left_out, flush_now), removed=removed, on_call=on_call)
        kept = (key, catalog, lineage, made)
        _last[:] = [kept]
    return kept[3]


def _made(
    catalog: Catalog,
    lineage: Lineage,
    ui_url: str,
    left_out: frozenset[str],
    flush_now: bool,
) -> AlertConfig:
    primary = {name: domain.owners[0] for name, domain in catalog.domains.domains.items()}
    primary |= {catalog.domains.main_job(name): owner for name, owner in primary.items()}
    return AlertConfig(
        rules=catalog.rules.rules,
        metrics=catalog.metrics.metrics,
        tree=compile_tree(catalog.routes.route),
        receivers=catalog.receivers.receivers,
        owners=catalog.owners,
        zone=catalog.platform.zone,
        lineage=lineage,
        inhibit_rules=catalog.routes.inhibit_rules,
        graph=catalog.routes.graph_inhibition,
        intervals=catalog.calendar.time_intervals,
        maintenance=catalog.calendar.maintenance,
        slas={name: sla for name, sla in catalog.slas.slas.items() if sla.enabled},
        expectations={name: item for name, item in catalog.slas.expectations.items() if item.enabled},
        primary_owners=primary,
        pipeline_owners={job: pair.primary for job, pair in catalog.owners.pipelines.items()},
        first_responses={str(name): item for name, item in catalog.rules.first_responses.items()},
        flap_window=catalog.rules.flap_window,
        flap_hold=catalog.rules.flap_hold,
        ui_url=ui_url,
        unconfigured=left_out,
        flush_now=flush_now,
        watches=catalog.watches,
        switched_off=catalog.switched_off | catalog.switched_off_jobs,
    )
