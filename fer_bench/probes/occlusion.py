"""Does the network need the action units? Their regions are blurred away, against as much of the face elsewhere.

Occlusion: Zeiler and Fergus 2014, DOI 10.1007/978-3-319-10590-1_53. The chance level is the drop for patches of the
visible face in random order that cover exactly as many pixels; they may hit the regions too, as chance would.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fer_bench.au import au_maps, wanted_aus
from fer_bench.cells import seed_of
from fer_bench.probes._blur import blurred
from fer_bench.probes._patches import patches
from fer_bench.probes.base import ProbeBase, Subject
from fer_bench.resample import resample
from fer_bench.score_rows import Row, row

ORDERS = 5  # random orders of patches per face
_EDGE = math.exp(-1)  # value of an anatomical map on the edge of a region
REGIONS, RANDOM = "regions", "patches"


class Probe(ProbeBase):
    """Blurs the anatomical regions of the true class's action units, where the face is visible."""

    def fits(self, plugin: Any) -> bool:
        """Generated single faces: mask and landmarks are exact."""
        return bool(plugin.generated) and not plugin.paired

    def run(self, subject: Subject) -> tuple[list[Row], pd.DataFrame]:
        """Return rows `occlusion_*`, and the values of every face that shows any region of its class."""
        lines = pd.DataFrame([line for part in _parts(subject) for line in part])
        rows = [_row("occlusion_area", lines["area"], unit="%")]
        for value, unit in (("probability", "%"), ("logit", "")):
            drops = {kind: lines[f"{value}.whole"] - lines[f"{value}.{kind}"] for kind in (REGIONS, RANDOM)}
            rows.append(_row(f"occlusion_{value}", drops[REGIONS], unit))
            rows.append(_row(f"occlusion_{value}_chance", drops[RANDOM], unit))
            rows.append(_row(f"occlusion_{value}_excess", drops[REGIONS] - drops[RANDOM], unit))
        return rows, lines


def _row(metric: str, values: "pd.Series[float]", unit: str) -> Row:
    mean = float(values.mean()) if len(values) else float("nan")
    return row(metric, mean * (100 if unit == "%" else 1), len(values), subset="all", average="micro", unit=unit)


def _parts(subject: Subject) -> Iterator[list[dict[str, Any]]]:
    """Yield the lines of one batch of faces after the other."""
    faces = subject.files.faces("test")
    truth = subject.files.ground_truth()
    assert truth is not None  # generated faces have it
    for start in range(0, len(faces), subject.batch_size):
        yield _lines(subject, faces.frame.iloc[start : start + subject.batch_size], truth)


def _lines(subject: Subject, frame: pd.DataFrame, truth: pd.DataFrame) -> list[dict[str, Any]]:
    plugin, folder = subject.files.plugin, subject.files.folder
    ids, labels = [str(name) for name in frame["id"]], [str(word) for word in frame["label"]]
    visible = plugin.masks(folder, ids) == 255
    regions = _regions(truth.loc[ids], labels, visible)
    used = [number for number in range(len(ids)) if regions[number].any()]
    images, classes = [], []
    for number in used:
        image = subject.files.image(int(frame.index[number]))
        covers = [
            np.zeros_like(regions[number]),
            regions[number],
            *_random(subject, ids[number], visible, regions, number),
        ]
        images += [resample(_blurred(image, cover), subject.size, subject.files.resampling) for cover in covers]
        classes.append(plugin.expressions.index(labels[number]))
    found = _values(subject, images, classes)
    return [
        {"id": ids[number], "area": float(regions[number].mean()), **values}
        for number, values in zip(used, found, strict=True)
    ]


def _regions(truth: pd.DataFrame, labels: list[str], visible: np.ndarray) -> np.ndarray:
    """(N, H, W) bool: inside the anatomical region of any unit of the face's class, and visible."""
    points = np.stack([truth[[f"{axis}{k}" for k in range(68)]].to_numpy(np.float64) for axis in "xy"], axis=-1)
    size = (int(visible.shape[1]), int(visible.shape[2]))
    maps, _ = au_maps(torch.from_numpy(points), [wanted_aus(label, "facs") for label in labels], size, "facs")
    return np.asarray((maps.numpy() >= _EDGE) & visible)


def _random(subject: Subject, name: str, visible: np.ndarray, regions: np.ndarray, number: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed_of(subject.seed, "occlusion", name))
    return [patches(visible[number], int(regions[number].sum()), random) for _ in range(ORDERS)]


def _blurred(image: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """The image (H, W, 3) uint8, blurred where covered."""
    return np.where(cover[..., None], blurred(image), image)


def _values(subject: Subject, images: list[np.ndarray], classes: list[int]) -> list[dict[str, float]]:
    """Probability and logit of the true class, of every face whole, without its regions, and without patches (mean)."""
    if not classes:
        return []
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div(255)
    with torch.inference_mode():
        logits = torch.cat([subject.classifier(part).logits for part in pixels.split(subject.batch_size)]).double()
    wanted = torch.tensor(classes).repeat_interleave(2 + ORDERS)[:, None]
    values = {"probability": logits.softmax(dim=1).gather(1, wanted), "logit": logits.gather(1, wanted)}
    table = {name: found.view(len(classes), 2 + ORDERS) for name, found in values.items()}
    return [_line({name: found[number] for name, found in table.items()}) for number in range(len(classes))]


def _line(values: dict[str, Tensor]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, seen in values.items():
        found |= {f"{name}.whole": float(seen[0]), f"{name}.{REGIONS}": float(seen[1])}
        found[f"{name}.{RANDOM}"] = float(seen[2:].mean())
    return found
