"""Whether two contracts would read the same rows from a file: a hash over everything that affects the rows."""

from __future__ import annotations

import hashlib
import json

from ops_project.model.feed.feed import Contract, Feed
from ops_project.model.feed.file_format import Format

# These keys describe a column, its visibility or its monitoring. They change no row.
SPOKEN = {"description", "personal_data", "monitor"}
DECISIVE = (
    "raw_fields",
    "key",
    "keep_first",
    "duplicate_keys",
    "filter",
    "rules",
    "business_date",
    "drift",
    "trailer",
    "control",
)


def _unused(file_format: Format) -> set[str]:
    """The keys of the format that are left out of the hash because the contract does not use them. These keys were
    added to the format later, and a contract without them keeps its earlier hash.
    """
    return {"records"} if file_format.records is None else set()


def contract_hash(feed: Feed, contract: Contract) -> str:
    """Sixteen hexadecimal digits. They stay the same as long as `contract` of `feed` makes the same rows from the same
    bytes.
    """
    parts = {
        "format": contract.format.model_dump(mode="json", exclude=_unused(contract.format)),
        "columns": {name: column.model_dump(mode="json", exclude=SPOKEN) for name, column in contract.columns.items()},
        **feed.model_dump(mode="json", include=set(DECISIVE)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
