"""A message as the HTML part of an e-mail. It uses only tables and inline styles, because mail clients drop everything
else. Every text that came from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from ops_project.operations.alerting.rendering.lines import (
    actions,
    count,
    facts,
    in_full,
    in_lines,
    left_out,
    moment,
    run_link,
    shown,
    span,
    state_of,
)

COLOURS = {
    "critical": "#b3261e",
    "high": "#c4500a",
    "medium": "#8a6100",
    "low": "#3b5b7a",
    "resolved": "#2b6a3a",
    "success": "#2b6a3a",
    "notice": "#3b5b7a",
}
LABEL = "padding:3px 12px 3px 0;color:#5f6368;vertical-align:top;white-space:nowrap;font-size:13px"
VALUE = "padding:3px 0;vertical-align:top;word-break:break-word;overflow-wrap:anywhere"
ERROR_LENGTH = 2000
PREVIEW = 120
# These facts are shown above the table, each in its own form.
ABOVE = {"First response", "Error", "It was", "Severity"}


def as_html(payload: Mapping[str, Any]) -> str:
    """The whole HTML document. A report already contains its HTML, which was escaped when the report was made."""
    if payload.get("kind") == "report" and payload.get("html"):
        return str(payload["html"])
    payload = shown(payload)
    head = f'<div style="font-size:15px;margin:0 0 14px 0">{number}</div>' if (number := count(payload)) else ""
    body = (
        head
        + _actions(payload)
        + _plain(payload)
        + "".join(_card(alert, payload) for alert in in_full(payload))
        + _lines(payload)
    )
    footer = f"Sent {moment(str(payload['at']), str(payload.get('zone', '')))}"
    if payload.get("receiver"):
        reason = str(payload.get("reason", "")).replace("_", " ")
        footer += f" to {escape(str(payload['receiver']))}, because: {escape(reason)}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"></head>'
        '<body style="margin:0;background:#ffffff;color:#1f1f1f;font-size:15px;line-height:1.45;'
        'font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif">'
        f'<div style="display:none;max-height:0;overflow:hidden">{escape(preview(payload))}</div>'
        f'<div style="max-width:720px;margin:0 auto;padding:18px">{body}'
        '<div style="font-size:12px;color:#6f7680;border-top:1px solid #e0e0e0;padding-top:10px">'
        f"{footer}</div></div></body></html>"
    )


def _actions(payload: Mapping[str, Any]) -> str:
    """A button for each action that the message offers, large enough for a thumb."""
    buttons = "".join(
        f'<a href="{escape(url, quote=True)}" style="display:inline-block;background:#0b57d0;color:#ffffff;'
        'text-decoration:none;font-weight:bold;padding:12px 18px;margin:0 8px 8px 0;border-radius:6px">'
        f"{escape(label)}</a>"
        for label, url in actions(payload)
    )
    return f'<div style="margin:0 0 14px 0">{buttons}</div>' if buttons else ""


def preview(payload: Mapping[str, Any]) -> str:
    """The text that a mail client shows beside the subject. On a locked telephone, only the subject and this text are
    visible.
    """
    first = next(iter(payload["alerts"]), None)
    if first is None:
        return str(payload.get("text", ""))
    if payload.get("digest"):
        return "; ".join(str(alert["summary"]) for alert in payload["alerts"][:5])
    if first["status"] == "resolved":
        return f"Well again after {span(first['since'], first['until'])}." if first["until"] else "Well again."
    said = " ".join(str(first["message"]).split())[:PREVIEW]
    return f"{said} Do first: {first['response']}".strip()


def _plain(payload: Mapping[str, Any]) -> str:
    """A message that is not about an alert: for example about a success, or about a silence that is ending."""
    text = payload.get("text")
    rows = "".join(
        f'<tr><td style="{LABEL}">{escape(str(name))}</td><td style="{VALUE}">{_linked(str(value))}</td></tr>'
        for name, value in payload.get("facts") or ()
    )
    if not text and not rows:
        return ""
    title = str(payload["subject"]).partition("] ")[2] or str(payload["subject"])
    inner = f'<div style="white-space:pre-line">{escape(str(text))}</div>' if text else ""
    inner += f'<table role="presentation" cellspacing="0" cellpadding="0">{rows}</table>' if rows else ""
    return _framed(COLOURS.get(str(payload["status"]), "#3b5b7a"), str(payload["kind"]).upper(), title, inner)


def _framed(colour: str, head: str, title: str, inner: str) -> str:
    return (
        f'<div style="border-left:5px solid {colour};padding:4px 0 4px 14px;margin:0 0 24px 0">'
        f'<div style="font-size:12px;font-weight:bold;color:{colour};letter-spacing:.5px">{escape(head)}</div>'
        f'<div style="font-size:18px;font-weight:bold;line-height:1.3;margin:2px 0 8px 0;overflow-wrap:anywhere">'
        f"{escape(title)}</div>{inner}</div>"
    )


def _card(alert: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    state = state_of(alert)
    told = dict(facts(alert, payload))
    link = run_link(alert, payload)
    inner = ""
    if response := told.get("First response"):
        inner += (
            f'<div style="background:#f1f3f4;border-radius:4px;padding:8px 12px;margin:0 0 8px 0"><b>Do first:</b> '
            f"{escape(response)}</div>"
        )
    if error := told.get("Error") or told.get("It was"):
        cut = error[:ERROR_LENGTH] + (" …" if len(error) > ERROR_LENGTH else "")
        inner += (
            '<pre style="margin:0 0 8px 0;font-size:12px;line-height:1.4;background:#f8f8f8;padding:8px 12px;'
            f'white-space:pre-wrap;overflow-wrap:anywhere">{escape(cut)}</pre>'
        )
    rows = "".join(
        f'<tr><td style="{LABEL}">{escape(name)}</td><td style="{VALUE}">{_value(name, value, link, alert)}</td></tr>'
        for name, value in told.items()
        if name not in ABOVE
    )
    inner += f'<table role="presentation" cellspacing="0" cellpadding="0" style="font-size:14px">{rows}</table>'
    was = f" (was {alert['severity']})" if state == "resolved" else ""
    return _framed(COLOURS[state], f"{state.upper()}{was}  #{alert['number']}", alert["summary"], inner)


def _value(name: str, value: str, link: str, alert: Mapping[str, Any]) -> str:
    if name == "Run":
        return f'<a href="{escape(link, quote=True)}">open run {escape(alert["run_id"][:8])} in Dagster</a>'
    if name == "Runbook":
        return _linked(value)
    if name == "Commands":
        return " &nbsp; ".join(f"<code>{escape(part.strip())}</code>" for part in value.split(","))
    return escape(value)


def _lines(payload: Mapping[str, Any]) -> str:
    found = in_lines(payload)
    if not found:
        return ""
    rows = "".join(
        f'<tr><td style="padding:4px 10px 4px 0;vertical-align:top;white-space:nowrap;font-size:12px;font-weight:bold;'
        f'color:{COLOURS[state_of(alert)]}">{escape(state_of(alert).upper())}</td>'
        f'<td style="{VALUE};padding-bottom:6px">{escape(alert["summary"])}<div style="font-size:12px;color:#5f6368">'
        f"#{alert['number']}, {escape(', '.join(alert['owners']) or 'nobody')}, since {moment(alert['since'])}</div>"
        "</td></tr>"
        for alert in found
    )
    heading = f'<div style="font-weight:bold;margin:0 0 6px 0">And {len(found)} more</div>'
    title = "" if payload.get("digest") else heading
    rest, command = left_out(payload), escape(str(payload.get("ops", "ops")))
    more = f'<div style="margin:6px 0 0 0">and {rest} more: <code>{command} alerts list</code></div>' if rest else ""
    return (
        f'<div style="margin:0 0 24px 0">{title}<table role="presentation" cellspacing="0" cellpadding="0" '
        f'style="font-size:14px">{rows}</table>{more}</div>'
    )


def _linked(value: str) -> str:
    if value.startswith(("http://", "https://")):
        return f'<a href="{escape(value, quote=True)}">{escape(value)}</a>'
    return escape(value)
