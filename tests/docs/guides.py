"""Reads the blocks of a guide: the files that its reader writes, and the commands that its reader runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ops_project.settings import PROJECT_ROOT

GUIDES = PROJECT_ROOT / "docs" / "guides"
_BLOCK = re.compile(r"(?:^`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    file: str
    """The file that the block is the content of; empty for commands and their output."""
    language: str
    text: str

    def written_to(self, folder: Path) -> None:
        target = folder / self.file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.text, encoding="utf-8")

    def commands(self, written: str, real: Path) -> list[str]:
        """The lines of a block of shell, with the folder that the guide names replaced; empty for other blocks."""
        return self.text.replace(written, str(real)).splitlines() if self.language == "sh" and not self.file else []


def blocks(guide: str) -> list[Block]:
    """Every block of docs/guides/<guide>.md, in order."""
    text = (GUIDES / f"{guide}.md").read_text(encoding="utf-8")
    return [Block(match[1] or "", match[2], match[3]) for match in _BLOCK.finditer(text)]
