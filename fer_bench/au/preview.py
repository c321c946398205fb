"""Figures of the maps: a preview sheet of a dataset and the codebook sheet (the layout of the paper's Fig. 2)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from fer_bench.au.codebook import AU_NAMES, DEFAULT_COLUMN, VARIANTS, union, wanted_aus
from fer_bench.au.maps import au_map

_INK = "#1d2733"
_ALPHA = 0.7  # of the overlay where the map is at least one half; it fades to nothing at 0
_COLOURS = "turbo"
_TO = "\u2013"  # en dash
_ORDER = ("happiness", "surprise", "fear", "anger", "disgust", "sadness")  # as in Fig. 2

# A frontal face of 224 x 224 pixels, invented: 68 landmarks in iBUG order, x then y.
TEMPLATE = np.array(
    [
        *[(40, 95), (42, 112), (45, 129), (50, 146), (58, 162), (70, 176), (84, 187), (99, 195), (112, 198)],
        *[(125, 195), (140, 187), (154, 176), (166, 162), (174, 146), (179, 129), (182, 112), (184, 95)],
        *[(52, 80), (61, 73), (72, 71), (83, 73), (94, 78), (130, 78), (141, 73), (152, 71), (163, 73), (172, 80)],
        *[(112, 92), (112, 104), (112, 116), (112, 128), (98, 136), (105, 139), (112, 141), (119, 139), (126, 136)],
        *[(66, 97), (74, 92), (84, 92), (92, 98), (84, 101), (74, 101)],
        *[(132, 98), (140, 92), (150, 92), (158, 97), (150, 101), (140, 101)],
        *[(86, 162), (95, 156), (105, 153), (112, 155), (119, 153), (129, 156), (138, 162)],
        *[(129, 170), (119, 174), (112, 175), (105, 174), (95, 170)],
        *[(90, 162), (105, 160), (112, 161), (119, 160), (134, 162), (119, 165), (112, 166), (105, 165)],
    ],
    dtype=np.float32,
)
_SIDE = 224
# Landmarks joined by a line: (first, last, closed).
_STROKES = (
    (0, 16, False),
    (17, 21, False),
    (22, 26, False),
    (27, 30, False),
    (31, 35, False),
    (36, 41, True),
    (42, 47, True),
    (48, 59, True),
    (60, 67, True),
)


def preview_sheet(
    images: Sequence[np.ndarray],
    landmarks: np.ndarray,
    maps: Mapping[str, np.ndarray],
    labels: Sequence[str],
    path: Path,
) -> None:
    """Write a PNG with one column per face: image, landmarks, and the overlay of each variant's map.

    Args:
        images: n images, uint8 RGB (H, W, 3).
        landmarks: (n, 68, 2) pixels of the image; NaN where missing.
        maps: variant -> (n, H, W) in [0, 1] (any size); an all-zero or non-finite map is shown as "no map".
        labels: n expression names.
        path: the PNG.

    """
    names = ["image", "landmarks", *maps]
    count = len(images)
    figure = Figure(figsize=(0.55 + 1.35 * count, 1.45 * len(names) + 0.25), layout="constrained")
    grid = figure.subplots(len(names), count, squeeze=False)
    for column, image in enumerate(images):
        grid[0, column].set_title(labels[column], fontsize=9, color=_INK)
        for row, name in enumerate(names):
            _face(grid[row, column], image)
            if name == "landmarks":
                _points(grid[row, column], landmarks[column])
            elif name in maps:
                _overlay(grid[row, column], np.asarray(maps[name][column]), image.shape[:2])
    for row, name in enumerate(names):
        grid[row, 0].set_ylabel(name, fontsize=9, color=_INK)
    _save(figure, path)


def codebook_figure(path_stem: Path) -> list[Path]:
    """Write the codebook sheet as PATH_STEM.pdf and .png: every expression's map in both variants, with its units.

    The face is a line drawing of invented landmarks. Returns the two paths.
    """
    figure = Figure(figsize=(9.5, 4.3))
    figure.subplots_adjust(left=0.06, right=0.93, top=0.93, bottom=0.2, wspace=0.06, hspace=0.16)
    grid = figure.subplots(len(VARIANTS), len(_ORDER))
    canvas = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    for row, variant in enumerate(VARIANTS):
        for axes, expression in zip(grid[row], _ORDER, strict=True):
            _face(axes, canvas)
            _overlay(axes, np.asarray(au_map(TEMPLATE, expression, (_SIDE, _SIDE), variant)), canvas.shape[:2])
            _strokes(axes)
            axes.set_xlabel(f"AU {_ranges(wanted_aus(expression, variant))}", fontsize=7.5, color=_INK, labelpad=3)
            if row == 0:
                axes.set_title(expression, fontsize=10, color=_INK)
        grid[row, 0].set_ylabel(f"{variant}\n({DEFAULT_COLUMN[variant]} codebook)", fontsize=8.5, color=_INK)
    _colour_bar(figure)
    figure.text(0.5, 0.02, _legend(), ha="center", va="bottom", fontsize=6.5, color=_INK, linespacing=1.5)
    paths = [path_stem.with_suffix(suffix) for suffix in (".pdf", ".png")]
    for path in paths:
        _save(figure, path)
    return paths


def _ranges(units: Sequence[int]) -> str:
    """Write ascending numbers shortly, three or more in a row as a range: 22, 23, 24 -> 22-24."""
    runs: list[list[int]] = []
    for unit in units:
        if runs and unit == runs[-1][-1] + 1:
            runs[-1].append(unit)
        else:
            runs.append([unit])
    return ", ".join(f"{run[0]}{_TO}{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def _legend() -> str:
    """Name every unit that the sheet shows, in three lines."""
    units = sorted({unit for variant in VARIANTS for unit in union(_ORDER, variant)})
    names = [f"{unit} {AU_NAMES[unit]}" for unit in units]
    third = -(-len(names) // 3)
    return "\n".join("   ".join(names[start : start + third]) for start in range(0, len(names), third))


def _colour_bar(figure: Figure) -> None:
    axes = figure.add_axes((0.945, 0.2, 0.012, 0.73))
    levels = np.linspace(0, 1, 256)
    opacity = _opacity(levels)[:, None]
    on_white = ListedColormap(colormaps[_COLOURS](levels)[:, :3] * opacity + 1 - opacity)
    bar = figure.colorbar(ScalarMappable(cmap=on_white), cax=axes, ticks=[0, 0.5, 1])
    bar.ax.tick_params(labelsize=7, colors=_INK, length=2)
    bar.outline.set(linewidth=0.5, edgecolor="#b8bec6")


def _face(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image, interpolation="bilinear")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlim(-0.5, image.shape[1] - 0.5)
    axes.set_ylim(image.shape[0] - 0.5, -0.5)
    for spine in axes.spines.values():
        spine.set(linewidth=0.5, color="#b8bec6")


def _points(axes: Axes, points: np.ndarray) -> None:
    if not np.isfinite(points).all():
        _note(axes, "no landmarks")
        return
    axes.scatter(points[:, 0], points[:, 1], s=2.5, color="#35e0c8", edgecolors=_INK, linewidths=0.2)


def _overlay(axes: Axes, values: np.ndarray, size: tuple[int, int]) -> None:
    if not np.isfinite(values).all() or not values.any():
        _note(axes, "no map")
        return
    extent = (-0.5, size[1] - 0.5, size[0] - 0.5, -0.5)
    alpha = _opacity(values)
    axes.imshow(values, cmap=_COLOURS, vmin=0, vmax=1, alpha=alpha, extent=extent, interpolation="bilinear")


def _opacity(values: np.ndarray) -> np.ndarray:
    return _ALPHA * np.clip(2 * values, 0, 1)


def _note(axes: Axes, text: str) -> None:
    box: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2}
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=7, color=_INK, bbox=box)


def _strokes(axes: Axes) -> None:
    for first, last, closed in _STROKES:
        index = [*range(first, last + 1), *([first] if closed else [])]
        axes.plot(*TEMPLATE[index].T, color=_INK, linewidth=0.9, solid_joinstyle="round")


def _save(figure: Figure, path: Path) -> None:
    """Save without dates, so that the same figure gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dateless = {"CreationDate": None} if path.suffix == ".pdf" else {"Software": None}
    figure.savefig(path, dpi=200, metadata=dateless)
