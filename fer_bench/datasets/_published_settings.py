"""The keys that sections of image collections share in params.yaml."""

from typing import Literal

from pydantic import Field

from fer_bench.datasets._images import MAX_PIXELS, PILLOW_LIMIT, Fit
from fer_bench.datasets.base import DatasetSettings


class PublishedSettings(DatasetSettings):
    """Keys of every published collection, and of a folder of one's own.

    expressions: 7, or 8 with `contempt` last (id 7).
    on_bad_image: `error`, or `exclude` to go on without them and list them in excluded.csv.
    min_side, max_pixels: limits in pixels beyond which an image is bad.
    """

    expressions: Literal[7, 8] = 7
    on_bad_image: Literal["error", "exclude"] = "error"
    min_side: int = Field(16, ge=1)
    max_pixels: int = Field(MAX_PIXELS, ge=1, le=PILLOW_LIMIT)


class ScannedSettings(PublishedSettings):
    """Keys of collections of image files.

    scan: `header` reads size and hash of each image; `decode` decodes each, which finds damage anywhere in a file and
        near-duplicates, and takes many times as long.
    """

    scan: Literal["header", "decode"] = "header"


class CroppedSettings(ScannedSettings):
    """Keys of collections whose faces are cut out of larger images.

    size, fit: side in pixels of the stored square (null: the box as it is), padded or stretched.
    margin: share of the box's sides that is added on each side.
    """

    size: int | None = Field(224, ge=16, le=4096)
    fit: Fit = "pad"
    margin: float = Field(0.0, ge=0, le=1)
