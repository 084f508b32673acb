"""Reports each name that one file of the configuration uses and no file declares."""

from __future__ import annotations

from ops_project.catalog.contents import Catalog
from ops_project.catalog.files import FEEDS_DIR, layers_of
from ops_project.model.alerting import consistency as alerting_consistency
from ops_project.model.document import ConfigProblem, Document
from ops_project.model.feed.feed import Feed
from ops_project.model.oncall import consistency as oncall_consistency
from ops_project.settings import RUNBOOK_DIR


def references(catalog: Catalog) -> list[ConfigProblem]:
    """Reports every name that one file uses and no file declares."""
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
    """Reports checks that are not a single SELECT. Checks run where tables are written, and must not change any
    table.
    """
    if not catalog.checks.queries:
        return []
    import duckdb  # This import takes a tenth of a second, and few configurations have queries.

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
    """Checks people, pipelines, rotations and ladders; see `model.oncall.consistency`."""
    documents, owners = catalog.documents, catalog.owners
    runbooks = {path.stem for path in RUNBOOK_DIR.glob("*.md")}
    if catalog.overlay is not None:
        runbooks |= {path.stem for path in (catalog.overlay / "runbooks").glob("*.md")}
    return [
        *oncall_consistency.check_people(documents["owners.yaml"], owners, runbooks, catalog.domain_ids()),
        *oncall_consistency.check_schedules(documents["oncall.yaml"], catalog.oncall, owners),
        *oncall_consistency.check_ladders(
            documents["escalation.yaml"],
            catalog.escalation,
            owners=owners,
            oncall=catalog.oncall,
            domains=catalog.domain_ids(),
            classes=documents["failure_classes.yaml"],
        ),
        *_checklist_references(catalog),
        *_console_references(catalog),
    ]


def _console_references(catalog: Catalog) -> list[ConfigProblem]:
    """Checks that the users of the console are declared people with roles that exist. A user without a password is also
    reported if there is no proxy, because this user could not log in.
    """
    document, people, problems = catalog.documents["console.yaml"], list(catalog.owners.people), list[ConfigProblem]()
    for name, user in catalog.console.users.items():
        at = ("users", name)
        problems += document.dangling(at, "console user", name, people)
        if user.role is not None:
            roles = list(catalog.roles.roles)
            problems += document.dangling((*at, "role"), f"console user {name!r}: role", user.role, roles)
        if user.password is None and catalog.console.proxy is None:
            words = f"console user {name!r} has no password and there is no proxy; `ops serve --new-password` makes one"
            problems.append(document.problem(at, words))
    return problems


def _checklist_references(catalog: Catalog) -> list[ConfigProblem]:
    """Checks that the rules and metrics that a line measures exist, and the people whom a line asks."""
    document, problems = catalog.documents["checklists.yaml"], list[ConfigProblem]()
    for name, checklist in catalog.checklists.checklists.items():
        for key, line in checklist.lines.items():
            at, subject = ("checklists", name, "lines", key), f"checklist {name!r}, line {key!r}"
            for rule in line.measure.rules if line.measure else ():
                problems += document.dangling((*at, "measure"), f"{subject}: rule", rule, list(catalog.rules.rules))
            if line.measure and line.measure.metric:
                metrics = list(catalog.metrics.metrics)
                problems += document.dangling((*at, "measure"), f"{subject}: metric", line.measure.metric, metrics)
            if line.ask is not None and catalog.owners.behind(line.ask) is None:
                valid = [*(f"role:{role}" for role in catalog.owners.roles), *catalog.owners.valid()]
                problems += document.dangling((*at, "ask"), f"{subject}: nobody", line.ask, valid)
    return problems if not _shipped_beside_own(catalog) else []


def _shipped_beside_own(catalog: Catalog) -> bool:
    """Whether the overlay has people or rules of its own while the checklists are the shipped ones."""
    overlay = catalog.overlay
    if overlay is None or (overlay / "checklists.yaml").is_file():
        return False
    return any((overlay / f"{name}.yaml").is_file() for name in ("owners", "rules", "metrics"))


