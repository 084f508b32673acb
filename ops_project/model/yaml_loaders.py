"""Loaders of YAML for plain values, with limits on nesting and on the size of the document after its aliases are
followed.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml._yaml import CParser

from ops_project.model.plain_words import PlainLoader

# These are the limits of a configuration file. The largest shipped file has 21,000 characters, and values that are
# nested eight levels deep.
DEEPEST = 50
MOST_VALUES = 100_000
LONGEST_TEXT = 4_000_000


class BoundedLoader(PlainLoader):
    """A YAML loader for plain values, with limits on nesting and on the size of the document after its aliases are
    followed. A few hundred bytes of aliases to aliases can stand for billions of values, and PyYAML composes nested
    values by recursion. The loader refuses such documents while it reads the text, before it makes any value.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.begin()

    def begin(self) -> None:
        """Set the counts to those of a document of which nothing has been read."""
        self.longest = 0
        """Characters of all texts so far. The texts behind an alias are counted again for each alias."""
        self.lengths: dict[int, int] = {}
        """Characters below each finished node, by the node's identity."""
        self.sizes: dict[int, int] = {}
        """Values below each finished node, by the node's identity. The identity stays valid, because the nodes live as
        long as the document.
        """
        self.open_counts = [0]

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node, like SafeLoader's. Raises ComposerError where the document is too deep or too large."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        if self.check_event(yaml.AliasEvent):
            anchored = self.anchors.get(event.anchor)
            if anchored is not None and id(anchored) not in self.sizes:
                raise yaml.composer.ComposerError(
                    None, None, f"the alias *{event.anchor} is inside of the value that it refers to", event.start_mark
                )
            self._count(self.sizes.get(id(anchored), 1), event)
            self._measure(self.lengths.get(id(anchored), 0), event)
            return super().compose_node(parent, index)
        if len(self.open_counts) > DEEPEST:
            raise yaml.composer.ComposerError(
                None, None, f"values are nested more than {DEEPEST} levels deep", event.start_mark
            )
        self.open_counts.append(0)
        before = self.longest
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.ScalarNode):
            self._measure(len(str(node.value)), event)
        self.lengths[id(node)] = self.longest - before
        size = self.open_counts.pop() + 1
        self.sizes[id(node)] = size
        self._count(size, event)
        return node

    def _count(self, size: int, event: Any) -> None:
        self.open_counts[-1] += size
        if self.open_counts[-1] > MOST_VALUES:
            raise yaml.composer.ComposerError(
                None,
                None,
                f"the document has more than {MOST_VALUES:,} values when its aliases are followed",
                event.start_mark,
            )

    def _measure(self, length: int, event: Any) -> None:
        self.longest += length
        if self.longest > LONGEST_TEXT:
            raise yaml.composer.ComposerError(
                None,
                None,
                f"the document has more than {LONGEST_TEXT:,} characters when its aliases are followed",
                event.start_mark,
            )

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node. Raises ConstructorError, with the line, if a text looks like a number or a date and
        cannot be read as one.
        """
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, LookupError) as error:
            shown = str(node.value)[:40] if isinstance(node, yaml.ScalarNode) else node.tag
            raise yaml.constructor.ConstructorError(
                None, None, f"{shown!r} cannot be read ({error}); put it in quotes if it is text", node.start_mark
            ) from None


class QuickLoader(CParser, BoundedLoader):
    """BoundedLoader with the parser of libyaml. It reads the shipped configuration in a fifth of the time, but the
    words and places in its errors differ.
    """

    # CParser composes nodes by itself, without limits.
    check_node, get_node, get_single_node = (
        yaml.composer.Composer.check_node,
        yaml.composer.Composer.get_node,
        yaml.composer.Composer.get_single_node,
    )

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        yaml.composer.Composer.__init__(self)
        yaml.constructor.SafeConstructor.__init__(self)
        yaml.resolver.Resolver.__init__(self)
        self.begin()
