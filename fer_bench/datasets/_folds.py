"""The fold files published with arXiv 2402.00281: splits and labels, read, checked and laid over a dataset's rows."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from fer_bench.datasets._text import shorten
from fer_bench.errors import InputError
from fer_bench.yaml_file import read_yaml

logger = logging.getLogger(__name__)
CLASSES, IMAGES, LABELS = "class_id.yaml", "image_ids.txt", "class_labels.txt"
_SPLITS = ("train", "val", "test")


def fold_files(folder: Path, source: str) -> list[str]:
    """List the files that `read_folds` reads, relative to the folder; raises InputError when one is missing."""
    splits = [split for split in _SPLITS if split != "val" or (folder / split).is_dir()]
    names = [CLASSES, *(f"{split}/{name}" for split in splits for name in (IMAGES, LABELS))]
    for name in names:
        if not (folder / name).is_file():
            raise InputError(
                f"{source}.folds: no file {folder / name}; give the folder of one dataset in the published fold files, "
                f"with {CLASSES} and the folders train and test"
            )
    return names


def read_folds(folder: Path, expressions: Sequence[str], source: str) -> pd.DataFrame:
    """Read class_id.yaml and, of each split, image_ids.txt and class_labels.txt.

    The released val is the test set once more (validation = test); it is left out then, since a row has one split.

    Returns:
        Columns image (path as the files give it), label (expression), split; in the order of the files.

    Raises:
        InputError: a missing file, a malformed line, an unknown class, two files of a split that disagree, or an
            image in two splits.
    """
    fold_files(folder, source)
    classes = _classes(folder / CLASSES, expressions)
    parts = {split: _read_split(folder / split, classes) for split in _SPLITS if (folder / split).is_dir()}
    if "val" in parts and set(parts["val"]["image"]) == set(parts["test"]["image"]):
        _check_same(parts.pop("val"), parts["test"], folder)
    frame = pd.concat([part.assign(split=split) for split, part in parts.items()], ignore_index=True)
    repeated = sorted(set(frame["image"][frame["image"].duplicated()]))
    if repeated:
        raise InputError(f"{folder}: images in more than one split: {shorten(repeated)}")
    return frame


def lay_over(rows: pd.DataFrame, folds: pd.DataFrame, id_of: Callable[[str], str], source: str) -> pd.DataFrame:
    """Take the splits of the fold files, after checking their images, labels and test set against the dataset's own.

    Args:
        rows: columns id, label, split as the dataset itself gives them.
        folds: of `read_folds`.
        id_of: path in the fold files -> id in `rows`.
        source: where the dataset stands in params.yaml.

    Returns:
        The rows with the splits of the fold files and a column `reason`: why a row is left out, or "". Rows that the
        fold files do not name are left out, with one warning.

    Raises:
        InputError: images that the dataset does not have, an image named twice, other labels, or a test image that the
            fold files train on.
    """
    named = folds.assign(id=folds["image"].map(id_of)).set_index("id")
    _check_images(named.index, set(rows["id"]), source)
    named = named.reindex(rows["id"]).set_axis(rows.index)
    known = named["label"].notna()
    _refuse(rows, known & (named["label"] != rows["label"]), named["label"], "label", source)
    torn = known & ((named["split"] == "test") != (rows["split"] == "test"))
    _refuse(rows, torn, named["split"], "split", source)
    if not known.all():
        logger.warning("%s.folds: %d of %d images are not named there: left out", source, (~known).sum(), len(rows))
    reason = known.map({True: "", False: "not named in the fold files"})
    return rows.assign(split=named["split"].where(known, rows["split"]), reason=reason)


def stem(image: str) -> str:
    """Return the file name without folder and ending, and without the `_aligned` that some releases append."""
    return PurePosixPath(image).stem.removesuffix("_aligned")


def _classes(path: Path, expressions: Sequence[str]) -> dict[str, str]:
    """Return label (as text) -> expression."""
    classes = {str(label): str(name).lower() for name, label in read_yaml(path).items()}
    strange = sorted(set(classes.values()) - set(expressions))
    if strange:
        raise InputError(f"{path}: unknown class {', '.join(strange)}; known: {', '.join(expressions)}")
    return classes


def _read_split(folder: Path, classes: dict[str, str]) -> pd.DataFrame:
    images = [image for _, image in _lines(folder / IMAGES)]
    path, rows = folder / LABELS, []
    for place, line in _lines(path):
        image, comma, label = line.rpartition(",")
        if not comma or label.strip() not in classes:
            raise InputError(f"{place}: {line!r} is not `IMAGE,LABEL` with a label of {', '.join(classes)}")
        rows.append((image, classes[label.strip()]))
    if not rows:
        raise InputError(f"{path}: no image at all")
    frame = pd.DataFrame(rows, columns=["image", "label"])
    _check_agreement(images, frame["image"].tolist(), folder)
    return frame


def _lines(path: Path) -> list[tuple[str, str]]:
    """Return (file and line number, text) of each line that is not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file") from None
    lines = enumerate(text.splitlines(), 1)
    return [(f"{path}, line {number}", line.strip()) for number, line in lines if line.strip()]


def _check_agreement(images: list[str], labelled: list[str], folder: Path) -> None:
    for name, found in ((IMAGES, images), (LABELS, labelled)):
        repeated = sorted(image for image, count in Counter(found).items() if count > 1)
        if repeated:
            raise InputError(f"{folder / name}: lists images more than once: {shorten(repeated)}")
    differing = sorted(set(images) ^ set(labelled))
    if differing:
        raise InputError(f"{folder}: {IMAGES} and {LABELS} name different images: {shorten(differing)}")


def _check_same(val: pd.DataFrame, test: pd.DataFrame, folder: Path) -> None:
    labels = [part.set_index("image")["label"].sort_index() for part in (val, test)]
    other = sorted(labels[0].index[(labels[0] != labels[1]).to_numpy()])
    if other:
        raise InputError(f"{folder}: images with one label in val and another in test: {shorten(other)}")


def _check_images(ids: pd.Index, known: set[str], source: str) -> None:
    strange = sorted(set(ids) - known)
    if strange:
        raise InputError(f"{source}.folds: {len(strange)} images that the dataset does not have: {shorten(strange)}")
    repeated = sorted(set(ids[ids.duplicated()]))
    if repeated:
        raise InputError(f"{source}.folds: images named more than once: {shorten(repeated)}")


def _refuse(rows: pd.DataFrame, wrong: pd.Series, given: pd.Series, column: str, source: str) -> None:
    if wrong.any():
        both = zip(rows["id"][wrong], given[wrong], rows[column][wrong], strict=True)
        listed = [f"{name} ({theirs}, the dataset says {ours})" for name, theirs, ours in both]
        raise InputError(f"{source}.folds: another {column} for {wrong.sum()} images: {shorten(listed)}")
