"""Cues laid on generated faces: small coloured marks that give the class away where no action unit of it is."""

from fer_bench.cues._place import NOWHERE, place
from fer_bench.cues._shown import ALIGNED, CLEAN, CONFLICT, RANDOM, SHOWN, TRAINED, VIEWS, shown
from fer_bench.cues._stamp import cover, radius_of, stamp

__all__ = [
    "ALIGNED",
    "CLEAN",
    "CONFLICT",
    "NOWHERE",
    "RANDOM",
    "SHOWN",
    "TRAINED",
    "VIEWS",
    "cover",
    "place",
    "radius_of",
    "shown",
    "stamp",
]
