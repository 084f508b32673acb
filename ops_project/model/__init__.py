"""Nouns: what the configuration speaks of, as strict and frozen values. No behaviour beyond their own consistency."""
