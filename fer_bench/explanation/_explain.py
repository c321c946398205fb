"""From a photograph and a trained network to an explanation, in Python."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from fer_bench import trained as networks
from fer_bench.au import VARIANTS
from fer_bench.errors import InputError, unknown
from fer_bench.explanation.explanation import Explanation
from fer_bench.explanation.face import find_face
from fer_bench.explanation.maps import chosen_explainers, network_maps
from fer_bench.explanation.photo import read_photo
from fer_bench.explanation.units import read_units
from fer_bench.trained import Trained

# Anatomical regions that scale with the face. Those of `paper` are integer ellipses made for one image size; that of
# AU 4 can vanish on a face whose brows are level.
SHOWN = "facs"
NEITHER = (
    "no network named: give a trained cell (`make repro` trains the active grid) or the folder of an export "
    "(`fer-bench export CELL --to FOLDER`)"
)


def explain(
    photo: Path | str | np.ndarray,
    cell: str | None = None,
    model: Path | str | Trained | None = None,
    root: Path | str = ".",
    explainers: Sequence[str] | None = None,
    variant: str | None = None,
    whole: bool = False,
) -> Explanation:
    """Explain one photograph.

    Args:
        photo: an image file, or (H, W, 3) uint8 RGB.
        cell: DATASET-MODEL-GUIDANCE-sSEED, trained below `root`; or
        model: the folder of an export, or what `trained` returned.
        root: of the repository, for `cell`.
        explainers: maps of the predicted class to show; None: the first one that the cell is scored with.
        variant: of the action unit maps to show, `facs` (the default) or `paper`. All that the cell has are measured.
        whole: the photograph is a face crop with the framing of the training set already; nothing is cut out.

    Returns:
        An `Explanation`: `expression`, `probabilities`, `sentences`, `notes`, `to_dict()`, `save(folder)`; a notebook
        shows it.

    Raises:
        InputError: no face, no readable image, no such network.
    """
    network = model if isinstance(model, Trained) else trained(cell, model, root)
    names = chosen_explainers(network, explainers)
    shown = _order(network.about.reading.variants, variant)
    image = read_photo(photo)
    try:
        face = find_face(image.pixels, network.about.preparation, whole)
    except InputError as error:
        raise InputError(f"{image.name}: {error}") from error
    found = network_maps(network, face.crop, names)
    readings = [read_units(face, found, network.about.expressions, network.about.reading, one) for one in shown]
    return Explanation(image, network.about, face, found, tuple(readings))


def trained(cell: str | None = None, model: Path | str | None = None, root: Path | str = ".") -> Trained:
    """Read a network once: a cell below a repository root, or an export; one of the two is given.

    Raises:
        InputError: none or both are given, or there is no such network.
    """
    if cell is not None and model is not None:
        raise InputError("two networks named: give a cell or an export, not both")
    if model is not None:
        return _of_folder(Path(model).resolve(), _changed(Path(model)))
    if cell is None:
        raise InputError(NEITHER)
    weights = Path(root) / "results" / "runs" / cell / "weights"
    return _of_cell(cell, Path(root), _changed(weights))


@lru_cache(maxsize=4)
def _of_cell(cell: str, root: Path, changed: int) -> Trained:
    return networks.of_cell(cell, root)


@lru_cache(maxsize=4)
def _of_folder(folder: Path, changed: int) -> Trained:
    return networks.of_folder(folder)


def _changed(folder: Path) -> int:
    """When the weights in a folder changed, so that a network trained anew is read anew; 0 where there are none."""
    path = folder / "model.safetensors"
    return path.stat().st_mtime_ns if path.is_file() else 0


def _order(stored: Sequence[str], wanted: str | None) -> list[str]:
    """Variants to measure, the one to show first."""
    if wanted is not None and wanted not in VARIANTS:
        raise unknown("variant", wanted, "--variant", VARIANTS)
    first = wanted or (SHOWN if SHOWN in stored else stored[0])
    return [first, *(one for one in stored if one != first)]
