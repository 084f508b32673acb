"""Incidents, with their escalation ladders and timelines; holds, runbooks, post-mortems and checklists."""
