"""A message as lines. The lines that a reader who was woken needs come first, then further help, then explanations. The
texts of all channels are made of these lines; the HTML of e-mails and the blocks of Slack have their own modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ops_project.counted import counted
from ops_project.visible import visible

# So many alerts of a message are shown in full. Each further alert gets one line, and so does each alert of a digest. A
# reader who is woken by a hundred alerts sees their number, the most severe ones, and the list.
IN_FULL = 3
IN_LINES = 100
DOWNSTREAM = 8
UNDER_IT = 20
# The width of the longest name with its colon.
NAMES = 23
Facts = list[tuple[str, str]]


def moment(iso: str | None, zone: str = "") -> str:
    """The moment in UTC, and in brackets the time in `zone`: 2026-11-20 07:05 UTC (02:05 EST)."""
    if not iso:
        return ""
    at = datetime.fromisoformat(iso)
    return f"{at:%Y-%m-%d %H:%M} UTC" + (f" ({at.astimezone(ZoneInfo(zone)):%H:%M %Z})" if zone else "")


def span(since: str, until: str) -> str:
    """The length of time between two moments: 35 min; 2 h 5 min; 3 d 4 h."""
    minutes = int((datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds() // 60)
    days, rest = divmod(max(minutes, 0), 1440)
    hours, left = divmod(rest, 60)
    return f"{days} d {hours} h" if days else f"{hours} h {left} min" if hours else f"{left} min"


def run_link(alert: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    """The address of the run's page. Empty if the alert names no run, or if the address of the Dagster UI is
    not known.
    """
    ui_url, run_id = payload.get("ui_url"), alert.get("run_id")
    return f"{ui_url}/runs/{run_id}" if ui_url and run_id else ""


def runbook_link(alert: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    """The address of the runbook's page if the console is being served, otherwise the command that shows the runbook.
    Empty if there is no runbook.
    """
    slug = alert["runbook"]
    if not slug:
        return ""
    page = f"{payload['serve_url']}/runbooks/{slug}" if payload.get("serve_url") else ""
    if page and payload.get("serves"):
        return page
    once = f"; once `ops serve` runs, {page}" if page else ""
    return f"{payload.get('ops', 'ops')} runbook show {slug}{once}"


def actions(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The actions that the reader can take from the message, each as (label, signed link)."""
    return [(str(item["label"]), str(item["url"])) for item in payload.get("actions", ())]


def state_of(alert: Mapping[str, Any]) -> str:
    return "resolved" if alert["status"] == "resolved" else str(alert["severity"])


def facts(alert: Mapping[str, Any], payload: Mapping[str, Any]) -> Facts:
    """The lines of one alert, as (name, value). Lines without a value are left out. What to do comes first."""
    blast, firing = alert["blast_radius"], alert["status"] != "resolved"
    zone, command = str(payload.get("zone", "")), payload.get("ops", "ops")
    since = moment(alert["since"], zone)
    if alert["until"]:
        since += f", resolved {moment(alert['until'], zone)}, after {span(alert['since'], alert['until'])}"
    # The title of a service level may contain commas, so semicolons separate the titles.
    lines = [
        ("First response", alert["response"] if firing else ""),
        ("Error" if firing else "It was", alert["message"]),
        ("Evidence", str(payload.get("evidence", "")) if firing else ""),
        ("Asset", ", ".join(alert["assets"])),
        ("Partition", alert["partition"] or _dates(alert["labels"])),
        ("Check", alert["check"]),
        ("Pipeline", alert["pipeline"]),
        ("Since", since),
        ("Severity", alert["severity"]),
        ("Acknowledged", alert.get("acknowledged", "")),
        ("Owners", ", ".join(alert["owners"]) or "nobody: this asset has no owner"),
        ("SLA at risk", "; ".join(blast.get("slas_at_risk", ())) if firing else ""),
        ("SLAs that depend on it", "; ".join(blast["slas"]) if firing else ""),
        ("Used by", ", ".join(blast["exposures"])),
        ("Downstream", _downstream(blast)),
        ("Probable class", alert["failure_class"]),
        *alert.get("circumstances", ()),
        ("Runbook", runbook_link(alert, payload)),
        ("Run", run_link(alert, payload)),
        ("Run id", alert.get("run_id", "") if not run_link(alert, payload) else ""),
        ("Batch", alert["batch_id"]),
        ("Suspected cause", alert.get("suspected_cause", "")),
        ("Silent under it", _under(alert["silent_under_it"])),
        ("Flapping", f"fired again {counted(alert['flaps'], 'time')}" if alert["flaps"] else ""),
        ("Commands", ", ".join(f"{command} alerts {what} {alert['number']}" for what in ("show", "ack")[: 1 + firing])),
    ]
    return [(name, value) for name, value in lines if value]


