"""The whole configuration as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ops_project.catalog.files import resolve
from ops_project.model.alerting.calendar import Calendar
from ops_project.model.alerting.metric import Metrics
from ops_project.model.alerting.receiver import Receivers
from ops_project.model.alerting.retention import Retention
from ops_project.model.alerting.route import Routes
from ops_project.model.alerting.rule import Rules
from ops_project.model.alerting.sla import Slas
from ops_project.model.checklist import Checklists
from ops_project.model.checks import Checks
from ops_project.model.console import Console
from ops_project.model.document import Document
from ops_project.model.domain import Domain, Domains
from ops_project.model.failure_rules import FailureClasses
from ops_project.model.feed.feed import Feed
from ops_project.model.feed.feed_file import FeedFile
from ops_project.model.freshness import Freshness
from ops_project.model.learning import Learning
from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.oncall.schedule import OnCallFile
from ops_project.model.owner import Owners
from ops_project.model.platform import Platform
from ops_project.model.reconciliation import Reconciliations
from ops_project.model.roles import Roles
from ops_project.settings import RUNBOOK_DIR


@dataclass(frozen=True)
class Catalog:
    """Everything that is configured. `load` makes it, and nothing changes it afterwards."""

    platform: Platform
    owners: Owners
    domains: Domains
    freshness: Freshness
    reconciliations: Reconciliations
    checks: Checks
    models: Learning
    metrics: Metrics
    rules: Rules
    routes: Routes
    receivers: Receivers
    calendar: Calendar
    slas: Slas
    oncall: OnCallFile
    escalation: EscalationFile
    failure_classes: FailureClasses
    roles: Roles
    checklists: Checklists
    retention: Retention
    console: Console
    feeds: dict[str, Feed]
    feed_files: dict[str, FeedFile]
    """Domain → its feeds file, for each domain that has one."""
    documents: dict[str, Document] = field(repr=False)
    """Relative path → parsed file. Later checks use it to name a file and a line."""
    overlay: Path | None = None
    watches: bool = False
    """Whether this is the configuration of a home that watches another Dagster project."""
    switched_off: frozenset[str] = frozenset()
    """Domains that are switched off (`enabled: false`). No other attribute contains anything about them."""
    switched_off_jobs: frozenset[str] = frozenset()
    """The main jobs of the domains that are switched off."""

    @property
    def first_plausible_date(self) -> date:
        """The earliest date that is plausible for any feed."""
        return min((feed.plausible.first for feed in self.feeds.values()), default=self.platform.start_date)

    def feeds_of(self, domain: str) -> list[Feed]:
        """The feeds of a domain, in the file's order."""
        return [feed for feed in self.feeds.values() if feed.domain == domain]

    def domain_ids(self) -> list[str]:
        """Every domain: first those of domains.yaml in its order, then those that have only a feeds file."""
        return [*self.domains.domains, *(name for name in self.feed_files if name not in self.domains.domains)]

    def domain(self, domain: str) -> Domain:
        """A domain. If it has only a feeds file, it has the owners of that file. Raises KeyError."""
        if domain in self.domains.domains:
            return self.domains.domains[domain]
        owners = [owner for feed in self.feeds_of(domain) for owner in feed.owners]
        if domain not in self.feed_files or not owners:
            raise KeyError(f"unknown domain {domain!r}; valid: {', '.join(self.domain_ids())}")
        return Domain(title=domain.replace("_", " ").capitalize(), owners=tuple(dict.fromkeys(owners)))

    def config_file(self, relative: str) -> Path:
        """The path of the file `relative`: in the overlay if it is there, otherwise among the shipped files."""
        return resolve(relative, self.overlay, self.watches)

    def runbook_file(self, slug: str) -> Path | None:
        """The runbook's Markdown file; None if there is none. The overlay's `runbooks/<slug>.md` comes before the
        shipped file.
        """
        candidates = [RUNBOOK_DIR / f"{slug}.md"]
        if self.overlay is not None:
            candidates.insert(0, self.overlay / "runbooks" / f"{slug}.md")
        return next((path for path in candidates if path.is_file()), None)
