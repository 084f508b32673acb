"""Writes good rows, quarantined rows, the journal and the archive in one transaction."""
