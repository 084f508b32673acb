"""Loads the whole configuration from YAML, and checks every value and every name that one file uses from another.

A file in the overlay replaces the shipped file of the same relative path. Other files of the overlay are added: the
files of `rules.d/` are laid over rules.yaml, those of `owners.d/` over owners.yaml, and so on.

All mistakes are reported at once, each with file, line, name and the valid values. The classes in `model` hold the
defaults; this package has none.
"""

from __future__ import annotations

from ops_project.catalog.contents import Catalog
from ops_project.catalog.files import DBT_FOLDERS, FILES, layers_of
from ops_project.catalog.loading import load, shipped
from ops_project.model.document import ConfigError, ConfigProblem

__all__ = ["DBT_FOLDERS", "FILES", "Catalog", "ConfigError", "ConfigProblem", "layers_of", "load", "shipped"]
