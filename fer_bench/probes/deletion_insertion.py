"""Do the pixels that a map ranks highest matter to the network? Deletion and insertion curves against random patches.

Pixels are replaced by the blurred image (deletion) or come back into it (insertion) in the order of a map, ten per cent
at a time; the true class is watched. Petsiuk et al. 2018 (RISE), arXiv 1806.07421. A half blurred image is none that a
network was trained on: a fall may be its reaction to that (Hooker et al. 2019, arXiv 1806.10758). Random patches of the
map's own grid show what this alone does; they are the chance level.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fer_bench.cells import seed_of
from fer_bench.data import ResizedImages
from fer_bench.probes._blur import blurred
from fer_bench.probes._curves import DELETION, INSERTION, STEPS, area, curves
from fer_bench.probes._orders import by_map, by_patches
from fer_bench.probes._sample import sampled
from fer_bench.probes._share import at_size
from fer_bench.probes._shown_maps import ATTENTION, identity, shown_maps
from fer_bench.probes.base import ProbeBase, Subject
from fer_bench.score_rows import Row, row

DRAWS = 5  # random orders per image
CHANCE = "chance"
VALUES = ("probability", "logit")
Grid = tuple[int, int]
Curves = dict[str, Tensor]  # `deletion`, `insertion` -> (N, STEPS + 1, values)


class Probe(ProbeBase):
    """Follows every explainer's map of the true class, the attention of the last layer, and random patches."""

    def fits(self, plugin: Any) -> bool:
        """Any dataset of single faces."""
        return not plugin.paired

    def run(self, subject: Subject) -> tuple[list[Row], pd.DataFrame]:
        """Return rows `deletion_*` and `insertion_*`, and the curves: a line per image, source and share of pixels."""
        faces = subject.files.faces("test")
        ids = [str(name) for name in faces.frame["id"]]
        rows = sampled(ids)
        parts = list(_batches(subject, ResizedImages(faces, subject.size), ids, faces.labels, rows))
        found = {key: _joined([part[key] for part in parts]) for key in parts[0]}
        lines = [_lines([ids[row] for row in rows], *key, curve) for key, curve in found.items()]
        return _rows(subject, found), pd.concat(lines, ignore_index=True)


def _joined(parts: list[Curves]) -> Curves:
    return {mode: torch.cat([part[mode] for part in parts]) for mode in parts[0]}


def _batches(
    subject: Subject, images: ResizedImages, ids: list[str], labels: np.ndarray, rows: np.ndarray
) -> Iterator[dict[tuple[str, Grid], Curves]]:
    """Yield (source, grid) -> curves of one batch after the other."""
    for start in range(0, len(rows), subject.batch_size):
        chosen = rows[start : start + subject.batch_size]
        names, classes = [ids[row] for row in chosen], torch.from_numpy(labels[chosen])
        yield _followed(subject, images(chosen), classes, names)


def _followed(subject: Subject, images: Tensor, classes: Tensor, names: list[str]) -> dict[tuple[str, Grid], Curves]:
    """(source, grid) -> curves of a batch; random patches once for every grid, the mean of their draws."""
    maps = shown_maps(subject.classifier, images, classes, subject.explainers)
    soft = torch.stack([_soft(image) for image in images])

    def follow(orders: Tensor) -> dict[str, Tensor]:
        return curves(lambda shown: _ask(subject, shown, classes), images, soft, orders)

    found: dict[tuple[str, Grid], Curves] = {}
    for name, drawn in maps.items():
        grid = (int(drawn.shape[1]), int(drawn.shape[2]))
        random = _random(subject, names, grid)
        if (CHANCE, grid) not in found:
            found[CHANCE, grid] = {mode: many.mean(dim=0) for mode, many in follow(random[1:]).items()}
        how = subject.resize if name == ATTENTION else "halfpixel"
        order = by_map(at_size(drawn, subject.size, how), random[0])
        found[name, grid] = {mode: one[0] for mode, one in follow(order[None]).items()}
    return found


def _soft(image: Tensor) -> Tensor:
    return torch.from_numpy(blurred(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))).permute(2, 0, 1)


def _ask(subject: Subject, images: Tensor, classes: Tensor) -> Tensor:
    """Probability and logit of the class, (B, 2)."""
    with torch.inference_mode():
        logits = subject.classifier(images).logits.double()
    return torch.stack([found.gather(1, classes[:, None])[:, 0] for found in (logits.softmax(dim=1), logits)], dim=1)


def _random(subject: Subject, names: list[str], grid: Grid) -> Tensor:
    """Random orders (1 + DRAWS, B, pixels): the first one orders equal values of a map, the others are the chance."""

    def order(name: str, draw: int) -> Tensor:
        seed = seed_of(subject.seed, "deletion_insertion", name, *grid, draw)
        return by_patches(grid, subject.size, np.random.default_rng(seed))

    return torch.stack([torch.stack([order(name, draw) for name in names]) for draw in range(1 + DRAWS)])


def _lines(ids: list[str], source: str, grid: Grid, found: Curves) -> pd.DataFrame:
    shares = np.arange(STEPS + 1) / STEPS
    values = {
        f"{mode}.{value}": curve[..., number].flatten().numpy().astype(np.float32)
        for mode, curve in found.items()
        for number, value in enumerate(VALUES)
    }
    where = {"id": np.repeat(ids, len(shares)), "source": source, "grid": f"{grid[0]}x{grid[1]}"}
    return pd.DataFrame({**where, "share": np.tile(shares, len(ids)), **values})


def _rows(subject: Subject, found: dict[tuple[str, Grid], Curves]) -> list[Row]:
    """Mean areas, those of random patches of the same grid, and the gain over them with its deviation over images.

    A gain is positive where the map does better than chance: a smaller area of deletion, a larger one of insertion.
    """
    rows = _ends(next(iter(found.values())))
    for (name, grid), own in found.items():
        if name == CHANCE:
            continue
        where: dict[str, Any] = identity(name, subject.classifier)
        for mode, sign in ((DELETION, -1), (INSERTION, 1)):
            areas, chance = area(own[mode]), area(found[CHANCE, grid][mode])
            gain = sign * (areas - chance)
            for number, value in enumerate(VALUES):
                metric, direction = f"{mode}_{value}", "lower" if sign < 0 else "higher"
                rows.append(_row(metric, areas[:, number], value, direction=direction, **where))
                rows.append(_row(f"{metric}_chance", chance[:, number], value, direction=direction, **where))
                rows.append(_row(f"{metric}_gain", gain[:, number], value, **where))
                rows.append(_row(f"{metric}_gain_deviation", gain[:, number], value, deviation=True, **where))
    return rows


def _ends(found: Curves) -> list[Row]:
    """Where all curves of deletion start and end: the whole image, and the blurred one."""
    return [
        _row(f"deletion_{value}_{name}", found[DELETION][:, place, number], value)
        for number, value in enumerate(VALUES)
        for name, place in (("whole", 0), ("blurred", STEPS))
    ]


def _row(metric: str, values: Tensor, value: str, *, deviation: bool = False, **identity: Any) -> Row:
    """Mean over images, or their sample deviation; a probability in percent."""
    unit, scale = ("%", 100.0) if value == "probability" else ("", 1.0)
    found = float(values.std(correction=1) if deviation else values.mean())
    return row(metric, scale * found, len(values), subset="all", average="micro", unit=unit, **identity)
