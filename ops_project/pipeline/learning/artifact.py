"""Stores a trained model as a JSON document with coefficients and references, and without pickled code. Equal models
have equal bytes, so the hash of a model shows whether anything changed. A file is refused if it is missing, was
altered, or was written under another library version. The error names the reason. No part of a refused file is used.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ops_project.failures import Unusable

FORMAT = 1
# The last digits of a sum of floats may differ from machine to machine. So only this many significant digits are
# stored.
DIGITS = 10
FILE_NAME = "model.json"


class ModelUnusable(Unusable):
    """A registered model cannot be used. The message says why."""


def libraries(*names: str) -> dict[str, str]:
    """Name → installed version, as major and minor number. A patch version does not change the meaning of a model."""
    return {name: ".".join(version(name).split(".")[:2]) for name in names}


def rounded(value: Any) -> Any:
    """The value with every float rounded to the significant digits that are stored, also inside lists and
    dictionaries.
    """
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value


def encode(model: dict[str, Any]) -> bytes:
    """The model as canonical JSON: the same content always gives the same bytes."""
    return json.dumps({"format": FORMAT, **rounded(model)}, sort_keys=True, indent=1, ensure_ascii=False).encode()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read(path: Path, sha256: str) -> dict[str, Any]:
    """The model in `path`. Raises ModelUnusable if the file is missing or altered, or belongs to another format or
    library version.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelUnusable(f"its file {path.name} is missing") from None
    except OSError as error:
        raise ModelUnusable(f"its file {path.name} cannot be read: {error.strerror}") from None
    if digest(data) != sha256:
        raise ModelUnusable(f"its file {path.name} was altered: its hash is not the registered one")
    model: dict[str, Any] = json.loads(data)
    if model.get("format") != FORMAT:
        raise ModelUnusable(f"its format is {model.get('format')}, and this program reads only format {FORMAT}")
    for name, wanted in model.get("libraries", {}).items():
        installed = libraries(name)[name]
        if installed != wanted:
            raise ModelUnusable(f"it was trained with {name} {wanted}, but {installed} is installed; train it again")
    return model
