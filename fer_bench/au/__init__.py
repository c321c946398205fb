"""Action units of the face: the codebook, the maps, and how maps are resized and stored."""

from fer_bench.au.codebook import AU_NAMES, CODEBOOK, VARIANTS, wanted_aus
from fer_bench.au.composition import compose
from fer_bench.au.maps import REGIONS, au_map, au_maps, region_maps, region_strengths, rows_of, wanted_rows
from fer_bench.au.resize import halfpixel, resize, stretch

__all__ = [
    "AU_NAMES",
    "CODEBOOK",
    "REGIONS",
    "VARIANTS",
    "au_map",
    "au_maps",
    "compose",
    "halfpixel",
    "region_maps",
    "region_strengths",
    "resize",
    "rows_of",
    "stretch",
    "wanted_aus",
    "wanted_rows",
]
