"""Backups of a home folder: taken, proved, listed and restored."""
