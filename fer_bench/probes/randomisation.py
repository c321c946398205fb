"""Does a map depend on what the network learnt? Weights are drawn anew from the head down, and the map is asked again.

Adebayo et al. 2018 (Sanity checks for saliency maps), arXiv 1810.03292, section 3, cascading randomisation. A map that
stays as it was tells of the image and the architecture, not of the training. Maps of different images are alike to
some degree as well; how much stands beside.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch

from fer_bench.cells import seed_of
from fer_bench.data import ResizedImages
from fer_bench.probes._likeness import LIKENESS, between, mean_of_known, pairwise
from fer_bench.probes._randomise import STEPS, redrawn
from fer_bench.probes._sample import sampled
from fer_bench.probes._shown_maps import batched, identity
from fer_bench.probes.base import ProbeBase, Subject
from fer_bench.score_rows import Row, row

DRAWS = 3  # random networks per step
BETWEEN = "between_images"
Maps = dict[str, np.ndarray]  # name -> (N, h, w)


class Probe(ProbeBase):
    """Compares each explainer's map of the true class, and the attention, before and after; at the map's own grid."""

    def fits(self, plugin: Any) -> bool:
        """Any dataset of single faces."""
        return not plugin.paired

    def run(self, subject: Subject) -> tuple[list[Row], pd.DataFrame]:
        """Return rows `randomised_*`, the step in `subset`, and the likeness of every image (mean of the draws)."""
        faces = subject.files.faces("test")
        ids = [str(name) for name in faces.frame["id"]]
        rows = sampled(ids)
        images, classes = ResizedImages(faces, subject.size)(rows), torch.from_numpy(faces.labels[rows])

        def ask(classifier: Any) -> Maps:
            found = batched(classifier, images, classes, subject.explainers, subject.batch_size)
            return {name: maps.numpy() for name, maps in found.items()}

        trained = ask(subject.classifier)
        columns = _columns(trained, {step: _drawn(subject, step, ask) for step in STEPS})
        found = [_row(subject, column, values) for column, values in columns.items()]
        kept = {column: values.astype(np.float32) for column, values in columns.items()}
        return found, pd.DataFrame({"id": [ids[row] for row in rows], **kept})


def _drawn(subject: Subject, step: str, ask: Any) -> list[Maps]:
    seeds = [seed_of(subject.seed, "randomisation", draw) for draw in range(DRAWS)]
    return [ask(redrawn(subject.classifier, seed, step)) for seed in seeds]


def _columns(trained: Maps, drawn: dict[str, list[Maps]]) -> dict[str, np.ndarray]:
    """`MEASURE.NAME.STEP` -> (N,) likeness to the map of the trained network; NaN where one of two is constant.

    `constant.NAME.STEP`: share of the draws whose map of the image is constant.
    """
    found: dict[str, np.ndarray] = {}
    for measure in LIKENESS:
        for name, maps in trained.items():
            found[f"{measure}.{name}.{BETWEEN}"] = between(measure, maps)
            for step, networks in drawn.items():
                each = np.stack([pairwise(measure, maps, other[name]) for other in networks], axis=1)
                found[f"{measure}.{name}.{step}"] = mean_of_known(each)
                found[f"constant.{name}.{step}"] = np.mean([_constant(other[name]) for other in networks], axis=0)
    return found


def _constant(maps: np.ndarray) -> np.ndarray:
    return np.ptp(maps.reshape(len(maps), -1), axis=1) == 0


def _row(subject: Subject, column: str, values: np.ndarray) -> Row:
    measure, name, step = column.split(".")
    used = values[~np.isnan(values)]
    mean = float(used.mean()) if len(used) else float("nan")
    where = identity(name, subject.classifier)
    shown = {"unit": "%"} if measure == "constant" else {}
    value = mean * (100 if shown else 1)
    return row(
        f"randomised_{measure}", value, len(used), subset=step, average="micro", direction="lower", **shown, **where
    )
