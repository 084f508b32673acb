"""Bringing data back: restores from snapshots, and backups that are proved."""
