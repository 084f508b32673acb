"""YAML → model: the whole configuration, strict, with every cross-reference checked.

A file in the overlay replaces the shipped file of the same relative path; other files of the overlay are added. The
files of `rules.d/`, `owners.d/` and so on are laid over rules.yaml, owners.yaml and so on. All mistakes are reported at
once, each with file, line, name and the valid values. The models hold the defaults; this package has none.
"""

from __future__ import annotations

from ops_project.catalog.contents import Catalog
from ops_project.catalog.files import DBT_FOLDERS, FILES, layers_of
from ops_project.catalog.loading import load, shipped
from ops_project.model.document import ConfigError, ConfigProblem

__all__ = ["DBT_FOLDERS", "FILES", "Catalog", "ConfigError", "ConfigProblem", "layers_of", "load", "shipped"]
