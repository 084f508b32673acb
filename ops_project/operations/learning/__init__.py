"""Decisions about models: is a candidate fit and better, what a segment is called, is a model still healthy.

Numbers in, verdicts with reasons out. Trains nothing, reads nothing.
"""
