"""The AffectNet release of cropped faces: a folder of images and a folder of small .npy files for each split."""

import os
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.datasets._fingerprint import FileDigest
from fer_bench.datasets._parallel import parallel_map
from fer_bench.datasets._text import one_line, shorten
from fer_bench.errors import InputError

SPLITS = {"train_set": "train", "val_set": "test"}  # its official validation set is everybody's test set
CLASSES = 11
_ENDING = "_exp.npy"  # beside it lie _aro, _val and _lnd, which nothing here reads
_LARGEST = 4096  # bytes of a file with one class number; the header takes 128 of them
_IMAGES = (".jpg", ".jpeg", ".png")


def read_release(root: Path, source: str, workers: int, progress: bool) -> tuple[pd.DataFrame, FileDigest]:
    """Read names and class numbers of train_set and val_set.

    Returns:
        Rows with columns id (`train_17`), image (path below the root), split and number (0..10, the release's own), and
        a digest of all labels.

    Raises:
        InputError: a folder is missing, an image has no label or a label no image, a label is no class number.
    """
    parts = [_split(root, folder, split, source) for folder, split in SPLITS.items()]
    rows = pd.concat(parts, ignore_index=True)
    read = partial(_number, root=root)
    read_all = parallel_map(read, rows.pop("labels").tolist(), workers, progress, "reading labels")
    wrong = [message for message in read_all if isinstance(message, str)]
    if wrong:
        raise InputError(f"{source}: {len(wrong)} of {len(rows)} labels cannot be read: {shorten(wrong)}")
    rows["number"] = read_all
    text = "\n".join(f"{image} {number}" for image, number in zip(rows["image"], read_all, strict=True))
    return rows, FileDigest("annotations", len(text), sha256(text.encode()).hexdigest())


def _split(root: Path, folder: str, split: str, source: str) -> pd.DataFrame:
    images = {
        Path(name).stem: name for name in _names(root / folder / "images", source) if name.lower().endswith(_IMAGES)
    }
    labelled = {
        name.removesuffix(_ENDING) for name in _names(root / folder / "annotations", source) if name.endswith(_ENDING)
    }
    _require_pairs(images.keys() - labelled, f"images in {root / folder / 'images'} have no file NAME{_ENDING}", source)
    _require_pairs(labelled - images.keys(), f"labels in {root / folder / 'annotations'} have no image", source)
    stems = sorted(images)
    return pd.DataFrame(
        {
            "id": [f"{folder.removesuffix('_set')}_{stem}" for stem in stems],
            "image": [f"{folder}/images/{images[stem]}" for stem in stems],
            "split": split,
            "labels": [f"{folder}/annotations/{stem}{_ENDING}" for stem in stems],
        }
    )


def _names(folder: Path, source: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except OSError as error:
        raise InputError(
            f"{source}.root: {folder}: {error.strerror}; the root of this release holds train_set and val_set, each "
            "with images and annotations (the older release has training.csv: `release: csv`)"
        ) from error


def _require_pairs(stems: set[str], what: str, source: str) -> None:
    if stems:
        raise InputError(f"{source}: {len(stems)} {what}: {shorten(sorted(stems))}; complete the copy of the release")


def _number(name: str, root: Path) -> int | str:
    """Read one class number; what is wrong with the file otherwise."""
    try:
        with (root / name).open("rb") as file:
            number = read_number(file.read(_LARGEST + 1))
    except (OSError, InputError) as error:
        return f"{name} ({one_line(error)})"
    return number if 0 <= number < CLASSES else f"{name} ({number} is no class number, 0..{CLASSES - 1})"


def read_number(data: bytes) -> int:
    """Read the whole number in the bytes of an .npy file: text such as `<U1`, as the release has it, or a number.

    Raises:
        InputError: another type (a pickled object is never opened), several values, or not a file of this format.
    """
    if len(data) > _LARGEST:
        raise InputError(f"more than {_LARGEST} bytes; one class number was expected")
    stream = BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, kind = read_header(stream, max_header_size=_LARGEST)
        if kind.kind not in "iufUS" or shape not in ((), (1,)):
            what = "a pickled object, which is never opened" if kind.hasobject else f"{kind} of shape {shape}"
            raise InputError(f"holds {what}; one number or one text was expected")
        value = np.frombuffer(stream.read(), kind, count=1)[0]
        if kind.kind == "f" and not float(value).is_integer():
            raise InputError(f"{value} is no whole number")
        return int(value)
    except InputError:
        raise
    except Exception as error:  # numpy evaluates the header as a Python literal, which fails in many ways
        raise InputError(one_line(error) or type(error).__name__) from None
