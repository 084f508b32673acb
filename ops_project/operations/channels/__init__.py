"""Sends messages to receivers. Each kind of channel is one small module, and all have the same interface.
CONTRIBUTING.md says under *a receiver* how another kind is added.
"""
