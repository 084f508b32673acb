"""Forwarding modules for homes that an earlier version made. New code does not belong here."""
