"""The reasons for what alerting does. Each is stored with its action, so a timeline is a list of reasons."""

from __future__ import annotations

from enum import StrEnum


class AlertReason(StrEnum):
    """One reason for each thing that can happen to an alert or a notification."""

    # Reasons about the alert itself.
    CONDITION_TRUE = "condition_true"
    HELD_LONG_ENOUGH = "held_long_enough"
    CONDITION_FALSE = "condition_false"
    RESOLVE_HELD = "resolve_held"
    FLAPPING = "flapping"
    FIRED_AGAIN = "fired_again"
    FURTHER_DATE = "further_date"
    ROUTED = "routed"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED_BY_HAND = "resolved_by_hand"
    SUBJECT_GONE = "subject_gone"
    SUSPECTED_CAUSE = "suspected_cause"
    UNACKNOWLEDGED = "unacknowledged"
    # Reasons why the alert is silent.
    INHIBITED_BY_RULE = "inhibited_by_rule"
    INHIBITED_BY_CAUSE = "inhibited_by_cause"
    SILENCED = "silenced"
    MAINTENANCE = "maintenance"
    OUTSIDE_ACTIVE_TIME = "outside_active_time"
    MUTED_BY_TIME = "muted_by_time"
    NO_LONGER_MUTED = "no_longer_muted"
    # Reasons for sending a message about the alert.
    FIRST_NOTIFICATION = "first_notification"
    NEW_FIRING = "new_firing"
    NEW_RESOLVED = "new_resolved"
    ALL_RESOLVED = "all_resolved"
    REPEAT = "repeat_interval_passed"
    # Reasons for sending no message about the alert.
    NOTHING_TO_TELL = "nothing_to_tell"
    NEVER_TOLD = "never_told"
    UNCHANGED = "unchanged_within_repeat_interval"
    # Reasons for messages that are not about an alert.
    SUCCESS_NOTICE = "success_notice"
    ESCALATED = "escalated"
    HOLD_PAST_LIMIT = "hold_past_limit"
    SILENCE_EXPIRES = "silence_expires"
    REPORT = "report"


SILENT_UNDER_ANOTHER = (AlertReason.INHIBITED_BY_CAUSE.value, AlertReason.INHIBITED_BY_RULE.value)
"""The reasons of an alert that is silent because another alert fires."""
