"""The reasons for changes of an incident. The timeline of an incident is a list of these reasons."""

from __future__ import annotations

from enum import StrEnum


class IncidentReason(StrEnum):
    """One reason for each thing that can happen to an incident."""

    OPENED = "opened"
    ALERT_JOINED = "alert_joined"
    ALERT_RESOLVED = "alert_resolved"
    RAISED = "priority_raised"
    NO_LADDER = "no_ladder"
    STEP_TAKEN = "step_taken"
    STEP_SKIPPED = "step_skipped"
    LADDER_ENDED = "ladder_ended"
    STANDS_DOWN = "stands_down_for_pager"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    TAKEN_OVER = "taken_over"
    DATA_RECOVERED = "data_recovered"
    RESOLVED_BY_PERSON = "resolved_by_person"
    REOPENED = "reopened_by_relapse"
    REPEATED = "repeated_too_often"
    NOTED = "noted"
    RUNBOOK_RUN = "runbook_run"
    HELD = "downstream_held"
    RELEASED = "downstream_released"
    POSTMORTEM_DUE = "postmortem_due"
    POSTMORTEM_OVERDUE = "postmortem_overdue"
    POSTMORTEM_WRITTEN = "postmortem_written"

    @property
    def shown(self) -> str:
        """The reason in words, for people."""
        return _SHOWN.get(self, self.value.replace("_", " "))


_SHOWN = {
    IncidentReason.NO_LADDER: "nobody is called",
    IncidentReason.LADDER_ENDED: "nobody is left to be called",
}
