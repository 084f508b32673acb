"""Landing loads an inbound file into bronze rows, quarantine and archive, as the feed's contract says. Values are read
as text and then cast to the types of the contract. Each file is loaded or has a finding. The rows of a file are all
accounted for: rows read = loaded + quarantined + filtered + collapsed. Landing never guesses a type, a delimiter or an
encoding that the contract does not give.
"""

from ops_project.pipeline.landing.decide.contract_hash import contract_hash
from ops_project.pipeline.landing.decide.replays import (
    Asked,
    Refused,
    ReplayOrder,
    chosen_refused,
    to_replay,
    without_values,
)
from ops_project.pipeline.landing.decide.taken import Taken
from ops_project.pipeline.landing.dry_run import Report, check
from ops_project.pipeline.landing.inbox import LINKED, LINKED_FOLDER, InboundFile, pending, unclaimed
from ops_project.pipeline.landing.land import land
from ops_project.pipeline.landing.replay import deliveries, feeds_of_batches, outdated, refused_groups, replay
from ops_project.pipeline.landing.result import Batch, Finding, LandingResult, Replayed
from ops_project.pipeline.landing.write.tables import BronzeError, ensure_tables

__all__ = [
    "LINKED",
    "LINKED_FOLDER",
    "Asked",
    "Batch",
    "BronzeError",
    "Finding",
    "InboundFile",
    "LandingResult",
    "Refused",
    "ReplayOrder",
    "Replayed",
    "Report",
    "Taken",
    "check",
    "chosen_refused",
    "contract_hash",
    "deliveries",
    "ensure_tables",
    "feeds_of_batches",
    "land",
    "outdated",
    "pending",
    "refused_groups",
    "replay",
    "to_replay",
    "unclaimed",
    "without_values",
]
