"""What README.md and the pages tell a reader to type: commands, programs in Python, settings."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT

SHELL = ("bash", "console")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPERATORS = {"&&", "||", ";", "|", "&", ">", ">>"}
SCRIPT = "#!/bin/bash"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    text: str


def pages() -> list[Path]:
    """Every page that a reader is led to."""
    own = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "paper_tables/README.md", "weights/README.md")]
    return [*own, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(*languages: str) -> list[Block]:
    """Fenced blocks in these languages, in the order of the pages."""
    found = []
    for path in pages():
        for language, text in FENCE.findall(path.read_text(encoding="utf-8")):
            if language in languages:
                found.append(Block(path.relative_to(ROOT).as_posix(), language, text))
    return found


def commands() -> dict[str, str]:
    """Command without its comment -> first page that has it; a script with a first line of its own is one command."""
    found: dict[str, str] = {}
    for block in blocks(*SHELL):
        lines = [block.text] if block.text.startswith(SCRIPT) else block.text.replace("\\\n", " ").splitlines()
        for line in lines:
            text = block.text.strip() if line is block.text else plain(line)
            if text:
                found.setdefault(text, block.page)
    return found


def plain(line: str) -> str:
    """A line without prompt, comment, folder of the environment and needless space."""
    line = re.sub(r"(^|\s)#\s.*$", "", line.removeprefix("$ "))
    return re.sub(r"\s+", " ", line).strip().replace(".venv/bin/", "")


def inline() -> dict[str, str]:
    """Commands of fer-bench and make between backticks, e.g. `fer-bench prune` -> first page that has it."""
    found: dict[str, str] = {}
    for path in pages():
        text = FENCE.sub("", path.read_text(encoding="utf-8"))
        for code in re.findall(r"`((?:\.venv/bin/)?(?:fer-bench|make) [^`]+)`", text):
            found.setdefault(plain(code), path.relative_to(ROOT).as_posix())
    return found


def calls(text: str, program: str) -> list[list[str]]:
    """Arguments of every call of a program in a command or script; a file name in a redirection is no argument."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("#"):
            continue
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        for start, word in enumerate(words):
            before = words[start - 1] if start else ";"
            begins = before in OPERATORS or re.match(r"[A-Z_]+=", before)
            if word.endswith(f"/bin/{program}") or (word == program and begins):
                rest = words[start + 1 :]
                end = next((index for index, one in enumerate(rest) if one in OPERATORS), len(rest))
                found.append(rest[:end])
    return found
