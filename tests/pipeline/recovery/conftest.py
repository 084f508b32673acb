"""The empty home and its platform, as fixtures of this folder."""

from tests.empty_home import platform, settings

__all__ = ["platform", "settings"]
