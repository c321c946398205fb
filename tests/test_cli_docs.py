"""docs/command_line.md: every command is in it, and every example parses."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from fer_bench import cli
from fer_bench.commands._command import about

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/command_line.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([a-z-]+)` \| .* \| `(fer-bench .*)` \|$", PAGE, re.MULTILINE)


def test_the_table_lists_every_command_once_in_the_order_of_help():
    assert [name for name, _ in ROWS] == [about(function).name for function in cli.COMMANDS]


@pytest.mark.parametrize(("name", "example"), ROWS)
def test_examples_parse(name, example):
    _, command, *arguments = shlex.split(example)
    assert command == name
    get_command(cli.app).commands[name].make_context(name, arguments)


def test_commands_with_json_are_those_that_the_page_names():
    commands = get_command(cli.app).commands
    have = {name for name, one in commands.items() if any("--json" in parameter.opts for parameter in one.params)}
    keys = re.findall(r"^\| `([a-z-]+)(?: \[[A-Z]+\])?` \| [^|]* \|$", PAGE, re.MULTILINE)
    assert have == set(keys)


def test_the_readme_links_the_page():
    assert "(docs/command_line.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
