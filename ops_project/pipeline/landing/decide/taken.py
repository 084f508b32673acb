"""The facts about a batch of the journal that decisions about other files need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path


@dataclass(frozen=True)
class Taken:
    """A batch of the journal that is related to the current file."""

    batch_id: str
    file_name: str
    status: str
    archive_path: Path
    business_date: date
    part: str | None
    sha256: str
    arrived_at: datetime
    load_seq: int
    rows_in: int
    contract: str | None
    """Hash of the contract under which the batch was loaded. None if the batch was loaded before the journal stored
    hashes.
    """
