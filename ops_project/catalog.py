"""YAML → model: the whole configuration, strict, with every cross-reference checked.

A file in the overlay replaces the shipped file of the same relative path; other files of the overlay are added. The
files of `rules.d/`, `owners.d/` and so on are laid over rules.yaml, owners.yaml and so on. All
mistakes are reported at once, each with file, line, name and the valid values. Knows no defaults of its own: those
stand in the models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from ops_project.model.alerting import consistency as alerting_consistency
from ops_project.model.alerting.calendar import Calendar
from ops_project.model.alerting.metric import Metrics
from ops_project.model.alerting.receiver import Receivers
from ops_project.model.alerting.retention import Retention
from ops_project.model.alerting.route import Routes
from ops_project.model.alerting.rule import Rules
from ops_project.model.alerting.sla import Slas
from ops_project.model.base import Model
from ops_project.model.checklist import Checklists
from ops_project.model.checks import Checks
from ops_project.model.console import Console
from ops_project.model.document import ConfigError, ConfigProblem, Document
from ops_project.model.domain import Domain, Domains
from ops_project.model.failure_rules import FailureClasses
from ops_project.model.feed.feed import Feed, FeedFile
from ops_project.model.freshness import Freshness
from ops_project.model.layered import layered
from ops_project.model.learning import Learning
from ops_project.model.oncall import consistency as oncall_consistency
from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.oncall.schedule import OnCallFile
from ops_project.model.owner import Owners
from ops_project.model.platform import Platform
from ops_project.model.reconciliation import Reconciliations
from ops_project.settings import CONFIG_DIR, DBT_PROJECT_DIR, RUNBOOK_DIR, Settings

__all__ = ["Catalog", "ConfigError", "ConfigProblem", "load"]

# One file, one model. The name is the attribute of Catalog that holds it.
FILES: dict[str, type[Model]] = {
    "platform": Platform,
    "owners": Owners,
    "domains": Domains,
    "freshness": Freshness,
    "reconciliations": Reconciliations,
    "checks": Checks,
    "models": Learning,
    "metrics": Metrics,
    "rules": Rules,
    "routes": Routes,
    "receivers": Receivers,
    "calendar": Calendar,
    "slas": Slas,
    "oncall": OnCallFile,
    "escalation": EscalationFile,
    "failure_classes": FailureClasses,
    "checklists": Checklists,
    "retention": Retention,
    "console": Console,
}
FEEDS_DIR = "feeds"
# Folders of the overlay that belong to the dbt project, and all whose YAML is read by others than this module.
DBT_FOLDERS = ("models", "macros", "tests")
FOLDERS = ("metadata", *DBT_FOLDERS)
# Folders below models/<domain> that are built; a shipped domain has its own names for them.
LAYERS = ("staging", "intermediate", "silver", "marts", "gold")


@dataclass(frozen=True)
class Catalog:
    """Everything that is configured. Frozen; built by `load`."""

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
    checklists: Checklists
    retention: Retention
    console: Console
    feeds: dict[str, Feed]
    feed_files: dict[str, FeedFile]
    """One for each domain that has feeds, by domain id."""
    documents: dict[str, Document] = field(repr=False)
    """The parsed files by relative path, for errors that others find later."""
    overlay: Path | None = None
    switched_off: frozenset[str] = frozenset()
    """Domains with `enabled: false`: they are in none of the other attributes."""

    def feeds_of(self, domain: str) -> list[Feed]:
        """The feeds of a domain, in the file's order."""
        return [feed for feed in self.feeds.values() if feed.domain == domain]

    def domain_ids(self) -> list[str]:
        """Every domain: those of domains.yaml in its order, then those that only a feeds file knows."""
        return [*self.domains.domains, *(name for name in self.feed_files if name not in self.domains.domains)]

    def domain(self, domain: str) -> Domain:
        """A domain; one that only a feeds file knows has that file's owners. Raises KeyError."""
        if domain in self.domains.domains:
            return self.domains.domains[domain]
        owners = [owner for feed in self.feeds_of(domain) for owner in feed.owners]
        if domain not in self.feed_files or not owners:
            raise KeyError(f"unknown domain {domain!r}; valid: {', '.join(self.domain_ids())}")
        return Domain(title=domain.replace("_", " ").capitalize(), owners=tuple(dict.fromkeys(owners)))

    def config_file(self, relative: str) -> Path:
        """The path that holds for `relative`: the overlay's where it has one."""
        return _resolve(relative, self.overlay)

    def runbook_file(self, slug: str) -> Path | None:
        """The runbook's Markdown file, the overlay's `runbooks/<slug>.md` first; None where there is none."""
        candidates = [RUNBOOK_DIR / f"{slug}.md"]
        if self.overlay is not None:
            candidates.insert(0, self.overlay / "runbooks" / f"{slug}.md")
        return next((path for path in candidates if path.is_file()), None)


