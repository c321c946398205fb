"""Does an explanation find what changed? Pairs of faces one action unit apart, of which the changed pixels are known.

A pair counts when the logit of its expression moves by at least one. What is explained is that difference: the raw map
of the face with the unit minus that of the face without, in the direction in which the logit moved; its negative part
speaks against the move and is cut off. Of CAM behind average pooling the maps' difference adds up to the logit's.
Controlled changes as truth: Yang and Kim 2019 (BAM), arXiv 1907.09701.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from fer_bench.au import resize
from fer_bench.data import ResizedImages
from fer_bench.explainers import explain_all
from fer_bench.probes._truth import SCORES
from fer_bench.probes.base import ProbeBase, Subject
from fer_bench.score_rows import Row, row

MOVED = 1.0  # least change of the logit


class Probe(ProbeBase):
    """Scores the explained logit differences of the pairs that moved, at the resolution of the stored images."""

    def fits(self, plugin: Any) -> bool:
        """A dataset of pairs."""
        return bool(plugin.paired)

    def run(self, subject: Subject) -> tuple[list[Row], pd.DataFrame]:
        """Return rows `pair_*` per explainer, and move of the logit and scores of every pair (NaN if not kept)."""
        files = subject.files
        pairs = files.plugin.pairs(files.folder)
        truth = files.plugin.touched(files.folder, pairs)
        moves, maps = _differences(subject, pairs)
        kept = np.abs(moves) >= MOVED
        frame = pairs[["id", "expression", "unit"]].assign(moved=moves.astype(np.float32), kept=kept)
        rows = [_row("pair_kept", float(kept.sum()), len(pairs), unit="images")]
        rows += [_row("pair_chance", _mean(truth[kept].mean(axis=(1, 2))), int(kept.sum()))]
        for name, found in maps.items():
            grid = (int(found.shape[1]), int(found.shape[2]))
            for source, drawn in ((name, found), (f"{name}_reference", _pooled(truth, grid))):
                scores = _scores(drawn, truth, kept)
                suffix = source.removeprefix(name)
                for score, values in scores.items():
                    used = values[kept & ~np.isnan(values)]
                    rows.append(_row(f"pair_{score}{suffix}", _mean(used), len(used), explainer=name))
                    frame[f"{score}.{source}"] = values.astype(np.float32)
        return rows, frame


def _row(metric: str, value: float, n: int, unit: str = "%", **identity: Any) -> Row:
    shown = 100 * value if unit == "%" else value
    return row(metric, shown, n, subset="all", average="micro", unit=unit, **identity)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _differences(subject: Subject, pairs: pd.DataFrame) -> tuple[np.ndarray, dict[str, Tensor]]:
    """Logit of the expression with minus without the unit (N,), and explainer -> (N, h, w) maps of that move."""
    faces = subject.files.faces("test")
    images = ResizedImages(faces, subject.size)
    position = {str(name): number for number, name in enumerate(faces.frame["id"])}
    sides = [np.array([position[name] for name in pairs[side]]) for side in ("shown", "absent")]
    moves: list[Tensor] = []
    maps: dict[str, list[Tensor]] = {name: [] for name in subject.explainers}
    for start in range(0, len(pairs), subject.batch_size):
        shown, absent = (rows[start : start + subject.batch_size] for rows in sides)
        classes = torch.from_numpy(faces.labels[shown])
        after, before = (_asked(subject, images(rows), classes) for rows in (shown, absent))
        move = after[0] - before[0]
        moves.append(move)
        for name, parts in maps.items():
            difference = (after[1][name] - before[1][name]).float()
            parts.append((difference * move.sign()[:, None, None]).relu())
    return torch.cat(moves).numpy(), {name: torch.cat(parts) for name, parts in maps.items()}


def _asked(subject: Subject, images: Tensor, classes: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Logit (B,) and raw maps (B, h, w) of one class per image."""
    maps, output = explain_all(subject.classifier, images, classes[:, None], subject.explainers, raw=True)
    logits = output.logits.gather(1, classes[:, None])[:, 0]
    return logits.float(), {name: found[:, 0] for name, found in maps.items()}


def _pooled(truth: np.ndarray, grid: tuple[int, int]) -> Tensor:
    """The truth itself at the grid of a map: what a map of so few pixels can show of it."""
    return functional.adaptive_avg_pool2d(torch.from_numpy(truth).float()[:, None], grid)[:, 0]


def _scores(maps: Tensor, truth: np.ndarray, kept: np.ndarray) -> dict[str, np.ndarray]:
    """Score the maps (N, h, w) of kept pairs against their truth (N, H, W); NaN for the others."""
    size = (int(truth.shape[1]), int(truth.shape[2]))
    found = {name: np.full(len(truth), np.nan) for name in SCORES}
    for number in np.flatnonzero(kept):
        drawn = resize(maps[number : number + 1], size, "halfpixel")[0].clamp_min(0).numpy()
        for name, score in SCORES.items():
            found[name][number] = score(drawn, truth[number])
    return found
