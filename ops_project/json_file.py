"""Reads a JSON document that this program wrote. If the file is damaged or gone, the caller gets OSError or ValueError
and decides what the loss means.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")


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


def read_record(file: Path, kind: type[T]) -> T:
    """The object in the file as a `kind`, which is a dataclass. Raises OSError or ValueError as `read_object` and
    `record` do.
    """
    return record(read_object(file), kind)


def record(document: object, kind: type[T]) -> T:
    """A `kind` with the values of a JSON object. Raises ValueError if a field is missing or has another type. The
    dataclass itself takes any value, and the code that uses the value would then raise the error. A field that `kind`
    does not have is left out, because a later version may have written it.
    """
    made: T = _adapter(cast(Any, kind)).validate_python(document)
    return made


@functools.cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
