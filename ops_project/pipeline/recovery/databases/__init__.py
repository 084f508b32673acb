"""Copies the parts of a home that are in PostgreSQL: writes them to files, loads them again, and compares them by
checksum. No external tool is needed.
"""
