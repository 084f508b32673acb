"""The empty home and its small warehouse, as fixtures of this folder."""

from tests.empty_home import platform, settings, warehouse

__all__ = ["platform", "settings", "warehouse"]