def load(settings: Settings) -> Catalog:
    """The catalog of this configuration. Raises ConfigError with every problem found."""
    return _load(settings.overlay, _state_of(settings.overlay))


def shipped() -> dict[str, Document]:
    """The shipped files by relative path, parsed and not looked at further."""
    return {name: _read(name, None) for name in [*(f"{name}.yaml" for name in FILES), *_feed_files(None)]}


def _state_of(overlay: Path | None) -> tuple[tuple[str, int], ...]:
    # Files are small and few: their names and change times key the cache, so that a long-lived process sees an edit.
    roots = [CONFIG_DIR] + ([overlay] if overlay else [])
    return tuple(
        sorted((str(path), path.stat().st_mtime_ns) for root in roots for path in root.rglob("*") if path.is_file())
    )


@lru_cache(maxsize=8)
def _load(overlay: Path | None, _stamp: tuple[tuple[str, int], ...]) -> Catalog:
    documents: dict[str, Document] = {}
    problems: list[ConfigProblem] = []
    values: dict[str, Any] = {}
    for name, model in FILES.items():
        try:
            document = layered(
                _read(f"{name}.yaml", overlay), [_read(path, overlay) for path in additions(name, overlay)]
            )
            documents[f"{name}.yaml"] = document
            values[name] = document.validate(model)
        except ConfigError as error:
            problems += error.problems
    feed_files: dict[str, FeedFile] = {}
    for relative in _feed_files(overlay):
        try:
            document = _read(relative, overlay)
            documents[relative] = document
            feed_file = document.validate(FeedFile)
            if feed_file.domain in feed_files:
                problems.append(document.problem(("domain",), f"domain {feed_file.domain!r} already has a feeds file"))
            else:
                feed_files[feed_file.domain] = feed_file
        except ConfigError as error:
            problems += error.problems
    problems += _strangers(overlay, documents)
    _people_of_their_own(overlay, values, documents)
    if problems:
        raise ConfigError(problems)
    feeds: dict[str, Feed] = {}
    for relative, document in documents.items():
        if relative.startswith(f"{FEEDS_DIR}/"):
            for name, feed in feed_files[document.data["domain"]].resolved().items():
                if name in feeds:
                    problems.append(
                        document.problem(
                            ("feeds", name), f"feed {name!r} already belongs to domain {feeds[name].domain!r}"
                        )
                    )
                feeds[name] = _from_the_start(feed, values)
    catalog = Catalog(feeds=feeds, feed_files=feed_files, documents=documents, overlay=overlay, **values)
    problems += [*_references(catalog), *_unread_sql(catalog)]
    if problems:
        raise ConfigError(problems)
    return _without_switched_off(catalog)


