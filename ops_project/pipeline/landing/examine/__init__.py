"""Compares a staged file with its contract, before anything is written."""
