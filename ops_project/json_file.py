"""Reads a JSON document that this program wrote. If the file is damaged or gone, the caller gets OSError or ValueError
and decides what the loss means.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_json(file: Path) -> Any:
    """The JSON document in the file. Raises OSError if the file cannot be read. Raises ValueError if it does not hold a
    whole document, or if the document is nested too deeply.
    """
    try:
        return json.loads(file.read_bytes())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_object(file: Path) -> dict[str, Any]:
    """Like `read_json`, but also raises ValueError if the document is not an object."""
    found = read_json(file)
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    return found
