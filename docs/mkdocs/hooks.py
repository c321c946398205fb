"""Pages outside docs/ on the site: README.md is its first one, and files of the repository come with their links."""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
DOCS, TABLES = "docs/", "paper_tables/"
HOME = "README.md"
ALWAYS = (HOME, "CONTRIBUTING.md", "CHANGELOG.md", "paper_tables/README.md")
LINK = re.compile(r"(?<=\]\()([^)\s#]+)(#[^)\s]*)?(?=\))")


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """Add the repository's own pages, and every file of it that a page links to."""
    waiting = [*ALWAYS, *(DOCS + file.src_uri for file in files.documentation_pages())]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or not (ROOT / name).is_file():
            continue
        seen.add(name)
        if not name.startswith(DOCS):
            files.append(File.generated(config, place(name), abs_src_path=str(ROOT / name)))
        if name.endswith(".md"):
            waiting += linked(name)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links between files of the repository lead to their places on the site."""
    path = page.file.abs_src_path
    name = Path(path).resolve().relative_to(ROOT).as_posix()
    if name == HOME:
        page.meta["hide"] = ["toc"]  # room for the result table
    if name.startswith(TABLES) and name not in ALWAYS:
        page.meta["search"] = {"exclude": True}  # their words are everywhere; pages that explain them come first
        markdown = markdown.replace("## ", "# ", 1) if markdown.startswith("## ") else markdown

    def moved(found: re.Match[str]) -> str:
        target = resolved(name, found[1])
        if not (ROOT / target).is_file():
            return found[0]
        return posixpath.relpath(place(target), posixpath.dirname(place(name)) or ".") + (found[2] or "")

    return LINK.sub(moved, markdown)


def place(name: str) -> str:
    """Where a file of the repository lies on the site; browsers show a text only if its name ends like one."""
    if name == HOME:
        return "index.md"
    if name.startswith(DOCS):
        return name.removeprefix(DOCS)
    folder, file = posixpath.split(name)
    shown = file if posixpath.splitext(file)[1] in (".md", ".csv", ".png", ".json") else f"{file.lstrip('.')}.txt"
    return posixpath.join(folder, shown)


def linked(name: str) -> list[str]:
    """Files of the repository that a page links to."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [resolved(name, found[1]) for found in LINK.finditer(text)]


def resolved(name: str, link: str) -> str:
    """A link of a page as a path from the root of the repository."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
