"""Messages that are not about a group of alerts: the success of a day, and a silence that is about to end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING
from ops_project.model.alerting.signal import OK, Signal, digest
from ops_project.operations.alerting.decide import message as messages
from ops_project.operations.alerting.decide import recipients
from ops_project.operations.alerting.decide.levels import UNKNOWN
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.silences import due_for_notice
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, Notification

RUN, PUBLICATION = "run.failure", "publication.failure"


def needed_beside(signals: Iterable[Signal]) -> set[str]:
    """The fingerprints of the other series that a success notice needs, besides those of the signals themselves."""
    other = {RUN: PUBLICATION, PUBLICATION: RUN}
    return {replace(s, kind=other[s.kind]).fingerprint for s in signals if s.state == OK and s.kind in other}


def announce_successes(decision: Decision, signals: Sequence[Signal], config: AlertConfig) -> None:
    """Announce the first success of each day, once. The key of the message in the outbox prevents a second notice.

    Dagster counts a run as succeeded before the run publishes its tables. So the notice waits for the publication. A
    run that published nothing, or held a table back, is not announced. If a pipeline has never published anything, the
    notice does not wait.
    """
    levels = decision.state.levels
    done: dict[str, Signal] = {}
    for signal in signals:
        if signal.state != OK or signal.kind not in (RUN, PUBLICATION):
            continue
        found = levels.get(replace(signal, kind=RUN).fingerprint, UNKNOWN).ok
        published = levels.get(replace(signal, kind=PUBLICATION).fingerprint, UNKNOWN)
        if signal.kind == PUBLICATION:
            if found is not None and found.run_id == signal.run_id:
                done[found.run_id] = found
        elif published is UNKNOWN or (published.ok is not None and published.ok.run_id == signal.run_id):
            done[signal.run_id] = signal
    if not done:
        return
    unpublished = {s.run_id for s in signals if s.kind.startswith("publication.") and s.state != OK}
    unpublished |= {
        alert.run_id
        for alert in decision.state.alerts.values()
        if alert.status == FIRING and alert.labels.get("kind", "").startswith("publication.")
    }
    for signal in done.values():
        if signal.run_id not in unpublished:
            _announce(decision, signal, config)


def _announce(decision: Decision, signal: Signal, config: AlertConfig) -> None:
    for name, item in config.expectations.items():
        if item.pipeline != signal.pipeline or not item.notice:
            continue
        day = signal.event_at.astimezone(config.zone).date()
        open_now = sum(alert.status == FIRING for alert in decision.state.alerts.values())
        link = f"{config.ui_url}/runs/{signal.run_id}" if config.ui_url else signal.run_id
        facts = [("Run", link), ("Open alerts", str(open_now))]
        payload = messages.of_success(
            f"{item.title}, {day}",
            pipeline=item.pipeline,
            run_id=signal.run_id,
            facts=facts,
            at=signal.event_at,
            ui_url=config.ui_url,
        )
        decision.notifications += plain(
            config,
            item.receiver or config.tree.receiver,
            kind="success",
            subject=f"{name}:{day}",
            payload=payload,
            owners=(config.primary_owners.get(item.domain, ""),),
            reason=AlertReason.SUCCESS_NOTICE,
            now=signal.event_at,
        )


def remind_of_silences(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Remind the owners of silences that are about to end."""
    state = decision.state
    for silence in due_for_notice(list(state.silences.values()), now):
        state.silences[silence.number] = replace(silence, notice_sent_at=now)
        decision.silences_changed.add(silence.number)
        payload = messages.of_silence(silence, [a for a in state.alerts.values() if a.status == FIRING], now)
        decision.notifications += plain(
            config,
            config.tree.receiver,
            kind="silence",
            subject=f"silence:{silence.number}",
            payload=payload,
            owners=(silence.owner,),
            reason=AlertReason.SILENCE_EXPIRES,
            now=now,
        )


def plain(
    config: AlertConfig,
    receiver: str,
    *,
    kind: str,
    subject: str,
    payload: dict[str, object],
    owners: Iterable[str],
    reason: AlertReason,
    now: datetime,
) -> list[Notification]:
    """Make one message for each channel and recipient of a receiver. The message is not about a group of alerts."""
    return [
        Notification(
            key=digest(kind, subject, name, recipient),
            kind=kind,
            receiver=receiver,
            channel=name,
            recipient=recipient,
            severity="low",
            reason=reason,
            created_at=now,
            payload=payload,
        )
        for name, channel in config.receivers[receiver].named(receiver)
        if name not in config.unconfigured
        for recipient in recipients.of_owners(channel, owners, config)
    ]
