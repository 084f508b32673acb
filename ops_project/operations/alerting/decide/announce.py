"""Messages that are not about a group of alerts: a day's success, and a silence that is about to end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING
from ops_project.model.alerting.signal import OK, Signal, digest
from ops_project.operations.alerting.decide import message as messages
from ops_project.operations.alerting.decide import recipients
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.silences import due_for_notice
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, Notification


def announce_successes(decision: Decision, signals: Sequence[Signal], config: AlertConfig) -> None:
    """The daily success notice. The first success of a day is announced once; the key of the outbox prevents a second
    notice. A run that published nothing does not count as a success.
    """
    succeeded = [s for s in signals if s.kind == "run.failure" and s.state == OK]
    if not succeeded:
        return
    unpublished = {s.run_id for s in signals if s.kind.startswith("publication.") and s.state != OK}
    for signal in succeeded:
        if signal.run_id in unpublished:
            continue
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
    """Tell the owner of a silence that it is about to end."""
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
    """A message that is not about a group, for every channel of a receiver."""
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
