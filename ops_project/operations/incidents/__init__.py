"""Incidents: their escalation ladder and timeline, holds, runbooks, post-mortems and checklists."""
