"""Generated faces on which a cue gives the class away: at a rate in train and val, in four views of the test images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from fer_bench import registry
from fer_bench.cues import CLEAN, NOWHERE, SHOWN, TRAINED, VIEWS, cover, place, radius_of, shown, stamp
from fer_bench.cues.base import CuedFace
from fer_bench.datasets import synthetic
from fer_bench.datasets._images import read_image
from fer_bench.errors import unknown

_TABLE = "cues.parquet"


class Settings(synthetic.Settings):
    """Keys of generated faces with a cue, besides those of `synthetic`.

    site: where the cue lies, a file of `fer_bench/cues/`: `background`, `face` or `foreign_unit`.
    rate: probability that an image of train or val shows the cue of its own class, else that of another one.
    diameter: of the cue, as a share of the image's side.
    """

    site: str = "background"
    rate: float = Field(0.9, ge=0, le=1)
    diameter: float = Field(0.08, gt=0, le=0.3)

    @field_validator("site")
    @classmethod
    def _known(cls, site: str) -> str:
        if site not in registry.names("cues"):
            raise ValueError(str(unknown("site", site, "site", registry.names("cues"))))
        return site

    def plugins(self) -> list[str]:
        """The site decides where cues lie."""
        return [f"fer_bench.cues.{self.site}"]

    def readers(self) -> list[str]:
        """Cues are laid on the images as these are read."""
        return self.plugins()


@dataclass(frozen=True)
class CuedReader:
    """Reads an image and lays its cue on it; what is read from is picklable, so loader workers can have it.

    table: columns x, y and the class shown per view, by id. column: which of these classes.
    """

    table: pd.DataFrame
    column: str
    classes: Sequence[str]
    radius: int

    def __call__(self, path: Path) -> np.ndarray:
        """Return (H, W, 3) uint8; an image without room for a cue as it is stored."""
        image, row = read_image(path), dict(self.table.loc[path.stem])
        centre = (int(row["x"]), int(row["y"]))
        if centre == NOWHERE:
            return image
        return stamp(image, centre, self.radius, self.classes.index(row[self.column]), len(self.classes))


class Dataset(synthetic.Dataset):
    """The faces of `synthetic`, stored without any cue, and a table of the cues that are laid on them when read."""

    settings: Settings
    views = VIEWS

    def __init__(self, name: str, settings: Settings, source: str | None = None) -> None:
        super().__init__(name, settings, source)
        self.site = registry.plugin("cues", settings.site)()
        self.label = f"Generated faces, cue: {self.site.label}, rate {settings.rate:g}"

    def collect(self, out: Path, workers: int, progress: bool) -> pd.DataFrame:
        """Generate the faces and draw where each one's cue lies and which class it shows (cues.parquet)."""
        frame = super().collect(out, workers, progress)
        truth = pd.read_parquet(self.ground_truth(out)).set_index("id")
        named = zip(frame["id"], frame["label"], strict=True)
        rows = [self._cue(str(name), str(label), truth.loc[name], out) for name, label in named]
        pd.DataFrame(rows).to_parquet(out / _TABLE, index=False)
        return frame

    def _cue(self, name: str, label: str, truth: "pd.Series[float]", out: Path) -> dict[str, object]:
        landmarks = np.array([[truth[f"x{k}"], truth[f"y{k}"]] for k in range(68)], dtype=np.float64)
        mask = self.masks(out, [name])[0]
        x, y = place(self.site, CuedFace(label, mask, landmarks), self.radius, self.seed, name)
        return {"id": name, "x": x, "y": y, **shown(label, self.expressions, self.settings.rate, self.seed, name)}

    @property
    def radius(self) -> int:
        """Radius of the cue in pixels of the stored image."""
        return radius_of(self.settings.diameter, synthetic.synth_settings(self.settings).size)

    @property
    def seed(self) -> int:
        """Seed of the generated set."""
        return synthetic.synth_settings(self.settings).seed

    def cues(self, out: Path) -> pd.DataFrame:
        """Read the table of cues by id: x, y (-1 where the face has no room) and the class shown, columns SHOWN."""
        table = pd.read_parquet(out / _TABLE).set_index("id")
        return table[["x", "y", *SHOWN]]

    def covers(self, out: Path, ids: Sequence[str]) -> np.ndarray:
        """(N, H, W) bool: pixels of each image that its cue covers, or would cover; none where it has no room."""
        side = synthetic.synth_settings(self.settings).size
        places = self.cues(out).loc[list(ids), ["x", "y"]].to_numpy()
        return np.stack([cover((side, side), (int(x), int(y)), self.radius) for x, y in places])

    def reader(self, out: Path, split: str, view: str = "") -> Callable[[Path], np.ndarray]:
        """Read train and val with the cue of their rate, test without any, or as a view of VIEWS says."""
        if view == CLEAN or (split == "test" and not view):
            return read_image
        return CuedReader(self.cues(out), view or TRAINED, self.expressions, self.radius)
