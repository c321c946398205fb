"""A contact sheet: the seven expressions (columns) of several people (rows)."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_bench.expressions import EXPRESSIONS
from fer_bench.synthface.face import draw_face, picture_of
from fer_bench.synthface.identity import sample_identity
from fer_bench.synthface.plan import PlannedFace
from fer_bench.synthface.random_streams import stream
from fer_bench.synthface.settings import SynthSettings

_HEADER, _GAP = 22, 2  # pixels
_CANDIDATES = 60  # people to choose rows from


def contact_sheet(settings: SynthSettings, path: Path, people: int = 6, tile: int = 112) -> None:
    """Write a PNG of `people` rows, from the lightest to the darkest skin, with tiles of `tile` pixels.

    Every face shows all action units of its variant and nothing is held before it; all else is as `settings` say.
    """
    shown = settings.model_copy(
        update={"size": tile, "p_drop": 0.0, "p_add": 0.0, "occlusion": 0.0, "noise": 0.0, "blur": 0.0}
        | {"intensity": (0.8, 1.0)}
    )
    rows = [np.hstack(_row(subject, shown)) for subject in _people(shown, people)]
    sheet = _with_header(np.vstack(rows), tile + _GAP)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", sheet[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())


def _people(settings: SynthSettings, count: int) -> list[str]:
    """Choose test subjects, women and men in turn, whose skin tones are spread evenly over the range."""
    subjects = [f"test_{number:04d}" for number in range(_CANDIDATES)]
    people = {name: sample_identity(stream(settings.seed, "identity", name), settings.glasses) for name in subjects}
    chosen: list[str] = []
    for row, wanted in enumerate((np.arange(count) + 0.5) / count):
        free = [name for name in subjects if name not in chosen and people[name].female == (row % 2 == 0)]
        free = free or [name for name in subjects if name not in chosen]
        chosen.append(min(free, key=lambda name: abs(people[name].skin_tone - wanted)))
    return chosen


def _row(subject: str, settings: SynthSettings) -> list[np.ndarray]:
    faces = (PlannedFace(f"{subject}_{name}", "test", subject, name, 0) for name in EXPRESSIONS)
    pictures = (picture_of(draw_face(face, settings))[0] for face in faces)
    border = ((0, _GAP), (0, _GAP), (0, 0))
    return [np.pad(picture, border, constant_values=255) for picture in pictures]


def _with_header(sheet: np.ndarray, step: int) -> np.ndarray:
    page = Image.new("RGB", (sheet.shape[1], sheet.shape[0] + _HEADER), "white")
    page.paste(Image.fromarray(sheet), (0, _HEADER))
    draw = ImageDraw.Draw(page)
    for column, name in enumerate(EXPRESSIONS):
        draw.text((column * step + step // 2, _HEADER // 2), name, "black", ImageFont.load_default(13), anchor="mm")
    return np.asarray(page)
