"""An explanation as plain data: the JSON file, and what `--json` prints."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fer_bench.au.codebook import DEFAULT_COLUMN
from fer_bench.explanation.face import Face
from fer_bench.explanation.units import Region, UnitReading
from fer_bench.trained import Preparation

if TYPE_CHECKING:
    from fer_bench.explanation.explanation import Explanation

FORMAT = 1


def as_data(explanation: "Explanation") -> dict[str, Any]:
    """Return everything that was found; lengths are pixels of the upright photograph unless said otherwise."""
    found, photo, about = explanation, explanation.photo, explanation.about
    maps = {"attention": found.network.attention, **found.network.cams}
    return {
        "format": FORMAT,
        "photo": {
            "file": photo.name,
            "sha256": photo.sha256,
            "width": photo.pixels.shape[1],
            "height": photo.pixels.shape[0],
        },
        "network": about.source.model_dump(mode="json"),
        "face": _face(found.face),
        "preparation": _preparation(found.face, about.preparation),
        "prediction": {"expression": found.expression, "probabilities": found.probabilities},
        "action_units": {reading.variant: _units(reading) for reading in found.readings},
        "shown_variant": found.reading.variant,
        "maps": {name: np.round(values.astype(float), 6).tolist() for name, values in maps.items()},
        "sentences": found.sentences,
        "notes": found.notes,
    }


def _face(face: Face) -> dict[str, Any]:
    found = face.detection
    return {
        "status": found.status,
        "detector_step": found.step,
        "score": _number(found.score),
        "box": [_number(edge) for edge in found.box],
        "message": found.message,
        "landmarks": np.round(found.points.astype(float), 2).tolist(),
    }


def _preparation(face: Face, how: Preparation) -> dict[str, Any]:
    """How the photograph was prepared: what the network asks for, and what came of it on this face."""
    return {
        **how.model_dump(mode="json"),
        "aligned": face.aligned,
        "crop_to_photo": np.round(face.to_photo, 6).tolist(),
        "crop_width_in_outer_eye_distances": round(face.framing, 4),
        "photo_pixels_per_crop_pixel": round(face.scale, 4),
        "share_of_crop_beyond_photo": round(face.outside, 4),
    }


def _units(reading: UnitReading) -> dict[str, Any]:
    return {
        "codebook": DEFAULT_COLUMN[reading.variant],
        "predicted_expression_has_map": reading.target is not None,
        "regions": [_region(region) for region in reading.regions],
    }


def _region(region: Region) -> dict[str, Any]:
    return {
        "units": list(region.shown),
        "names": region.names,
        "drawn_alike": list(region.units),
        "of_predicted_expression": bool(region.own),
        "coverage": region.coverage,
        "largest_possible_coverage": region.largest,
        "attention": region.verdict,
    }


def _number(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None
