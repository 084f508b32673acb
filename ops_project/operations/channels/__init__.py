"""Sends messages: one small file for each medium, behind one protocol."""
