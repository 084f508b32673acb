"""Checks the SQL of every contract when the configuration is read: each piece must be one expression. Landing also
refuses a contract with any other SQL, for each file. With the check here, the author of the contract gets the error
before any file arrives, with the place in the configuration. The catalog cannot check this itself, because only the
engine can tell what one expression is.
"""

from __future__ import annotations

from ops_project.catalog import Catalog
from ops_project.model.document import ConfigError, ConfigProblem, Document
from ops_project.pipeline.landing.read.fragments import Fragment, fragments, refusal


def require_expressions(catalog: Catalog) -> None:
    """Raises ConfigError with every piece of SQL that is not one expression."""
    problems = [
        problem
        for relative, document in catalog.documents.items()
        if relative.startswith("feeds/")
        for problem in _problems(catalog, document)
    ]
    if problems:
        raise ConfigError(problems)


def _problems(catalog: Catalog, document: Document) -> list[ConfigProblem]:
    return [
        document.problem(_place(document, feed.name, fragment), f"feed {feed.name!r}: {words}")
        for feed in catalog.feeds_of(document.data["domain"])
        for fragment in fragments(feed)
        if (words := refusal(fragment)) is not None
    ]


def _place(document: Document, feed: str, fragment: Fragment) -> tuple[str | int, ...]:
    """Where the fragment is written: at the feed, or among the defaults of the file."""
    own, default = ("feeds", feed, *fragment.place), ("defaults", *fragment.place)
    return default if own not in document.lines and default in document.lines else own
