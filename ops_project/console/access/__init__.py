"""Finds out who opens a page, and what that person may do."""
