"""A photograph answered as plain data: expression, probabilities and maps; what a server returns."""

from io import BytesIO
from typing import Any

import numpy as np

from fer_bench.datasets._images import decode
from fer_bench.errors import InputError
from fer_bench.explanation.face import find_face
from fer_bench.explanation.maps import chosen_explainers, network_maps
from fer_bench.trained import Trained

KEYS = ("label", "probabilities", "map", "explainer", "attention", "crop", "problem")
_DIGITS = 6  # decimals of probabilities and maps
Answer = dict[str, Any]


def answer(photo: bytes, network: Trained, explainer: str = "", whole: bool = False) -> Answer:
    """Answer one photograph.

    Args:
        photo: an image file, as its bytes.
        network: which classifier.
        explainer: of the map; "": the first one that the network is scored with.
        whole: the photograph is a face crop with the framing of the training set already.

    Returns:
        label: the predicted expression. probabilities: expression -> 0 to 1. map: (h, w), 0 to 1, of the label by
        `explainer`, None where the network has no such map. attention: (h, w), mean over channels of the last features.
        crop: (4, 2) corners of the face crop, which both maps cover, in pixels of the upright photograph. problem: ""
        or, with None for all else, one line: no face, no readable image.

    Raises:
        InputError: no such explainer.
    """
    names = chosen_explainers(network, [explainer] if explainer else None)
    try:
        face = find_face(decode(BytesIO(photo)), network.about.preparation, whole)
    except InputError as error:
        return dict.fromkeys(KEYS) | {"problem": " ".join(str(error).split())}
    found = network_maps(network, face.crop, names)
    expressions = network.about.expressions
    probabilities = [round(float(value), _DIGITS) for value in found.probabilities]
    return {
        "label": expressions[found.predicted],
        "probabilities": dict(zip(expressions, probabilities, strict=True)),
        "map": _rounded(found.cams[names[0]]) if names else None,
        "explainer": names[0] if names else None,
        "attention": _rounded(found.attention),
        "crop": _rounded(face.corners),
        "problem": "",
    }


def _rounded(values: np.ndarray) -> list[list[float]]:
    rows: list[list[float]] = np.round(values.astype(float), _DIGITS).tolist()
    return rows
