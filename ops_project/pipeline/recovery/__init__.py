"""Brings data back: restores from snapshots, and backups that are proved (restored and compared as a trial)."""