def _dates(labels: Mapping[str, str]) -> str:
    """The business dates of an alert that is about several dates; empty if it is about one."""
    return labels.get("dates", "").replace(",", ", ") or labels.get("partitions", "")


def _downstream(blast: Mapping[str, Any]) -> str:
    count, shown = blast["asset_count"], blast["assets"][:DOWNSTREAM]
    if not count:
        return "nothing"
    more = f" and {count - len(shown)} more" if count > len(shown) else ""
    return ("" if count == 1 else f"{count} tables: ") + ", ".join(shown) + more


def _under(silent: Sequence[Mapping[str, Any]]) -> str:
    more = f" and {len(silent) - UNDER_IT} more" if len(silent) > UNDER_IT else ""
    return ", ".join(f"#{item['number']} {item['summary']}" for item in silent[:UNDER_IT]) + more


def in_full(payload: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The alerts that are shown with all their facts."""
    return () if payload.get("digest") else payload["alerts"][:IN_FULL]


def in_lines(payload: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The alerts that get one line each."""
    found: Sequence[Mapping[str, Any]] = payload["alerts"][len(in_full(payload)) :]
    return found[:IN_LINES]


def left_out(payload: Mapping[str, Any]) -> int:
    """The number of alerts that are only counted, and not shown."""
    return len(payload["alerts"]) - len(in_full(payload)) - len(in_lines(payload))


def count(payload: Mapping[str, Any]) -> str:
    """How many alerts of the message are open and how many are resolved. Empty if the message is about one alert and is
    not a digest.
    """
    alerts = payload["alerts"]
    if len(alerts) < 2 and not payload.get("digest"):
        return ""
    resolved = sum(alert["status"] == "resolved" for alert in alerts)
    told = [f"{len(alerts) - resolved} open"] if len(alerts) > resolved else []
    return ", ".join([*told, *([f"{resolved} resolved"] if resolved else [])])


def line(alert: Mapping[str, Any]) -> str:
    """One alert as one line."""
    owners = ", ".join(alert["owners"]) or "nobody"
    return f"#{alert['number']} {state_of(alert).upper()} {alert['summary']} – {owners}, since {moment(alert['since'])}"


def shown(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The message in the form in which it is shown. In all its texts, at any depth, control characters are written out
    as escapes.
    """
    return {name: _shown(value) for name, value in payload.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {name: _shown(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return value


def as_text(payload: Mapping[str, Any]) -> str:
    """The message as plain text. Messages on the console and in files use it too."""
    payload = shown(payload)
    lines = [str(payload["subject"]), ""]
    if payload.get("text"):
        lines += [str(payload["text"]), ""]
    lines += [f"{name}: {value}" for name, value in payload.get("facts", ())]
    lines += [f"{label}: {url}" for label, url in actions(payload)]
    lines += [""] if payload.get("actions") else []
    lines += [number, ""] if (number := count(payload)) else []
    for alert in in_full(payload):
        lines += [f"#{alert['number']} {state_of(alert).upper()}: {alert['summary']}"]
        lines += [f"  {name + ':':<{NAMES}} {value}" for name, value in facts(alert, payload)]
        lines += [""]
    lines += [line(alert) for alert in in_lines(payload)]
    if more := left_out(payload):
        lines.append(f"and {more} more: {payload.get('ops', 'ops')} alerts list")
    return "\n".join(lines).rstrip() + "\n"
