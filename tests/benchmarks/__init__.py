"""Measurements, never timed tests: every figure is a ratio measured in one run against a named alternative."""
