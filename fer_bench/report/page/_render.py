"""The templates of the page, filled; labels and captions are escaped, the page may ask nothing of the network."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fer_bench.report.page._gallery import Gallery

ASSETS = Path(__file__).parent / "assets"


def page(**content: Any) -> str:
    """Fill page.html; the names are those that the template uses."""
    made = (
        _environment().get_template("page.html").render(content, style=_asset("style.css"), script=_asset("script.js"))
    )
    return re.sub(r"\n\s*\n+", "\n", made).strip() + "\n"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"slug": slug, "maps_of": maps_of}
    return made


def slug(words: str) -> str:
    """A name that may stand in an id: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def maps_of(gallery: Gallery) -> dict[str, Any]:
    """Pictures of a gallery for its script: kind -> training -> face -> [data, words]; null where there is no map."""
    return {
        kind.key: [[picture and [picture.uri, picture.alt] for picture in arm] for arm in kind.pictures]
        for kind in gallery.kinds
    }


def _asset(name: str) -> Markup:
    """A file of ours, which needs no escaping."""
    return Markup((ASSETS / name).read_text(encoding="utf-8"))  # noqa: S704  a file of this package
