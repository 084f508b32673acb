"""From an alert to its end: incidents, their ladder and timeline, holds, runbooks and checklists."""