def _reconciliation_references(catalog: Catalog) -> list[ConfigProblem]:
    problems: list[ConfigProblem] = []
    document = catalog.documents["reconciliations.yaml"]
    for name, chain in catalog.reconciliations.reconciliations.items():
        at, subject = ("reconciliations", name), f"reconciliation {name!r}"
        problems += document.dangling((*at, "domain"), f"{subject}: domain", chain.domain, catalog.domain_ids())
        for node in chain.nodes:
            if node.feed is not None:
                problems += document.dangling((*at, "nodes"), f"{subject}: feed", node.feed, list(catalog.feeds))
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
        problems += document.dangling(("otherwise",), "otherwise: owner", owners.otherwise, owners.valid())
    for slug, team in owners.teams.items():
        for member in team.members:
            problems += document.dangling(("teams", slug, "members"), f"team {slug!r}: member", member, people)
    for slug, person in owners.people.items():
        if person.manager is not None:
            problems += document.dangling(("people", slug, "manager"), f"{slug!r}: manager", person.manager, people)
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
            problems += document.dangling((*at, "freshness", layer), f"domain {name!r}: policy", policy, policies)
    for layer, policy in catalog.freshness.layers.items():
        problems += freshness.dangling(("layers", layer), f"layer {layer!r}: freshness policy", policy, policies)
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
    """Reports a `dated_by` whose feed belongs to another domain, or lacks one of the columns."""
    if feed.dated_by is None:
        return []
    at, subject = ("feeds", feed.name, "dated_by"), f"feed {feed.name!r}: dated_by: "
    domain = {other.name: other for other in catalog.feeds_of(feed.domain) if other.name != feed.name}
    if feed.dated_by.feed not in domain:
        return document.dangling(at, f"{subject}feed", feed.dated_by.feed, list(domain))
    columns = list(domain[feed.dated_by.feed].columns)
    return [
        problem
        for name in feed.dated_by.columns
        for problem in document.dangling(at, f"{subject}{feed.dated_by.feed} column", name, columns)
    ]


def _owned(
    catalog: Catalog, document: Document, at: tuple[str, ...], subject: str, owners: tuple[str, ...]
) -> list[ConfigProblem]:
    return [
        problem
        for owner in owners
        if catalog.owners.resolve(owner) is None
        for problem in document.dangling((*at, "owners"), f"{subject}: owner", owner, catalog.owners.valid())
    ]


def _described(
    catalog: Catalog, document: Document, at: tuple[str, ...], subject: str, slug: str | None
) -> list[ConfigProblem]:
    if slug is None or catalog.runbook_file(slug) is not None:
        return []
    known = [path.stem for path in RUNBOOK_DIR.glob("*.md")]
    if catalog.overlay is not None:
        known += [path.stem for path in (catalog.overlay / "runbooks").glob("*.md")]
    return document.dangling((*at, "runbook"), f"{subject}: runbook", slug, known)


def _rule_runbooks(catalog: Catalog) -> list[ConfigProblem]:
    """Reports rules and failure classes whose runbook does not exist. Messages contain links to runbooks."""
    document, problems = catalog.documents["rules.yaml"], list[ConfigProblem]()
    for name, rule in catalog.rules.rules.items():
        at, subject = ("rules", name), f"rule {name!r}"
        problems += _described(catalog, document, at, subject, rule.runbook)
        for failure_class, slug in rule.runbooks.items():
            problems += _described(catalog, document, at, f"{subject}, failure class {failure_class}", slug)
    for failure_class, first in catalog.rules.first_responses.items():
        at, subject = ("first_responses", failure_class), f"first response to {failure_class}"
        problems += _described(catalog, document, at, subject, first.runbook)
    return problems


def _alerting_references(catalog: Catalog) -> list[ConfigProblem]:
    """Checks that the alerting files agree with each other; see `model.alerting.consistency`."""
    documents = catalog.documents
    return [
        *alerting_consistency.check_rules(documents["rules.yaml"], catalog.rules, catalog.metrics),
        *_rule_runbooks(catalog),
        *alerting_consistency.check_routes(
            documents["routes.yaml"], catalog.routes, catalog.receivers, catalog.calendar, catalog.rules
        ),
        *alerting_consistency.check_calendar(documents["calendar.yaml"], catalog.calendar, catalog.owners),
        *alerting_consistency.check_receivers(documents["receivers.yaml"], catalog.receivers, catalog.owners),
        *alerting_consistency.check_slas(documents["slas.yaml"], catalog.slas, catalog.receivers, catalog.domain_ids()),
    ]


def unread_sql(catalog: Catalog) -> list[ConfigProblem]:
    """Reports the SQL files of the overlay that dbt would not build. Such a file is in none of dbt's folders, or its
    folder belongs to no domain or to no layer.
    """
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
            words = f"{parts[1]!r} is not a domain; valid: {', '.join(catalog.domain_ids())}"
        elif len(parts) < 4 or parts[2] not in layers:
            words = f"it lies in no layer; valid: {', '.join(f'models/{parts[1]}/{name}/' for name in layers)}"
        else:
            continue
        problems.append(ConfigProblem(str(path), 1, f"nothing builds this file: {words}"))
    return problems
