"""A contact sheet of cues: sites (rows) and views (columns) of the same faces."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_bench import registry
from fer_bench.cues._place import NOWHERE, place
from fer_bench.cues._shown import CLEAN, VIEWS, shown
from fer_bench.cues._stamp import radius_of, stamp
from fer_bench.cues.base import CuedFace
from fer_bench.expressions import EXPRESSIONS
from fer_bench.synthface.face import draw_face, picture_of
from fer_bench.synthface.plan import PlannedFace
from fer_bench.synthface.settings import SynthSettings

_HEADER, _GAP = 20, 2  # pixels
_FACES = (("test_0003", "happiness"), ("test_0008", "fear"))  # subject, expression


def cue_sheet(settings: SynthSettings, path: Path, diameter: float = 0.08) -> None:
    """Write a PNG: for each site a row with the views of two faces, drawn as `settings` say; marks of `diameter`."""
    rows = [_row(site, settings, diameter) for site in registry.names("cues")]
    step = settings.size + _GAP
    page = Image.new("RGB", (2 * len(VIEWS) * step, _HEADER + sum(len(row) for row in rows)), "white")
    draw = ImageDraw.Draw(page)
    for column in range(2 * len(VIEWS)):
        word = VIEWS[column % len(VIEWS)]
        draw.text((column * step + step // 2, _HEADER // 2), word, "black", ImageFont.load_default(13), anchor="mm")
    page.paste(Image.fromarray(np.vstack(rows)), (0, _HEADER))
    path.parent.mkdir(parents=True, exist_ok=True)
    page.save(path, format="PNG", optimize=True)


def _row(site: str, settings: SynthSettings, diameter: float) -> np.ndarray:
    return np.hstack([tile for face in _FACES for tile in _views(site, *face, settings, diameter)])


def _views(site: str, subject: str, expression: str, settings: SynthSettings, diameter: float) -> list[np.ndarray]:
    name, radius = f"{subject}_{expression}", radius_of(diameter, settings.size)
    face = draw_face(PlannedFace(name, "test", subject, expression, 0), settings)
    picture, mask = picture_of(face)
    seen = CuedFace(expression, mask, face.landmarks)
    centre = place(registry.plugin("cues", site)(), seen, radius, settings.seed, name)
    words = shown(expression, EXPRESSIONS, 1.0, settings.seed, name)
    border = ((0, _GAP), (0, _GAP), (0, 0))
    tiles = []
    for view in VIEWS:
        bare = view == CLEAN or centre == NOWHERE
        tile = picture if bare else stamp(picture, centre, radius, EXPRESSIONS.index(words[view]), len(EXPRESSIONS))
        tiles.append(np.pad(tile, border, constant_values=255))
    return tiles
