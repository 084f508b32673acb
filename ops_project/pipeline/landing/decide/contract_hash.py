"""Computes a hash over everything in a contract that affects the rows. Two contracts with the same hash read the same
rows from a file.
"""

from __future__ import annotations

import hashlib
import json

from ops_project.model.feed.feed import Contract, Feed
from ops_project.model.feed.file_format import Format

# These keys of a column affect no row.
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
    """The keys of the format that are left out of the hash because the contract does not use them. They were added to
    the format later. Leaving them out keeps the earlier hash of a contract without them.
    """
    return {"records"} if file_format.records is None else set()


def contract_hash(feed: Feed, contract: Contract) -> str:
    """Sixteen hexadecimal digits. They stay the same as long as `contract` makes the same rows from the same bytes."""
    parts = {
        "format": contract.format.model_dump(mode="json", exclude=_unused(contract.format)),
        "columns": {name: column.model_dump(mode="json", exclude=SPOKEN) for name, column in contract.columns.items()},
        **feed.model_dump(mode="json", include=set(DECISIVE)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
