"""What is documented exists, and what exists is documented."""

from __future__ import annotations

import dataclasses
import doctest
import json
import re
import typing
from pathlib import Path

import click
import pytest

from edgebook.cli import cli
from edgebook.paths import repository
from edgebook.settings.bar_database import Database
from edgebook.settings.bar_feed import Feed
from edgebook.settings.bar_files import Files
from edgebook.settings.desk_outcomes import DeskDatabase
from edgebook.settings.params import Approval, Params, Pin, Synthetic, plain
from edgebook.settings.recipes import Recipe

ROOT = repository()
PAGES = [
    page
    for pattern in ("*.md", "docs/*.md", "docs/howto/*.md", "data/*/README.md", "examples/*.md")
    for page in sorted(ROOT.glob(pattern))
]
NESTED = {
    "bars.files": Files,
    "bars.database": Database,
    "bars.feed": Feed,
    "bars.synthetic": Synthetic,
    "outcomes.database": DeskDatabase,
    "learning.pins": Pin,
    "learning.approvals": Approval,
}


def read(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def sections(text: str, *, level: str) -> dict[str, str]:
    """Headings in backticks at these levels, and the text below each."""
    parts = re.split(rf"^{level} `([^`]+)`.*$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> dict[str, list[str]]:
    """First cells of a table that are code, and the other cells."""
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", text, flags=re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in found}


def settings() -> dict[str, list[str]]:
    """Names of all settings by section, as the code has them."""
    hints = typing.get_type_hints(Params)
    kinds = {name: Recipe if name == "recipes" else hint for name, hint in hints.items()} | NESTED
    return {name: [f.name for f in dataclasses.fields(kind)] for name, kind in kinds.items()}


def test_every_setting_is_documented_and_none_that_is_not_there():
    page = sections(read("docs/parameters.md"), level="###?")
    assert {name: list(rows(text)) for name, text in page.items()} == settings()


def test_defaults_of_a_recipe_are_the_documented_ones():
    page = sections(read("docs/parameters.md"), level="##")
    documented = {name: cells[1] for name, cells in rows(page["recipes"]).items()}
    for field in dataclasses.fields(Recipe):
        if field.default_factory is not dataclasses.MISSING:
            default = f"`{json.dumps(plain(field.default_factory()))}`"
        elif field.default is not dataclasses.MISSING:
            default = f"`{json.dumps(plain(field.default))}`"
        else:
            default = "none: required"
        said = documented[field.name]
        assert said in (default, default.replace('"', "")), field.name


def test_closed_choices_are_documented_in_full():
    page = {name: rows(text) for name, text in sections(read("docs/parameters.md"), level="###?").items()}
    hints = typing.get_type_hints(Params)
    kinds = {name: Recipe if name == "recipes" else hint for name, hint in hints.items()} | NESTED
    checked = 0
    for section, kind in kinds.items():
        for name, hint in typing.get_type_hints(kind).items():
            if typing.get_origin(hint) is typing.Literal:
                assert re.findall(r"`([^`]+)`", page[section][name][0]) == list(typing.get_args(hint)), name
                checked += 1
    assert checked >= 6


def test_every_command_is_documented_with_its_options():
    page = sections(read("docs/commands.md"), level="###")
    documented = {heading: set(re.findall(r"`(--[a-z-]+)", text)) for heading, text in page.items()}
    assert documented == {usage(name, command): options(command) for name, command in commands().items()}


def commands() -> dict[str, click.Command]:
    """Every command by the words that call it; a group stands for those in it."""
    found: dict[str, click.Command] = {}
    for name, command in cli.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        found |= {f"{name} {word}".strip(): one for word, one in inner.items()}
    return found


def usage(name: str, command: click.Command) -> str:
    """How a command is called, arguments included."""
    arguments = [p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)]
    return " ".join(["edgebook", name, *arguments])


def options(command: click.Command) -> set[str]:
    return {name for p in command.params if isinstance(p, click.Option) for name in p.opts}


def test_help_teaches():
    for name, command in [*cli.commands.items(), *commands().items()]:
        assert command.help, name
        first = command.help.partition("\n")[0]
        assert first.endswith("."), f"edgebook {name} --help: {first!r} is not a sentence"
        for option in command.params:
            assert isinstance(option, click.Argument) or option.help, f"edgebook {name} {option.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)[^)]*\)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_files_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    commands = set(re.findall(r"(?:`|^ *|&& )(?:\.venv/bin/)?edgebook ([a-z]+)", text, flags=re.MULTILINE))
    assert commands <= set(cli.commands)
    targets = set(re.findall(r"(?:`|^ *)make ([a-z-]+)(?:`|$)", text, flags=re.MULTILINE))
    assert targets <= set(re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE))
    files = set(re.findall(r"`((?:src|tests|docs|benchmarks|notebooks)/[\w./-]+\.\w+)`", text))
    assert sorted(name for name in files if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_on_a_page_run(page):
    assert doctest.testfile(str(page), module_relative=False, encoding="utf-8").failed == 0


def test_make_help_tells_every_target():
    text = read("Makefile")
    phony = re.search(r"^\.PHONY:(.*)$", text, flags=re.MULTILINE)
    assert phony is not None
    explained = re.findall(r"^([a-z-]+):.*## \S", text, flags=re.MULTILINE)
    assert sorted(explained) == sorted(phony[1].split())


def test_every_error_that_a_user_meets_is_in_the_tree():
    from edgebook import errors

    raised = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert raised == set(re.findall(r"- `(\w+)`", errors.__doc__ or ""))
