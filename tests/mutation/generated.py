"""Mutants of marketing's generated models: an edit of the file, or an edit of a macro that many models are made with.

The staging, the raw vault and the interface are generated from metadata. Nobody can edit the SQL in such a file unseen:
tests/pipeline/vault_generator/test_drift.py compares each file with what the generator writes. The rest of the query is
the text of a macro of macros/vault. An edit of the macro is the same edit of each model that is made with it, so the
mutant is killed if any of these models notices the edit.
"""

from __future__ import annotations

import re

import sqlglot

from ops_project.settings import DBT_PROJECT_DIR
from tests.mutation.edits import edits

FOLDERS = tuple(
    DBT_PROJECT_DIR / "models" / "marketing" / name
    for name in ("staging", "raw_vault", "raw_vault/states", "interface")
)
DRIFT = "test_the_shipped_files_are_what_the_metadata_asks_for"
SAME_MACRO = ", which has the same macro"
# The models that are made with the same macros, by their names.
FAMILIES = tuple(
    re.compile(pattern)
    for pattern in (
        r"hub_\w+",
        r"link_\w+",
        r"\w*sat_\w+_current",
        r"\w*sat_\w+_history",
        r"\w*sat_\w+",
        r"int_\w+_mapped",
        r"stg_mart_\w+",
    )
)
# The names that the macros write themselves. Every other name is that of an entity, a column or a feed.
OWN = {
    *("load_datetime", "record_source", "load_seq", "place", "status", "batches", "replaced", "previous_hashdiff"),
    *(
        "next_state_from",
        "received",
        "ranked",
        "combinations",
        "compared",
        "states",
        "learnt",
        "stated",
        "failed_mappings",
    ),
}


def is_generated(model: str) -> bool:
    return any((folder / f"{model}.sql").is_file() for folder in FOLDERS)


def in_the_file(model: str) -> set[tuple[str, str, str]]:
    """The kind, place and words of each edit of the SQL in the model's own file."""
    path = next(folder / f"{model}.sql" for folder in FOLDERS if (folder / f"{model}.sql").is_file())
    text = re.sub(r"\{\{\s*config\(.*?\)\s*\}\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"\{\{\s*ref\('(\w+)'\)\s*\}\}", r"silver.\1", text)
    text = re.sub(r"\(\s*\{\{.*?\}\}\s*\)", "(select 1 as of_a_macro)", text, flags=re.DOTALL)
    text = re.sub(r"\{\{.*?\}\}", "of_a_macro", text, flags=re.DOTALL)
    try:
        query = sqlglot.parse_one(sqlglot.parse_one(text, read="duckdb").sql(dialect="duckdb"), read="duckdb")
    except sqlglot.errors.SqlglotError:
        # The file contains nothing but the call of a macro.
        return set()
    return {(edit.kind, edit.place, edit.text) for edit in edits(query)}


def macro_edit(model: str, kind: str, place: str, text: str) -> tuple[str, ...] | None:
    """A value that is equal for two models with the same edit of the same macro. None for a model that belongs to no
    family.
    """
    family = next((pattern.pattern for pattern in FAMILIES if pattern.fullmatch(model)), None)
    if family is None or not is_generated(model):
        return None
    words = re.sub(r"'[^']*'", "'?'", text)
    return (family, kind, _anonymous(place), _anonymous(words))


def _anonymous(text: str) -> str:
    """The text without the names of entities. SQL words are upper case, or occur in the words of the edit."""

    def alike(found: re.Match[str]) -> str:
        return found[0] if found[0] in OWN | _WORDS else "x"

    text = re.sub(r"\b[a-z]\w*(?:\.\w+)?\b", alike, text)
    return re.sub(r"\bx(, x)+\b", "x", text)


_WORDS = {
    *(
        "without",
        "filter",
        "becomes",
        "join",
        "key",
        "of",
        "where",
        "case",
        "its",
        "order",
        "is",
        "turned",
        "partition",
    ),
    *(
        "by",
        "rank",
        "row_number",
        "or",
        "and",
        "not",
        "the",
        "end",
        "counts",
        "left",
        "out",
        "other",
        "select",
        "distinct",
    ),
    *("union", "all", "negated", "first", "last", "value", "sign", "result", "mapped", "failures"),
}
