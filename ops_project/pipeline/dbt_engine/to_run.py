"""Prepares dbt's Manifest for one command. dbt's own Manifest of the whole project takes 0.06 s to read, and a run of a
domain has two to five commands. With this module, a command gets the tests of its own domains only. The parts that no
command changes are read once for each process. So reading the Manifest takes 0.03 s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

# A folder, a path of folders, or the name of a node. dbt's graph operators, methods and wildcards are not plain.
PLAIN = re.compile(r"\w+(\.\w+)*")
SHARED = ("macros", "docs", "flat_graph")
"""The parts that no command changes."""


def pack(manifest: bytes) -> bytes:
    """dbt's Manifest (msgpack) in a form for `Packed`. Two parts that nothing else refers to are left out: the text of
    each file, which only a partial parse compares, and the unit tests, which no run executes.
    """
    encode, decode = _codec()
    whole = decode(manifest)
    nodes: dict[str, Any] = whole["nodes"]
    tests: dict[tuple[str, ...], dict[str, Any]] = {}
    names: dict[str, set[str]] = {}
    for unique_id, node in nodes.items():
        domains = {_domain(node)}
        if node["resource_type"] == "test":
            domains |= {_domain(nodes[parent]) for parent in node["depends_on"]["nodes"] if parent in nodes}
            tests.setdefault(tuple(sorted(domains)), {})[unique_id] = node
        names.setdefault(node["name"], set()).update(domains)
    others = {key: node for key, node in nodes.items() if node["resource_type"] != "test"}
    return encode(
        {
            "shared": encode({name: whole[name] for name in SHARED}),
            "rest": encode({**whole, "nodes": others, "files": {}, "unit_tests": {}, **{key: {} for key in SHARED}}),
            "tests": [[list(domains), encode(group)] for domains, group in tests.items()],
            "names": {name: sorted(domains) for name, domains in names.items()},
            "domains": sorted({_domain(node) for node in nodes.values()}),
            "packages": sorted({node["fqn"][0] for node in nodes.values()}),
        }
    )


def _domain(node: Mapping[str, Any]) -> str:
    """The folder of the node, directly below the folder of all models. If its name has a dot, dbt reads it as two
    folders, and the first of them counts.
    """
    folder: str = node["fqn"][1]
    return folder.partition(".")[0]


@dataclass(frozen=True)
class Packed:
    """A packed Manifest. It gives each command a Manifest of its own, because a command changes the nodes."""

    shared: Mapping[str, Any]
    rest: bytes
    tests: Sequence[tuple[frozenset[str], bytes]]
    """(the domains of some tests and of the models that they test, these tests)."""
    names: Mapping[str, Sequence[str]]
    """The name of a node → its domains."""
    domains: frozenset[str]
    packages: frozenset[str]

    def manifest(self, select: Sequence[str] | None) -> Any:
        """A new Manifest. `select`: a selection in dbt's syntax. Tests of domains that the selection cannot name are
        left out. If `select` is None, no test is left out.
        """
        from dbt.contracts.graph.manifest import Manifest

        _, decode = _codec()
        body = decode(self.rest)
        wanted = None if select is None else self._domains(select)
        for domains, tests in self.tests:
            if wanted is None or wanted & domains:
                body["nodes"].update(decode(tests))
        manifest = Manifest.from_msgpack(b"", decoder=lambda _: body)
        for name, part in self.shared.items():
            setattr(manifest, name, dict(part))
        return manifest

    def _domains(self, select: Sequence[str]) -> set[str] | None:
        """The domains whose nodes the selection can name; None if only dbt can say it."""
        wanted: set[str] = set()
        for word in " ".join(select).split():
            first = word.partition(".")[0]
            found = {*self.names.get(word, ()), *self.domains.intersection([first])}
            if not found or first in self.packages or not PLAIN.fullmatch(word):
                return None
            wanted |= found
        return wanted


@lru_cache(maxsize=2)
def unpack(path: Path) -> Packed:
    """The packed Manifest in the file `path`. It is kept in memory, because the file never changes: its folder is named
    by a hash of the project.
    """
    from dbt.contracts.graph.manifest import Manifest

    _, decode = _codec()
    packed = decode(path.read_bytes())
    parts = ("nodes", "sources", "exposures", "metrics", "groups", "selectors", "disabled")
    body = {**decode(packed["rest"]), **{key: {} for key in parts}, **decode(packed["shared"])}
    shared = Manifest.from_msgpack(b"", decoder=lambda _: body)
    return Packed(
        shared={name: getattr(shared, name) for name in SHARED},
        rest=packed["rest"],
        tests=[(frozenset(domains), tests) for domains, tests in packed["tests"]],
        names=packed["names"],
        domains=frozenset(packed["domains"]),
        packages=frozenset(packed["packages"]),
    )


def _codec() -> tuple[Callable[[Any], bytes], Callable[[bytes], dict[str, Any]]]:
    from dbt.parser.manifest import extended_mashumaro_encoder, extended_mashumuro_decoder

    return extended_mashumaro_encoder, extended_mashumuro_decoder
