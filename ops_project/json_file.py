"""Reads a JSON document that this program wrote. Whatever has happened to the file since, the caller gets one of two
kinds of errors. The caller says what the loss of the file means.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_json(file: Path) -> Any:
    """The JSON document in the file. Raises OSError if the file cannot be read, and ValueError if it does not hold a
    whole document, or a document that is nested too deeply.
    """
    try:
        return json.loads(file.read_bytes())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_object(file: Path) -> dict[str, Any]:
    """Like `read_json`, and raises ValueError if the document is not an object."""
    found = read_json(file)
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    return found
