"""A message as text, as HTML for e-mail, and as Slack blocks. Everything that came from outside is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any

COLOURS = {"critical": "#b3261e", "high": "#c4500a", "medium": "#9a6b00", "low": "#3b5b7a", "resolved": "#2b6a3a"}
MARKS = {"critical": ":red_circle:", "high": ":large_orange_circle:", "medium": ":large_yellow_circle:",
         "low": ":large_blue_circle:", "resolved": ":large_green_circle:"}  # fmt: skip
# Slack refuses a section above 3,000 characters and a message above 50 blocks.
SLACK_SECTION = 2900
SLACK_ALERTS = 12
Facts = list[tuple[str, str]]


def moment(iso: str | None) -> str:
    """2026-11-20 07:05 UTC."""
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M} UTC" if iso else ""


def run_link(alert: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    return f"{payload.get('ui_url', '')}/runs/{alert['run_id']}" if alert.get("run_id") else ""


def facts(alert: Mapping[str, Any], payload: Mapping[str, Any]) -> Facts:
    """The lines of one alert: (name, value), without the empty ones."""
    blast = alert["blast_radius"]
    below = ", ".join(blast["assets"])
    if blast["asset_count"] > len(blast["assets"]):
        below += f" and {blast['asset_count'] - len(blast['assets'])} more"
    lines = [
        ("Asset", ", ".join(alert["assets"])),
        ("Partition", alert["partition"]),
        ("Check", alert["check"]),
        ("Pipeline", alert["pipeline"]),
        ("Since", moment(alert["since"]) + (f", resolved {moment(alert['until'])}" if alert["until"] else "")),
        ("Acknowledged", alert.get("acknowledged", "")),
        ("Severity", alert["severity"]),
        ("Owners", ", ".join(alert["owners"]) or "nobody: this asset has no owner"),
        ("Downstream", below or "nothing"),
        ("Used by", ", ".join(blast["exposures"])),
        ("SLA at risk", ", ".join(blast["slas"])),
        ("Probable class", alert["failure_class"]),
        ("First response", alert["response"]),
        ("Runbook", f"ops_project/runbooks/{alert['runbook']}.md" if alert["runbook"] else ""),
        ("Run", run_link(alert, payload)),
        ("Batch", alert["batch_id"]),
        ("Error", alert["message"]),
        ("Silent under it", ", ".join(f"#{item['number']} {item['summary']}" for item in alert["silent_under_it"][:20])
         + (f" and {len(alert['silent_under_it']) - 20} more" if len(alert["silent_under_it"]) > 20 else "")),
    ]  # fmt: skip
    if alert["flaps"]:
        lines.append(("Flapping", f"fired again {alert['flaps']} times"))
    return [(name, value) for name, value in lines if value]


def state_of(alert: Mapping[str, Any]) -> str:
    return "resolved" if alert["status"] == "resolved" else str(alert["severity"])


def as_text(payload: Mapping[str, Any]) -> str:
    """Plain text, also the console's and the file's."""
    lines = [str(payload["subject"]), ""]
    if payload.get("text"):
        lines += [str(payload["text"]), ""]
    lines += [f"{name}: {value}" for name, value in payload.get("facts", ())]
    for alert in payload["alerts"]:
        lines += [f"#{alert['number']} {state_of(alert).upper()}: {alert['summary']}"]
        lines += [f"  {name + ':':<16}{value}" for name, value in facts(alert, payload)]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def as_html(payload: Mapping[str, Any]) -> str:
    """An e-mail's HTML part: tables and inline styles, because mail clients drop the rest."""
    parts = []
    for alert in payload["alerts"]:
        colour = COLOURS[state_of(alert)]
        rows = "".join(
            f'<tr><td style="padding:3px 14px 3px 0;color:#5f6368;vertical-align:top;white-space:nowrap">'
            f"{escape(name)}</td>"
            f'<td style="padding:3px 0;vertical-align:top;word-break:break-word">{_html_value(name, value)}</td></tr>'
            for name, value in facts(alert, payload)
        )
        parts.append(
            f'<div style="border-left:5px solid {colour};padding:10px 0 10px 16px;margin:0 0 22px 0">'
            f'<div style="font-size:12px;font-weight:bold;color:{colour};letter-spacing:.5px">'
            f"{escape(state_of(alert).upper())} &nbsp;#{alert['number']}</div>"
            f'<div style="font-size:17px;font-weight:bold;margin:3px 0 8px 0">{escape(alert["summary"])}</div>'
            f'<table role="presentation" cellspacing="0" cellpadding="0" style="font-size:14px;line-height:1.45">'
            f"{rows}</table></div>"
        )
    text = f'<p style="font-size:15px">{escape(str(payload["text"]))}</p>' if payload.get("text") else ""
    if payload.get("facts"):
        text += "<table>" + "".join(
            f'<tr><td style="padding:3px 14px 3px 0;color:#5f6368">{escape(str(n))}</td><td>{escape(str(v))}</td></tr>'
            for n, v in payload["facts"]
        ) + "</table>"  # fmt: skip
    footer = f"Sent {moment(str(payload['at']))}"
    if payload.get("receiver"):
        reason = str(payload.get("reason", "")).replace("_", " ")
        footer += f" to {escape(str(payload['receiver']))}, because: {escape(reason)}"
    return (
        '<!doctype html><html><body style="margin:0;background:#ffffff;color:#1f1f1f;'
        'font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif">'
        f'<div style="max-width:720px;margin:0 auto;padding:22px">{text}{"".join(parts)}'
        f'<div style="font-size:12px;color:#80868b;border-top:1px solid #e0e0e0;padding-top:10px">{footer}</div>'
        "</div></body></html>"
    )


def _html_value(name: str, value: str) -> str:
    if name == "Run":
        return f'<a href="{escape(value, quote=True)}">{escape(value)}</a>'
    if name == "Error":
        return (
            '<pre style="margin:0;font-size:12px;background:#f5f5f5;padding:8px;white-space:pre-wrap">'
            f"{escape(value[:4000])}</pre>"
        )
    if name == "First response":
        return f"<b>{escape(value)}</b>"
    return escape(value)


def as_slack(payload: Mapping[str, Any]) -> dict[str, Any]:
    """`text` for notifications and `blocks` for the message."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": str(payload["subject"])[:150], "emoji": True}}
    ]
    if payload.get("text"):
        blocks.append(_section(_mrkdwn(str(payload["text"]))))
    if payload.get("facts"):
        blocks.append(_section("\n".join(f"*{_mrkdwn(str(n))}* {_mrkdwn(str(v))}" for n, v in payload["facts"])))
    for alert in payload["alerts"][:SLACK_ALERTS]:
        lines = [f"{MARKS[state_of(alert)]} *#{alert['number']} {_mrkdwn(alert['summary'])}*"]
        for name, value in facts(alert, payload):
            if name == "Run":
                value = f"<{value}|{alert['run_id'][:8]}>"
            elif name == "Error":
                value = f"\n```{_mrkdwn(value)[:900]}```"
            else:
                value = _mrkdwn(value)
            lines.append(f"*{name}:* {value}")
        blocks += [_section("\n".join(lines)), {"type": "divider"}]
    if len(payload["alerts"]) > SLACK_ALERTS:
        blocks.append(_section(f"and {len(payload['alerts']) - SLACK_ALERTS} more: `ops alerts list`"))
    return {"text": str(payload["subject"]), "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SLACK_SECTION]}}


def _mrkdwn(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
