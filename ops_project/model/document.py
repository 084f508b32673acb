"""A YAML file with its line numbers, so that an error can name its line. The module gets the text and reads no file. It
refuses duplicate keys, because YAML allows them and readers overlook them. It also refuses a file that would become too
large when its aliases are followed.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from ops_project.model.plain_words import keep_texts
from ops_project.model.yaml_loaders import LONGEST_TEXT, BoundedLoader, QuickLoader
from ops_project.nearest import did_you_mean

Loc = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, order=True)
class ConfigProblem:
    """One mistake in the configuration."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class ConfigError(ValueError):
    """The configuration cannot be used. `problems` lists every mistake, sorted by file and line."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Place:
    """A place in a file."""

    file: str
    line: int


@dataclass(frozen=True)
class Document:
    """Plain data of one YAML file and the line (1-based) of each key and item."""

    file: str
    data: Any
    lines: dict[Loc, int] = field(repr=False)
    files: dict[Loc, str] = field(default_factory=dict, repr=False)
    """The file of each key and item, if the document is made of several files. Otherwise empty."""

    @classmethod
    def parse(cls, text: str, file: str | Path) -> Document:
        """Parse `text`. Raises ConfigError on bad YAML or duplicate keys. `file`: the name in errors."""
        name = str(file)
        if len(text) > LONGEST_TEXT:
            raise ConfigError(
                [
                    ConfigProblem(
                        name, 1, f"the file has {len(text):,} characters; a configuration has at most {LONGEST_TEXT:,}"
                    )
                ]
            )
        if (found := cls._quickly(text, name)) is not None:
            return found
        try:
            return cls._composed(BoundedLoader(text), name)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise ConfigError(
                [
                    ConfigProblem(
                        name, line, f"not valid YAML: the character U+{_code(error):04X} is not allowed; remove it"
                    )
                ]
            ) from None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise ConfigError(
                [ConfigProblem(name, line, f"not valid YAML: {error.problem or error.context}")]
            ) from None

    @classmethod
    def _quickly(cls, text: str, name: str) -> Document | None:
        """The document, read by libyaml. None if PyYAML's own parser must read the text instead.

        PyYAML's parser must read a text that the two parsers could read differently. They differ in tabs, in byte order
        marks and in the line of an empty document (tests/catalog/test_two_loaders.py).

        PyYAML's parser must also read a text with an error, because the message comes from PyYAML.
        """
        if "\t" in text or "\ufeff" in text:
            return None
        try:
            found = cls._composed(QuickLoader(text), name)
        except (yaml.YAMLError, UnicodeEncodeError):
            return None
        return None if found.data is None else found

    @classmethod
    def _composed(cls, loader: BoundedLoader, name: str) -> Document:
        try:
            node = loader.get_single_node()
            if node is None:
                return cls(name, {}, {(): 1})
            lines: dict[Loc, int] = {}
            problems: list[ConfigProblem] = []
            keep_texts(node)
            _walk(node, (), lines, problems, name)
            if problems:
                raise ConfigError(problems)
            return cls(name, loader.construct_document(node), lines)
        finally:
            loader.dispose()

    def line(self, *loc: str | int) -> int:
        """The line of the deepest part of `loc` that exists in the file."""
        return self.place(loc).line

    def place(self, loc: Sequence[str | int]) -> Place:
        """File and line of the deepest part of `loc` that exists in a file."""
        known: Loc = ()
        for part in loc:
            if (*known, part) in self.lines:
                known = (*known, part)
        return Place(self.files.get(known, self.file), self.lines.get(known, 1))

    def problem(self, loc: Sequence[str | int], message: str) -> ConfigProblem:
        """A problem at `loc`."""
        place = self.place(loc)
        return ConfigProblem(place.file, place.line, message)

    def dangling(self, loc: Sequence[str | int], what: str, name: str, valid: Iterable[str]) -> list[ConfigProblem]:
        """A problem at `loc` if `name` is not among `valid`; nothing otherwise.

        `what`: the subject and the kind of the name, for example `rule 'late': metric`.
        """
        known = sorted(valid)
        if name in known:
            return []
        return [
            self.problem(loc, f"{what} {name!r} does not exist{did_you_mean(name, known)}; valid: {', '.join(known)}")
        ]

    def validate(self, model: type[ModelT], data: Any = None, at: Loc = ()) -> ModelT:
        """`data` (default: the whole file) as `model`. Raises ConfigError with a line for each mistake."""
        try:
            return model.model_validate(self.data if data is None else data)
        except ValidationError as error:
            raise ConfigError(
                [self.problem((*at, *item["loc"]), _message(model, item)) for item in error.errors()]
            ) from None


def _code(error: yaml.reader.ReaderError) -> int:
    character = error.character
    return character if isinstance(character, int) else ord(character[:1] or "\0")


def _walk(node: yaml.Node, loc: Loc, lines: dict[Loc, int], problems: list[ConfigProblem], name: str) -> None:
    lines.setdefault(loc, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode) and any("\ud800" <= character <= "\udfff" for character in node.value):
        line = node.start_mark.line + 1
        problems.append(
            ConfigProblem(
                name, line, "half of a surrogate pair (\\ud83d …) is not a character; write the character itself"
            )
        )
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                problems.append(
                    ConfigProblem(name, key_node.start_mark.line + 1, "a key must be a word, not a list or mapping")
                )
                continue
            key = key_node.value
            here = (*loc, key)
            if here in lines:
                problems.append(
                    ConfigProblem(
                        name, key_node.start_mark.line + 1, f"{key!r} stands twice, first on line {lines[here]}"
                    )
                )
                continue
            lines[here] = key_node.start_mark.line + 1
            _walk(value_node, here, lines, problems, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*loc, index), lines, problems, name)


def _message(model: type[BaseModel], item: Any) -> str:
    loc: Loc = tuple(item["loc"])
    where = ".".join(map(str, loc)) or "the file"
    if item["type"] == "extra_forbidden":
        valid = _fields_at(model, loc[:-1])
        return (
            f"unknown key {loc[-1]!r}"
            + (f" in {'.'.join(map(str, loc[:-1]))}" if loc[:-1] else "")
            + (f"; valid: {', '.join(valid)}" if valid else "")
        )
    if item["type"] == "missing":
        return f"{where} is missing"
    text = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    given = item.get("input")
    shown = "" if isinstance(given, dict | list) or item["type"] == "value_error" else f" (given: {given!r})"
    return f"{where}: {text}{shown}"


def _fields_at(annotation: Any, loc: Loc) -> list[str]:
    """Names of the fields of the model at `loc` below `annotation`; empty if there is no model."""
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel):
            fields = {info.alias or name: info.annotation for name, info in option.model_fields.items()}
            if not loc:
                return sorted(fields)
            if loc[0] in fields and (found := _fields_at(fields[str(loc[0])], loc[1:])):
                return found
        elif loc and (item := _item(option)) is not None and (found := _fields_at(item, loc[1:])):
            return found
    return []


def _item(annotation: Any) -> Any:
    """The type of the items of a dict, list or tuple; None for any other type."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is dict:
        return args[1]
    return args[0] if origin in (list, tuple, set, frozenset) else None


def _options(annotation: Any) -> list[Any]:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _options(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [option for arg in typing.get_args(annotation) for option in _options(arg)]
    return [annotation]
