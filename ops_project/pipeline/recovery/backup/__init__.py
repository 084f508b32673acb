"""Backups of a home: taken, proved, listed, and put back."""
