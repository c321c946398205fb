"""Where the cue of one image lies: drawn once from the image's id, the same in every view."""

import math

from fer_bench.cues._stamp import room
from fer_bench.cues.base import CuedFace, SiteBase
from fer_bench.synthface.random_streams import stream

MARGIN = 0.06  # of the image's side: kept free at the borders, where random crops cut
NOWHERE = (-1, -1)


def place(site: SiteBase, face: CuedFace, radius: int, seed: int, name: str) -> tuple[int, int]:
    """Draw the centre x, y in pixels, or NOWHERE where the face has no room for the cue at this site.

    Args:
        site: which areas are allowed; those with room are equally likely, and so is every centre within one.
        face: the image's mask, landmarks and label.
        radius: of the mark, pixels.
        seed: of the generated set.
        name: id of the image.
    """
    margin = math.ceil(MARGIN * len(face.mask))
    rooms = [room(area, radius, margin) for area in site.areas(face)]
    candidates = [centres for centres in rooms if len(centres)]
    if not candidates:
        return NOWHERE
    which, where = stream(seed, "cue_place", name).random(2)
    chosen = candidates[int(which * len(candidates))]
    x, y = chosen[int(where * len(chosen))]
    return int(x), int(y)
