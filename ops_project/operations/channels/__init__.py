"""Sends messages. Each kind of channel is one small module, and all have the same interface."""
