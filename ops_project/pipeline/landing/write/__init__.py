"""Writes good and quarantined rows (`rows`) and the journal in one transaction for each file, and archives the file."""
