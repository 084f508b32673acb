"""Reads a file into text columns, and casts these by the contract."""