def _without_switched_off(catalog: Catalog) -> Catalog:
    """The catalog without the domains that are switched off, and without what is said of nothing else."""
    off = frozenset(name for name, domain in catalog.domains.domains.items() if not domain.enabled)
    if not off:
        return catalog
    slas, chains = catalog.slas, catalog.reconciliations
    return replace(
        catalog,
        domains=catalog.domains.model_copy(
            update={"domains": {name: item for name, item in catalog.domains.domains.items() if name not in off}}
        ),
        feeds={name: feed for name, feed in catalog.feeds.items() if feed.domain not in off},
        feed_files={name: file for name, file in catalog.feed_files.items() if name not in off},
        slas=slas.model_copy(
            update={
                "slas": {name: sla for name, sla in slas.slas.items() if sla.domain not in off},
                "expectations": {name: item for name, item in slas.expectations.items() if item.domain not in off},
            }
        ),
        reconciliations=chains.model_copy(
            update={
                "reconciliations": {
                    name: chain for name, chain in chains.reconciliations.items() if chain.domain not in off
                }
            }
        ),
        switched_off=off,
    )


def _unread_sql(catalog: Catalog) -> list[ConfigProblem]:
    """SQL files of the overlay that dbt would not build: outside of its folders, of no domain, in no layer."""
    if catalog.overlay is None:
        return []
    problems = []
    for path in sorted(catalog.overlay.rglob("*.sql")):
        parts = path.relative_to(catalog.overlay).parts
        layers = layers_of(parts[1]) if len(parts) > 2 else ()
        if parts[0] in ("macros", "tests") and len(parts) > 1:
            continue
        if parts[0] != "models" or len(parts) < 3:
            words = "valid: models/<domain>/<layer>/<table>.sql, macros/<name>.sql, tests/<name>.sql"
        elif parts[1] not in catalog.domain_ids():
            words = f"{parts[1]!r} is no domain; valid: {', '.join(catalog.domain_ids())}"
        elif len(parts) < 4 or parts[2] not in layers:
            words = f"it lies in no layer; valid: {', '.join(f'models/{parts[1]}/{name}/' for name in layers)}"
        else:
            continue
        problems.append(ConfigProblem(str(path), 1, f"nothing builds this file: {words}"))
    return problems


def layers_of(domain: str) -> tuple[str, ...]:
    """The folders below models/<domain> that are built."""
    shipped = DBT_PROJECT_DIR / "models" / domain
    if not shipped.is_dir():
        return LAYERS
    return tuple(sorted(path.name for path in shipped.iterdir() if path.is_dir() and any(path.rglob("*.sql"))))


def _resolve(relative: str, overlay: Path | None) -> Path:
    if overlay is not None and (overlay / relative).is_file():
        return overlay / relative
    return CONFIG_DIR / relative


