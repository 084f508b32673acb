"""The base class of all configuration. An unknown key is an error, and values do not change."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

StoredName = Annotated[str, StringConstraints(min_length=1, max_length=80)]
"""A name in the configuration that the ledger stores. PostgreSQL would refuse a name of more than 80
characters, and the cycle would fail.
"""


class Model(BaseModel):
    """The strict and frozen base class."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, use_attribute_docstrings=True)
