"""Reads, validates and checks the whole configuration, and reports all mistakes at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ops_project.catalog.contents import Catalog
from ops_project.catalog.files import FEEDS_DIR, FILES, additions, paths_of_feeds, read, strangers, words_of_projects
from ops_project.catalog.references import references, unread_sql
from ops_project.model.document import ConfigError, ConfigProblem, Document
from ops_project.model.failure_rules import FailureClasses
from ops_project.model.feed.feed import Feed
from ops_project.model.feed.feed_file import FeedFile
from ops_project.model.layered import layered
from ops_project.model.oncall import consistency as oncall_consistency
from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.oncall.schedule import OnCallFile
from ops_project.settings import CONFIG_DIR, CONFIG_OF_PROJECTS_DIR, Settings


def load(settings: Settings) -> Catalog:
    """The catalog of this configuration. Raises ConfigError with every problem found."""
    return _load(settings.overlay, settings.watched is not None, _state_of(settings.overlay))


def shipped() -> dict[str, Document]:
    """Relative path → shipped file, parsed but not checked."""
    return {name: read(name, None) for name in [*(f"{name}.yaml" for name in FILES), *paths_of_feeds(None)]}


def _state_of(overlay: Path | None) -> tuple[tuple[str, int], ...]:
    # Files are small and few. Their names and change times are the key of the cache, so that a long-lived process sees
    # an edit. A folder and a link that leads nowhere count too, because they may stand where a file is wanted.
    roots = [CONFIG_DIR, CONFIG_OF_PROJECTS_DIR] + ([overlay] if overlay else [])
    paths = [path for root in roots for path in root.rglob("*")]
    return tuple(sorted((str(path), path.stat(follow_symlinks=path.exists()).st_mtime_ns) for path in paths))


@lru_cache(maxsize=8)
def _load(overlay: Path | None, watches: bool, _stamp: tuple[tuple[str, int], ...]) -> Catalog:
    documents: dict[str, Document] = {}
    problems: list[ConfigProblem] = []
    values: dict[str, Any] = {}
    for name, model in FILES.items():
        try:
            document = layered(
                read(f"{name}.yaml", overlay, watches),
                [
                    *words_of_projects(name, overlay, watches),
                    *(read(path, overlay) for path in additions(name, overlay)),
                ],
            )
            documents[f"{name}.yaml"] = document
            values[name] = document.validate(model)
        except ConfigError as error:
            problems += error.problems
    feed_files: dict[str, FeedFile] = {}
    for relative in paths_of_feeds(overlay, watches):
        try:
            document = read(relative, overlay)
            documents[relative] = document
            feed_file = document.validate(FeedFile)
            if feed_file.domain in feed_files:
                problems.append(document.problem(("domain",), f"domain {feed_file.domain!r} already has a feeds file"))
            else:
                feed_files[feed_file.domain] = feed_file
        except ConfigError as error:
            problems += error.problems
    problems += strangers(overlay, documents, watches)
    _of_the_classes(overlay, values, watches)
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
    catalog = Catalog(
        feeds=feeds, feed_files=feed_files, documents=documents, overlay=overlay, watches=watches, **values
    )
    problems += [*references(catalog), *unread_sql(catalog)]
    if problems:
        raise ConfigError(problems)
    return _without_switched_off(catalog)


def _without_switched_off(catalog: Catalog) -> Catalog:
    """The catalog without the domains that are switched off, and without everything that is only about these
    domains.
    """
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
        switched_off_jobs=frozenset(catalog.domains.main_job(name) for name in off),
    )


def _from_the_start(feed: Feed, values: Mapping[str, Any]) -> Feed:
    """The feed with its plausible dates. If its contract does not give them, every date from the platform's start on is
    plausible.
    """
    if feed.plausible.start is not None:
        return feed
    plausible = feed.plausible.model_copy(update={"start": values["platform"].start_date})
    return feed.model_copy(update={"plausible": plausible})


def _of_the_classes(overlay: Path | None, values: dict[str, Any], watches: bool) -> None:
    """Fills in first responses and roles from failure_classes.yaml where rules.yaml and escalation.yaml do not give
    them.

    In earlier versions rules.yaml and escalation.yaml held them, so the values in these two files win. If an overlay
    has its own failure_classes.yaml without first responses, the shipped first responses are used. If an overlay has
    its own escalation.yaml, or the home watches another project, the shipped roles are not used, because they may not
    be declared.
    """
    if not {"failure_classes", "rules", "escalation"} <= values.keys():
        return
    said, usual = values["failure_classes"], _shipped_classes()
    rules, escalation = values["rules"], values["escalation"]
    responses = {**(said.first_responses or usual.first_responses), **rules.first_responses}
    values["rules"] = rules.model_copy(update={"first_responses": responses})
    own = {name for name in ("failure_classes", "escalation") if overlay and (overlay / f"{name}.yaml").is_file()}
    if "failure_classes" in own and said.class_roles:
        roles = said.class_roles
    else:
        roles = {} if watches or "escalation" in own else usual.class_roles
    values["escalation"] = escalation.model_copy(update={"class_roles": {**roles, **escalation.class_roles}})


@lru_cache(maxsize=1)
def _shipped_classes() -> FailureClasses:
    return read("failure_classes.yaml", None).validate(FailureClasses)


def _people_of_their_own(overlay: Path | None, values: dict[str, Any], documents: dict[str, Document]) -> None:
    """Leaves out the shipped oncall.yaml or escalation.yaml if it names people whom the overlay does not declare.

    The shipped people are not declared if the overlay declares people of its own. Until the overlay has its own file,
    the primary owner is called in place of the person on call. `ops owners lint` reports the missing file.
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
                else oncall_consistency.check_ladders(
                    document, values[name], owners=owners, oncall=values["oncall"], domains=None
                )
            )
            if wrong:
                values[name] = empty