def _read(relative: str, overlay: Path | None) -> Document:
    path = _resolve(relative, overlay)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError([ConfigProblem(str(path), 1, "this file is needed and does not exist")]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([ConfigProblem(str(path), 1, f"not UTF-8 ({error.reason} at byte {error.start})")]) from None
    return Document.parse(text, path)


def _from_the_start(feed: Feed, values: Mapping[str, Any]) -> Feed:
    """The feed, whose dates are plausible from the platform's start on where its contract says nothing else."""
    if feed.plausible.start is not None:
        return feed
    plausible = feed.plausible.model_copy(update={"start": values["platform"].start_date})
    return feed.model_copy(update={"plausible": plausible})


def _feed_files(overlay: Path | None) -> list[str]:
    names = {path.name for path in (CONFIG_DIR / FEEDS_DIR).glob("*.yaml")}
    if overlay is not None:
        names |= {path.name for path in (overlay / FEEDS_DIR).glob("*.yaml")}
    return [f"{FEEDS_DIR}/{name}" for name in sorted(names)]


def additions(name: str, overlay: Path | None) -> list[str]:
    """The overlay's files that are laid over <name>.yaml, relative to it, in the order of their names."""
    if overlay is None:
        return []
    return sorted(path.relative_to(overlay).as_posix() for path in (overlay / f"{name}.d").glob("*.yaml"))


def _strangers(overlay: Path | None, documents: dict[str, Document]) -> list[ConfigProblem]:
    """A YAML file in the overlay that nothing reads is a mistake in its name."""
    if overlay is None:
        return []
    # A feeds file that could not be parsed was read all the same: its own mistake is told, not this one.
    valid = {f"{name}.yaml" for name in FILES} | set(documents) | set(_feed_files(overlay))
    added = {path for name in FILES for path in additions(name, overlay)}
    return [
        ConfigProblem(
            str(path),
            1,
            f"nothing reads this file{_meant(relative, sorted(valid))}; valid: {', '.join(sorted(valid))}, "
            f"{FEEDS_DIR}/<domain>.yaml, and <name>.d/*.yaml to add to <name>.yaml",
        )
        for path in sorted(overlay.rglob("*.y*ml"))
        if (relative := path.relative_to(overlay).as_posix()) not in valid | added
        and relative.partition("/")[0] not in FOLDERS
    ]


def _meant(name: str, valid: list[str]) -> str:
    close = get_close_matches(name, valid, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _dangling(
    document: Document, loc: tuple[str, ...], subject: str, name: str, valid: list[str]
) -> list[ConfigProblem]:
    """A problem where `name` is not among `valid`; nothing otherwise."""
    if name in valid:
        return []
    meant = _meant(name, valid)
    return [document.problem(loc, f"{subject} {name!r} does not exist{meant}; valid: {', '.join(sorted(valid))}")]


def _references(catalog: Catalog) -> list[ConfigProblem]:
    """Every name that one file uses and another must declare."""
    return [
        *_owner_references(catalog),
        *_domain_references(catalog),
        *_feed_references(catalog),
        *_reconciliation_references(catalog),
        *_alerting_references(catalog),
        *_oncall_references(catalog),
        *_queries_that_do_not_read(catalog),
    ]


def _queries_that_do_not_read(catalog: Catalog) -> list[ConfigProblem]:
    """Checks that are no single SELECT: they run where tables are written, and must not change any."""
    if not catalog.checks.queries:
        return []
    import duckdb  # a tenth of a second to import, and few configurations have queries

    document, problems = catalog.documents["checks.yaml"], []
    for name, check in catalog.checks.queries.items():
        try:
            statements = duckdb.extract_statements(check.sql)
        except duckdb.Error as error:
            words = f"the query is not valid SQL: {str(error).splitlines()[0]}"
        else:
            if len(statements) == 1 and statements[0].type == duckdb.StatementType.SELECT:
                continue
            words = "a check is one SELECT; it runs where tables are written, and must not change any"
        problems.append(document.problem(("queries", name, "sql"), f"check {name!r}: {words}"))
    return problems


def _oncall_references(catalog: Catalog) -> list[ConfigProblem]:
    """People, pipelines, rotations and ladders; see `model.oncall.consistency`."""
    documents, owners = catalog.documents, catalog.owners
    runbooks = {path.stem for path in RUNBOOK_DIR.glob("*.md")}
    if catalog.overlay is not None:
        runbooks |= {path.stem for path in (catalog.overlay / "runbooks").glob("*.md")}
    return [
        *oncall_consistency.check_people(documents["owners.yaml"], owners, runbooks, catalog.domain_ids()),
        *oncall_consistency.check_schedules(documents["oncall.yaml"], catalog.oncall, owners),
        *oncall_consistency.check_ladders(
            documents["escalation.yaml"], catalog.escalation, owners, catalog.oncall, catalog.domain_ids()
        ),
        *_checklist_references(catalog),
        *_console_references(catalog),
    ]


def _console_references(catalog: Catalog) -> list[ConfigProblem]:
    """Users of the console are people; nobody can log in who has no password and no proxy."""
    document, people, problems = catalog.documents["console.yaml"], list(catalog.owners.people), []
    for name, user in catalog.console.users.items():
        at = ("users", name)
        problems += _dangling(document, at, "console user", name, people)
        if user.password is None and catalog.console.proxy is None:
            words = f"console user {name!r} has no password and there is no proxy; `ops serve --new-password` makes one"
            problems.append(document.problem(at, words))
    return problems


def _checklist_references(catalog: Catalog) -> list[ConfigProblem]:
    """Rules and metrics that a line measures, and whom it asks."""
    document, problems = catalog.documents["checklists.yaml"], list[ConfigProblem]()
    for name, checklist in catalog.checklists.checklists.items():
        for key, line in checklist.lines.items():
            at, subject = ("checklists", name, "lines", key), f"checklist {name!r}, line {key!r}"
            for rule in line.measure.rules if line.measure else ():
                problems += _dangling(document, (*at, "measure"), f"{subject}: rule", rule, list(catalog.rules.rules))
            if line.measure and line.measure.metric:
                metrics = list(catalog.metrics.metrics)
                problems += _dangling(document, (*at, "measure"), f"{subject}: metric", line.measure.metric, metrics)
            if line.ask is not None and catalog.owners.behind(line.ask) is None:
                valid = [*(f"role:{role}" for role in catalog.owners.roles), *catalog.owners.valid()]
                problems += _dangling(document, (*at, "ask"), f"{subject}: nobody", line.ask, valid)
    return problems if not _shipped_beside_own(catalog) else []


def _shipped_beside_own(catalog: Catalog) -> bool:
    """Whether the overlay has people or rules of its own and the checklists are the shipped ones."""
    overlay = catalog.overlay
    if overlay is None or (overlay / "checklists.yaml").is_file():
        return False
    return any((overlay / f"{name}.yaml").is_file() for name in ("owners", "rules", "metrics"))


def _people_of_their_own(overlay: Path | None, values: dict[str, Any], documents: dict[str, Document]) -> None:
    """People of the overlay's own do not stand in the shipped rotation and ladders, which then are left out.

    Until the overlay has an oncall.yaml and an escalation.yaml too, the primary owner stands in for the person on call.
    `ops owners lint` says so.
    """
    if overlay is None or not (overlay / "owners.yaml").is_file() or "owners" not in values:
        return
    owners = values["owners"]
    for name, empty in (("oncall", OnCallFile()), ("escalation", EscalationFile())):
        if not (overlay / f"{name}.yaml").is_file() and name in values:
            document = documents[f"{name}.yaml"]
            wrong = (
                oncall_consistency.check_schedules(document, values[name], owners)
                if name == "oncall"
                else oncall_consistency.check_ladders(document, values[name], owners, values["oncall"], None)
            )
            if wrong:
                values[name] = empty


def _reconciliation_references(catalog: Catalog) -> list[ConfigProblem]:
    problems: list[ConfigProblem] = []
    document = catalog.documents["reconciliations.yaml"]
    for name, chain in catalog.reconciliations.reconciliations.items():
        at, subject = ("reconciliations", name), f"reconciliation {name!r}"
        problems += _dangling(document, (*at, "domain"), f"{subject}: domain", chain.domain, catalog.domain_ids())
        for node in chain.nodes:
            if node.feed is not None:
                problems += _dangling(document, (*at, "nodes"), f"{subject}: feed", node.feed, list(catalog.feeds))
        if chain.runbook is not None and catalog.runbook_file(chain.runbook) is None:
            problems.append(
                document.problem(
                    (*at, "runbook"), f"{subject}: runbook {chain.runbook!r} has no file {chain.runbook}.md"
                )
            )
    return problems


def _owner_references(catalog: Catalog) -> list[ConfigProblem]:
    document, owners = catalog.documents["owners.yaml"], catalog.owners
    people = list(owners.people)
    problems: list[ConfigProblem] = []
    if owners.otherwise is not None and owners.resolve(owners.otherwise) is None:
        problems += _dangling(document, ("otherwise",), "otherwise: owner", owners.otherwise, owners.valid())
    for slug, team in owners.teams.items():
        for member in team.members:
            problems += _dangling(document, ("teams", slug, "members"), f"team {slug!r}: member", member, people)
    for slug, person in owners.people.items():
        if person.manager is not None:
            problems += _dangling(document, ("people", slug, "manager"), f"{slug!r}: manager", person.manager, people)
    return problems


def _domain_references(catalog: Catalog) -> list[ConfigProblem]:
    policies = list(catalog.freshness.policies)
    document, freshness = catalog.documents["domains.yaml"], catalog.documents["freshness.yaml"]
    problems: list[ConfigProblem] = []
    for name, domain in catalog.domains.domains.items():
        at = ("domains", name)
        problems += _owned(catalog, document, at, f"domain {name!r}", domain.owners)
        problems += _described(catalog, document, at, f"domain {name!r}", domain.runbook)
        for layer, policy in domain.freshness.items():
            problems += _dangling(document, (*at, "freshness", layer), f"domain {name!r}: policy", policy, policies)
    for layer, policy in catalog.freshness.layers.items():
        problems += _dangling(freshness, ("layers", layer), f"layer {layer!r}: freshness policy", policy, policies)
    return problems


def _feed_references(catalog: Catalog) -> list[ConfigProblem]:
    problems: list[ConfigProblem] = []
    for relative, document in catalog.documents.items():
        if relative.startswith(f"{FEEDS_DIR}/"):
            for feed in catalog.feeds_of(document.data["domain"]):
                at = ("feeds", feed.name)
                problems += _owned(catalog, document, at, f"feed {feed.name!r}", feed.owners)
                problems += _described(catalog, document, at, f"feed {feed.name!r}", feed.runbook)
                problems += _dated_by(catalog, document, feed)
                if not feed.owners and feed.domain not in catalog.domains.domains:
                    problems.append(
                        document.problem(
                            at,
                            f"feed {feed.name!r} has no owner; add owners: to the file or the feed, one of "
                            f"{', '.join(catalog.owners.valid())}",
                        )
                    )
    return problems


def _dated_by(catalog: Catalog, document: Document, feed: Feed) -> list[ConfigProblem]:
    """The feed that dates this one's rows must be one of the domain, and have the columns."""
    if feed.dated_by is None:
        return []
    at, subject = ("feeds", feed.name, "dated_by"), f"feed {feed.name!r}: dated_by: "
    domain = {other.name: other for other in catalog.feeds_of(feed.domain) if other.name != feed.name}
    if feed.dated_by.feed not in domain:
        return _dangling(document, at, f"{subject}feed", feed.dated_by.feed, list(domain))
    columns = list(domain[feed.dated_by.feed].columns)
    return [
        problem
        for name in feed.dated_by.columns
        for problem in _dangling(document, at, f"{subject}{feed.dated_by.feed} column", name, columns)
    ]


def _owned(
    catalog: Catalog, document: Document, at: tuple[str, ...], subject: str, owners: tuple[str, ...]
) -> list[ConfigProblem]:
    return [
        problem
        for owner in owners
        if catalog.owners.resolve(owner) is None
        for problem in _dangling(document, (*at, "owners"), f"{subject}: owner", owner, catalog.owners.valid())
    ]


def _described(
    catalog: Catalog, document: Document, at: tuple[str, ...], subject: str, slug: str | None
) -> list[ConfigProblem]:
    if slug is None or catalog.runbook_file(slug) is not None:
        return []
    known = [path.stem for path in RUNBOOK_DIR.glob("*.md")]
    if catalog.overlay is not None:
        known += [path.stem for path in (catalog.overlay / "runbooks").glob("*.md")]
    return _dangling(document, (*at, "runbook"), f"{subject}: runbook", slug, known)


def _alerting_references(catalog: Catalog) -> list[ConfigProblem]:
    """The alerting files among each other; see `model.alerting_consistency`."""
    documents = catalog.documents
    return [
        *alerting_consistency.check_rules(documents["rules.yaml"], catalog.rules, catalog.metrics),
        *alerting_consistency.check_routes(
            documents["routes.yaml"], catalog.routes, catalog.receivers, catalog.calendar, catalog.rules
        ),
        *alerting_consistency.check_calendar(documents["calendar.yaml"], catalog.calendar, catalog.owners),
        *alerting_consistency.check_receivers(documents["receivers.yaml"], catalog.receivers, catalog.owners),
        *alerting_consistency.check_slas(documents["slas.yaml"], catalog.slas, catalog.receivers, catalog.domain_ids()),
    ]
