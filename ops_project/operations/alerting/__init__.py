"""Alerting, from signals to delivered messages."""
