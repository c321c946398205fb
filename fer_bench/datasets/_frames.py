"""Frames of a video as image files: which file shows which frame."""

import re
from pathlib import Path

import pandas as pd

from fer_bench.errors import InputError

_NUMBER = re.compile(r"(\d+)\.(?:jpe?g|png|bmp)$", re.IGNORECASE)


def frames_in(root: Path, folder: str, source: str) -> dict[int, str]:
    """Find the image files of a folder below the root by the number that their names end in.

    Raises:
        InputError: the folder is absent, or two files show one frame.
    """
    if not (root / folder).is_dir():
        raise InputError(f"{source}: no folder {root / folder}; it holds the frames of the video as image files")
    found: dict[int, str] = {}
    for name in sorted(path.name for path in (root / folder).iterdir()):
        match = _NUMBER.search(name)
        if match and int(match[1]) in found:
            raise InputError(f"{source}: {root / folder}: {found[int(match[1])]} and {name} show the same frame")
        if match:
            found[int(match[1])] = name
    return found


def frame_rows(root: Path, images: str, video: str, subject: str, numbers: list[int], source: str) -> pd.DataFrame:
    """Return the rows of one video (a folder below `images`): id, image, name, subject, label.

    A frame without a file gets the name that it should have, so that it is told among the images that cannot be read.
    """
    files = frames_in(root, f"{images}/{video}", source)
    like = next(iter(files.values()), "00001.jpg")
    names = [f"{video}/{files.get(number) or _named_like(like, number)}" for number in numbers]
    return pd.DataFrame(
        {
            "id": [f"{video.replace('/', '_')}_{number:05d}" for number in numbers],
            "image": [f"{images}/{name}" for name in names],
            "name": names,
            "subject": subject,
            "label": "",
        }
    )


def _named_like(name: str, number: int) -> str:
    """Name a frame as another one is named: frame_0007.png -> frame_0012.png."""
    return _NUMBER.sub(lambda match: f"{number:0{len(match[1])}d}{match[0][len(match[1]) :]}", name)
