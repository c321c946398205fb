"""Links and anchors of the pages, their place in the navigation, and the site: built and read without a network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import chromium
import pytest
from conftest import ROOT
from documented import FENCE, pages

from fer_bench.yaml_file import read_yaml

PAGES = [path.relative_to(ROOT).as_posix() for path in (*pages(), ROOT / "CHANGELOG.md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")
WIDTHS = (360, 800, 1400)
# What a browser fetches by itself; links that a reader may follow are none of it.
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|embed|object|audio|video)\b[^>]*?\b(?:src|data)=[\"']?(?:https?:)?//"
    r"|<link\b[^>]*?\brel=[\"']?(?:stylesheet|preconnect|preload|prefetch|icon|dns-prefetch)[^>]*?href=[\"']?(?:https?:)?//"
)
STYLE = re.compile(r"@import\s+[\"'](?:https?:)?//|url\([\"']?(?:https?:)?//")


def anchors(path: Path) -> set[str]:
    """Names by which the headings of a page can be linked to, as git hosts and the site make them."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        assert target.exists(), f"{page}: {link}"
        assert ROOT in target.parents, f"{page}: {link} leaves the repository"
        assert not anchor or anchor in anchors(target), f"{page}: no heading {link}"


def test_every_page_has_one_place_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r"^ +- [^\n:]+: ([\w/]+\.md)$", text, re.MULTILINE)
    own = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    others = ["index.md", "CONTRIBUTING.md", "CHANGELOG.md", "paper_tables/README.md"]
    assert sorted(named) == sorted([*own, *others])


def test_the_citation_file_says_what_the_package_says():
    import tomllib

    citation = read_yaml(ROOT / "CITATION.cff")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert str(citation["version"]) == project["version"]
    assert citation["license"] == project["license"]
    assert all({"name"} <= set(one) or {"family-names"} <= set(one) for one in citation["authors"])
    (paper,) = citation["references"]
    assert {"type", "title", "authors"} <= set(paper) and paper["identifiers"][0][
        "value"
    ] == "10.48550/arXiv.2402.00281"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built strictly: a broken link, a lost anchor or a page without a place ends it."""
    folder = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr.strip(), done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_the_site_fetches_nothing(site):
    built = sorted(site.rglob("*.html"))
    assert len(built) > len(PAGES)
    for path in built:
        assert not FETCHED.search(path.read_text(encoding="utf-8")), path.name
    for path in site.rglob("*.css"):
        assert not STYLE.search(path.read_text(encoding="utf-8")), path.name
    assert not list(site.rglob("*.py"))


@pytest.mark.slow
def test_the_site_has_every_documented_name(site):
    for page, name in (
        ("au", "fer_bench.au.au_map"),
        ("classifier", "fer_bench.classifier.build"),
        ("stats", "fer_bench.stats.bootstrap"),
    ):
        assert f'id="{name}"' in (site / "api" / f"{page}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if chromium.found() is None:
        pytest.skip(f"no browser here: none of {', '.join(chromium.NAMES)}")
    made = chromium.Chromium(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("page", ["index", "tables", "trust", "api/au", "paper_tables/default/table1"])
def test_pages_fit_every_width_and_ask_nothing_of_a_network(page, dark, site, browser):
    for width in WIDTHS:
        browser.open(site / f"{page}.html", width, dark=dark)
        assert browser.run("document.documentElement.scrollWidth") <= width, f"{page} at {width}"
    asked = [
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert asked and all(url.startswith(("file:", "data:", "about:", "blob:")) for url in asked)
    assert not [event for event in browser.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")]


@pytest.mark.slow
def test_search_works_on_pages_from_the_disk(site, browser):
    browser.open(site / "api/au.html", 1400)
    browser.run(
        "document.getElementById('__search').click();"
        "const field = document.querySelector('[data-md-component=search-query]');"
        "field.focus(); field.value = 'calibration';"
        "field.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true}))"
    )
    found = browser.run(
        "new Promise((done) => { const look = () => { const link = document.querySelector('.md-search-result__link');"
        "link ? done(link.href) : setTimeout(look, 100); }; look(); })"
    )
    assert found.startswith(f"{site.as_uri()}/")
