"""Figures as they were saved, for what the page does not draw itself."""

from dataclasses import dataclass
from pathlib import Path

from fer_bench.report.page._images import Picture, saved

# Begin of a figure's file name -> what it shows. Figures of other names are shown under their own name.
KNOWN = {
    "summary": "Agreement with the action unit map: cosine of every layer and explainer, a dot per seed, with chance "
    "level and ceiling",
    "confusion": "Confusion matrices: share of each true expression in percent, with the mean number of images",
    "panels": "One face: image, action unit map, attention of every layer and activation map of each training",
    "au_maps": "Faces and the maps of their action units, with the units' names",
    "figure5": "Scores over the weight λ on two axes",
    "lambda": "Scores over the weight λ: every seed, deviation, baseline, published runs and expected maximum",
    "faithfulness": "Probability of the true class while pixels are blurred or come back in the order of each map",
}
DRAWN = ("coverage", "training_curves", "overlays", "attention_maps", "cam_maps")  # by the page itself
DRAWN_SHARED = tuple(f"{name}_shared" for name in DRAWN)


@dataclass(frozen=True)
class Shown:
    """A figure: its words, the name of its file, and the picture."""

    words: str
    name: str
    picture: Picture


def build(folder: Path) -> list[Shown]:
    """All figures of a folder but those that the page draws itself, in the order of KNOWN, then by name."""
    order = list(KNOWN)
    paths = [path for path in folder.glob("*.png") if _kind(path) not in (*DRAWN, *DRAWN_SHARED)]
    ordered = sorted(paths, key=lambda p: (order.index(_kind(p)) if _kind(p) in order else len(order), p.name))
    return [_shown(path) for path in ordered]


def _kind(path: Path) -> str:
    return path.stem.split("-", 1)[0]


def _shown(path: Path) -> Shown:
    of = path.stem.partition("-")[2]
    words = KNOWN.get(_kind(path), path.stem.replace("_", " "))
    told = f"{words} ({of})" if of else words
    return Shown(told, path.stem, saved(path.read_bytes(), told))
