"""Pairs of generated faces that differ in one action unit alone: the true cause of a change is known."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.datasets import synthetic
from fer_bench.datasets._images import read_image, save_png
from fer_bench.datasets._parallel import parallel_map
from fer_bench.synthface import SynthSettings
from fer_bench.synthface.face import Face, ground_truth, picture_of
from fer_bench.synthface.pairs import draw_pair, plan_pairs
from fer_bench.synthface.plan import PlannedFace

TOUCHED = 4  # grey levels of 255, in any channel: rounding and soft shading reach 3
_TABLE = "pairs.parquet"

Settings = synthetic.Settings


class Dataset(synthetic.Dataset):
    """Test faces of `synthetic`, each twice: with one of its action units at full intensity, and without that unit."""

    label = "Generated pairs, one AU apart"
    paired = True
    settings: synthetic.Settings

    def collect(self, out: Path, workers: int, progress: bool) -> pd.DataFrame:
        """Write images/, ground_truth.parquet and pairs.parquet (id, expression, unit, ids of both faces)."""
        settings = synthetic.synth_settings(self.settings)
        make = partial(_make, settings=settings, out=out)
        made = parallel_map(make, list(plan_pairs(settings)), workers, progress, "pairs")
        pd.DataFrame([pair for pair, _, _ in made]).to_parquet(out / _TABLE, index=False)
        truth = pd.DataFrame([row for _, _, rows in made for row in rows])
        numbers = {name: np.float32 for name in truth if truth[name].dtype == np.float64}
        truth.astype(numbers).to_parquet(out / "ground_truth.parquet", index=False)
        (out / "manifest.json").write_text(settings.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return pd.DataFrame([row for _, rows, _ in made for row in rows])

    def pairs(self, out: Path) -> pd.DataFrame:
        """Read the table of pairs: id, expression, unit (FACS number), shown and absent (ids of the images)."""
        return pd.read_parquet(out / _TABLE)

    def touched(self, out: Path, pairs: pd.DataFrame) -> np.ndarray:
        """(N, H, W) bool: pixels that the rendered change of each pair touches, by at least TOUCHED grey levels."""
        sides = [
            [read_image(_image(out, name)).astype(np.int16) for name in pairs[side]] for side in ("shown", "absent")
        ]
        return np.stack([np.abs(a - b).max(axis=-1) >= TOUCHED for a, b in zip(*sides, strict=True)])


Row = dict[str, object]


def _make(planned: PlannedFace, settings: SynthSettings, out: Path) -> tuple[Row, Sequence[Row], Sequence[Row]]:
    pair = draw_pair(planned, settings)
    names = {side: f"{planned.id}_{side}" for side in ("shown", "absent")}
    faces = {names["shown"]: pair.shown, names["absent"]: pair.absent}
    line: Row = {"id": planned.id, "expression": planned.expression, "unit": pair.unit, **names}
    return (
        line,
        [_index(face, name, out) for name, face in faces.items()],
        [ground_truth(face) | {"id": name} for name, face in faces.items()],
    )


def _index(face: Face, name: str, out: Path) -> Row:
    path = _image(out, name)
    save_png(picture_of(face)[0], path)
    return {
        "id": name,
        "path": path.relative_to(out).as_posix(),
        "label": face.planned.expression,
        "split": "test",
        "subject": face.planned.subject,
        "width": face.settings.size,
        "height": face.settings.size,
        "sha256": sha256(path.read_bytes()).hexdigest(),
    }


def _image(out: Path, name: str) -> Path:
    return out / "images" / f"{name}.png"
