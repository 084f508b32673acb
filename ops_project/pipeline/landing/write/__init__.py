"""Writes good rows (`rows`), quarantined rows (`quarantine`) and the journal in one transaction for each file. Also
archives the file.
"""
