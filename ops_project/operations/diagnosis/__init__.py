"""Finds what broke, why, and where it began. Every statement names its evidence."""
