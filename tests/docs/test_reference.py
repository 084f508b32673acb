"""Every command, configuration key, feed and option is documented, and the pages agree with the code."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ops_project.cli import COMMANDS, cli
from ops_project.cli.reference import PAGES, pages, walk

ROOT = Path(__file__).resolve().parents[2]


def test_reference_pages_are_up_to_date() -> None:
    stale = [
        name
        for name, text in pages().items()
        if not (PAGES / name).is_file() or (PAGES / name).read_text(encoding="utf-8") != text
    ]
    assert not stale, "run: ops reference"


def test_every_key_of_the_configuration_has_a_meaning() -> None:
    page = (PAGES / "configuration.md").read_text(encoding="utf-8")
    assert not re.findall(r"^\| `(.*?)` .*\|  \|$", page, re.MULTILINE)


def test_defaults_are_shown_as_a_user_writes_them() -> None:
    page = (PAGES / "configuration.md").read_text(encoding="utf-8")
    assert not re.findall(r"timedelta|datetime\.|Decimal\(|frozenset|`True`|`False`|\w',", page)
    assert "| duration | `1d` |" in page and "| list of text | `[role:project-manager]` |" in page


def test_every_command_and_option_has_help() -> None:
    silent = []
    for path, command in walk(cli, "ops"):
        if not command.help:
            silent.append(path)
        silent += [
            f"{path} {param.opts[0]}"
            for param in command.params
            if isinstance(param, click.Option) and not param.help and not param.hidden
        ]
    assert not silent


def test_every_command_in_the_help_exists() -> None:
    context = click.Context(cli)
    assert all(cli.get_command(context, name) is not None for name in COMMANDS)


def test_commands_named_in_the_documents_exist() -> None:
    context = click.Context(cli)
    known = set(cli.list_commands(context))
    named = {
        (page.name, word)
        for page in [
            ROOT / "README.md",
            *(ROOT / "docs").rglob("*.md"),
            *(ROOT / "ops_project" / "runbooks").glob("*.md"),
        ]
        for word in re.findall(r"(?:^|[`\s/])ops ([a-z][a-z-]+)\b", page.read_text(encoding="utf-8"), re.MULTILINE)
        if "`" in page.read_text(encoding="utf-8")
    }
    prose = {"command", "layer", "project", "can"}
    assert not {(page, word) for page, word in named if word not in known | prose}


def test_commands_in_messages_configuration_and_pages_exist_with_their_options() -> None:
    """Each command in backticks, wherever a user reads it: its subcommand and its options are ours."""
    known = {path.removeprefix("ops").strip(): command for path, command in walk(cli, "ops")}
    groups = {path.rpartition(" ")[0] for path in known}
    common = {"--help", "--home", "--config", "--as-of", "--json"}
    wrong = []
    sources = [path for end in ("py", "yaml", "md", "j2") for path in (ROOT / "ops_project").rglob(f"*.{end}")]
    for page in [*sources, *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "guides").glob("*.md"), ROOT / "README.md"]:
        for said in re.findall(r"`ops ([a-z-][^`\n]*)`", page.read_text(encoding="utf-8")):
            words = re.sub(r"^(--\S+ \S+ )+", "", said).split()
            name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in known), "")
            options = {word for param in known[name].params for word in (*param.opts, *param.secondary_opts)}
            asked = {word.split("=")[0].rstrip(",.;:)") for word in words if word.startswith("--")}
            bare = not known[name].params and name in groups and len(words) > 1 and words[1].isalpha()
            if not name or bare or asked - options - common:
                wrong.append((str(page.relative_to(ROOT)), said))
    assert not wrong


def test_links_in_the_documents_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not target.startswith(("http", "mailto")) and not (page.parent / target).exists()
    ]
    assert not broken
