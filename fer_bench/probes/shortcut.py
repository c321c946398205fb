"""Does the network follow a cue that gave the class away in training? Accuracy, reliance, and attention on the cue.

The same test faces are shown without a cue, with that of their own class, of a random class and of another class.
Shortcut learning: Geirhos et al. 2020, DOI 10.1038/s42256-020-00257-z; conflicting cues: Geirhos et al. 2019, arXiv
1811.12231.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fer_bench.cues import ALIGNED, CLEAN, CONFLICT, VIEWS
from fer_bench.data import evaluation_batches, no_maps
from fer_bench.explainers import explain_all
from fer_bench.probes._share import at_size, ceiling, covers_at, energy_share
from fer_bench.probes.base import ProbeBase, Subject
from fer_bench.score_rows import Row, row


class Probe(ProbeBase):
    """Scores the four views of the faces that have room for a cue, all on the same faces."""

    def fits(self, plugin: Any) -> bool:
        """A dataset whose test images can be shown in these views."""
        return set(VIEWS) <= set(plugin.views)

    def run(self, subject: Subject) -> tuple[list[Row], pd.DataFrame]:
        """Return rows `shortcut_*`, the view in `subset`, and predictions and shares of every face."""
        files = subject.files
        faces = files.faces("test")
        ids = [str(name) for name in faces.frame["id"]]
        covers = covers_at(files.plugin.covers(files.folder, ids), subject.size)
        there = covers.flatten(1).any(dim=1).numpy()
        shown = _shown(files.plugin.cues(files.folder).loc[ids], files.plugin.expressions)
        frame = pd.DataFrame({"id": ids, "label": faces.labels, "has_cue": there})
        rows = [row("shortcut_faces", float(there.sum()), len(ids), average="micro", unit="images")]
        for view in VIEWS:
            seen = _look(subject, view, covers)
            rows += _predictions(view, seen.predicted, faces.labels, shown.get(view), there)
            rows += [_share(key, view, values, there) for key, values in seen.shares.items()]
            frame[f"predicted.{view}"] = seen.predicted
            columns = {f"{key}.{view}": values.astype(np.float32) for key, values in seen.shares.items()}
            frame = frame.assign(**columns, **({f"cue.{view}": shown[view]} if view in shown else {}))
        rows += _references(seen.grids, covers[torch.from_numpy(there)], subject.resize)
        return [*rows, _reliance(rows)], frame


@dataclass
class _Seen:
    """predicted (N,); `att.LAYER` and `cam.EXPLAINER` -> (N,) shares on the cue, and size of the map."""

    predicted: np.ndarray
    shares: dict[str, np.ndarray]
    grids: dict[str, tuple[int, int]] = field(default_factory=dict)


def _look(subject: Subject, view: str, covers: Tensor) -> _Seen:
    predicted: list[np.ndarray] = []
    shares: dict[str, list[np.ndarray]] = {}
    grids: dict[str, tuple[int, int]] = {}
    for rows, images in _batches(subject, view):
        cams, output = explain_all(
            subject.classifier, images, lambda out: out.logits.argmax(dim=1)[:, None], subject.explainers
        )
        predicted.append(output.logits.argmax(dim=1).numpy())
        last = max(output.features)
        maps = {f"att.{last}": (output.features[last].mean(dim=1), subject.resize)}
        maps |= {f"cam.{name}": (found[:, 0], "halfpixel") for name, found in cams.items()}
        for key, (found, how) in maps.items():
            grids[key] = (int(found.shape[1]), int(found.shape[2]))
            share = energy_share(at_size(found, subject.size, how), covers[rows])
            shares.setdefault(key, []).append(share.numpy())
    return _Seen(np.concatenate(predicted), {key: np.concatenate(parts) for key, parts in shares.items()}, grids)


def _batches(subject: Subject, view: str) -> Iterator[tuple[np.ndarray, Tensor]]:
    faces = subject.files.faces("test", view)
    for rows, batch in evaluation_batches(faces, no_maps, subject.size, subject.batch_size):
        yield rows, batch["images"]


def _shown(table: pd.DataFrame, classes: tuple[str, ...]) -> dict[str, np.ndarray]:
    """View -> (N,) class ids whose cue it shows; `clean` shows none."""
    order = {name: number for number, name in enumerate(classes)}
    return {view: table[view].map(order).to_numpy(dtype=np.int64) for view in VIEWS if view != CLEAN}


def _predictions(
    view: str, predicted: np.ndarray, labels: np.ndarray, cue: np.ndarray | None, there: np.ndarray
) -> list[Row]:
    """Accuracy, and the share of predictions that name the class of the cue."""
    found = {"shortcut_accuracy": labels, **({} if cue is None else {"shortcut_followed": cue})}
    count = int(there.sum())
    return [
        row(name, _percent(predicted[there] == wanted[there]), count, subset=view, average="micro", unit="%")
        for name, wanted in found.items()
    ]


def _percent(hits: np.ndarray) -> float:
    return float(100 * hits.mean()) if len(hits) else float("nan")


def _place(key: str) -> dict[str, str]:
    kind, name = key.split(".")
    return {"layer": name} if kind == "att" else {"explainer": name, "pairing": "pred"}


def _share(key: str, view: str, shares: np.ndarray, there: np.ndarray) -> Row:
    """Mean share (%) of a map's energy on the cue; of `clean`, on the pixels where the other views have it."""
    used = shares[there][~np.isnan(shares[there])]
    value = float(100 * used.mean()) if len(used) else float("nan")
    name = f"shortcut_{key.split('.', maxsplit=1)[0]}"
    return row(name, value, len(used), subset=view, average="micro", unit="%", direction="lower", **_place(key))


def _references(grids: dict[str, tuple[int, int]], covers: Tensor, how: str) -> list[Row]:
    """Chance level (a constant map: the cue's share of the area) and ceiling of each map's grid, in percent."""
    rows = []
    for key, grid in grids.items():
        kind = key.split(".")[0]
        best = ceiling(covers, grid, how if kind == "att" else "halfpixel")
        for suffix, values in (("chance", covers.flatten(1).mean(dim=1)), ("ceiling", best)):
            value = float(100 * values.mean()) if len(values) else float("nan")
            rows.append(row(f"shortcut_{kind}_{suffix}", value, len(values), average="micro", unit="%", **_place(key)))
    return rows


def _reliance(rows: list[Row]) -> Row:
    """Accuracy with the own class's cue minus accuracy with another class's: 0 for a network that ignores cues."""
    accuracy = {line["subset"]: line for line in rows if line["metric"] == "shortcut_accuracy"}
    aligned, conflict = (accuracy[view]["value"] for view in (ALIGNED, CONFLICT))
    value = float("nan") if aligned is None else aligned - conflict
    return row(
        "shortcut_reliance", value, accuracy[CLEAN]["n"], subset="all", average="micro", unit="%", direction="lower"
    )
