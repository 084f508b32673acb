"""Silences: which alerts are silent, until when, by whom and why."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.pages.incidents import duration
from ops_project.console.views import Ask, NotThere, Wrong, back, deed, page
from ops_project.model.alerting.matcher import Matcher, all_match
from ops_project.operations.alerting.decide.vocabulary import mistakes
from ops_project.operations.alerting.label_vocabulary import known_labels

PAST = 50


def routes() -> list[Route]:
    return [
        page("/silences", listed),
        deed("/silences", add, "silence add"),
        deed("/silences/{number}/end", end, "silence expire"),
    ]


def listed(ask: Ask) -> Response:
    every = ask.site.ledger.silences(ask.now, expired=True)
    holds = [silence for silence in every if silence.ends_at > ask.now]
    ended = [silence for silence in reversed(every) if silence.ends_at <= ask.now][:PAST]
    firing = ask.site.ledger.alerts("open", limit=None)
    covered = {
        silence.number: [alert.number for alert in firing if all_match(silence.matchers, alert.labels)]
        for silence in holds
    }
    prefilled = ask.query.get("matchers", "")
    return ask.show("silences.html.j2", holds=holds, ended=ended, covered=covered, prefilled=prefilled)


def add(ask: Ask) -> Response:
    by, ledger = ask.actor(), ask.site.ledger
    span, reason = duration(ask.form.get("span", "1h")), ask.form.get("reason", "")
    texts = [line.strip() for line in ask.form.get("matchers", "").splitlines() if line.strip()]
    try:
        parsed = [Matcher.parse(text) for text in texts]
    except ValueError as error:
        raise Wrong(str(error)) from None
    if not reason:
        raise Wrong("a silence needs a reason, so that others know why no message comes")
    if not parsed or all(matcher.matches({}) for matcher in parsed):
        raise Wrong("these matchers match every alert, even one without labels: name at least one value")
    firing = ledger.alerts("open", limit=None)
    if wrong := mistakes(parsed, known_labels(ask.site.catalog, ask.site.lineage, firing)):
        raise Wrong("; ".join(wrong))
    number = ledger.add_silence(parsed, starts_at=ask.now, ends_at=ask.now + span, owner=by, reason=reason, now=ask.now)
    ledger.audit(
        ask.now,
        who=by,
        source=ask.source,
        action="silence",
        subject=f"silence {number}",
        outcome="done",
        detail=f"{', '.join(texts)}: {reason}",
    )
    count = sum(all_match(tuple(parsed), alert.labels) for alert in firing)
    return back("/silences", f"Silence {number} is active. It silences {count} of the alerts that fire now.")


def end(ask: Ask) -> Response:
    by, number = ask.actor(), ask.number("number")
    if not ask.site.ledger.expire_silence(number, ask.now):
        raise NotThere(f"there is no silence {number} in force")
    ask.site.ledger.audit(
        ask.now, who=by, source=ask.source, action="end silence", subject=f"silence {number}", outcome="done", detail=""
    )
    return back("/silences", f"Silence {number} has ended.")
