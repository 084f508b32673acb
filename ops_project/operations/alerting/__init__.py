"""Alerting: from a signal to a delivered message."""
