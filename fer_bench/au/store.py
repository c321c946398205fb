"""The map store: per face what every map can be composed from, on disk, memory-mapped.

`paper` keeps each region's 28x28 map as bytes with its peak; `facs` has no grid and keeps the ellipses. Own-class,
other-class, union and present-unit maps are composed on reading, at any size.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from fer_bench.au import raster_facs, regions_facs
from fer_bench.au.codebook import check_variant
from fer_bench.au.composition import GRID, compose
from fer_bench.au.maps import REGIONS, Wanted, region_maps, wanted_rows
from fer_bench.errors import InputError

_MANIFEST = "manifest.json"
_ELLIPSES = len(regions_facs.REGION_OF)
# variant -> file suffix -> (shape behind the faces, type); the first one is the map data itself
_LAYOUT: dict[str, dict[str, tuple[tuple[int, ...], str]]] = {
    "paper": {
        "": ((len(REGIONS["paper"]), GRID, GRID), "uint8"),
        "_peak": ((len(REGIONS["paper"]),), "float32"),
        "_valid": ((len(REGIONS["paper"]),), "bool"),
    },
    "facs": {
        "": ((_ELLIPSES, 5), "float32"),
        "_valid": ((len(REGIONS["facs"]),), "bool"),
    },
}


def bytes_per_face(variant: str) -> int:
    """Return what one face costs on disk."""
    check_variant(variant)
    return sum(int(np.prod(shape)) * np.dtype(kind).itemsize for shape, kind in _LAYOUT[variant].values())


def write(
    ids: Sequence[str],
    points: np.ndarray,
    image_sizes: np.ndarray,
    out: Path,
    variants: Sequence[str] = ("paper", "facs"),
    chunk: int = 1024,
    progress: bool = True,
    paper_side: int | None = None,
) -> None:
    """Write the store of a dataset into a folder: VARIANT.npy and its companions, then manifest.json.

    Args:
        ids: N names, in the order of the index.
        points: (N, 68, 2) landmarks in pixels, NaN where missing.
        image_sizes: (N, 2) height, width of each image.
        out: the folder; made if absent. A store that was there is replaced; without its manifest it is not readable,
            so that an interrupted run leaves nothing that looks whole.
        variants: which maps.
        chunk: faces per step.
        progress: show a progress bar.
        paper_side: draw the `paper` regions as if every image had this many pixels a side. The published code works on
            224 px faces with radii fixed in pixels; drawn on smaller images they cover most of the face. None: draw at
            each image's own size.

    Raises:
        InputError: lengths differ, a variant is unknown.

    """
    if not len(ids) == len(points) == len(image_sizes):
        raise InputError(f"au.store: {len(ids)} ids, {len(points)} landmarks, {len(image_sizes)} image sizes")
    for variant in variants:
        check_variant(variant)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MANIFEST).unlink(missing_ok=True)
    for variant in variants:
        drawn_at = paper_side if variant == "paper" else None
        _write_variant(*_drawn_at(points, image_sizes, drawn_at), out, variant, chunk, progress)
    manifest = {
        "faces": len(ids),
        "ids_sha256": ids_hash(ids),
        "paper_side": paper_side,
        "variants": {variant: _describe(variant) for variant in sorted(variants)},
    }
    partial = out / f"{_MANIFEST}.partial"
    partial.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(out / _MANIFEST)


def ids_hash(ids: Sequence[str]) -> str:
    """Return the sha256 of the ids in their order: which faces the rows of a store belong to."""
    return hashlib.sha256("\n".join(map(str, ids)).encode()).hexdigest()


def _describe(variant: str) -> dict[str, Any]:
    files = {f"{variant}{suffix}.npy": [*shape, kind] for suffix, (shape, kind) in _LAYOUT[variant].items()}
    return {"bytes_per_face": bytes_per_face(variant), "files": files, "regions": [list(u) for u in REGIONS[variant]]}


def _drawn_at(points: np.ndarray, sizes: np.ndarray, side: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Move landmarks to square images of `side` pixels; the centre of pixel i has coordinate i in both."""
    if side is None:
        return points, sizes
    factor = side / sizes[:, None, ::-1]
    return (points + 0.5) * factor - 0.5, np.full_like(sizes, side)


def _write_variant(points: np.ndarray, sizes: np.ndarray, out: Path, variant: str, chunk: int, progress: bool) -> None:
    paths = {suffix: out / f"{variant}{suffix}.npy" for suffix in _LAYOUT[variant]}
    files = {
        suffix: np.lib.format.open_memmap(
            path.with_suffix(".npy.partial"),
            "w+",
            _LAYOUT[variant][suffix][1],
            (len(points), *_LAYOUT[variant][suffix][0]),
        )
        for suffix, path in paths.items()
    }
    encode = _encode_paper if variant == "paper" else _encode_facs
    with tqdm(total=len(points), desc=f"maps {variant}", unit="face", disable=not progress) as bar:
        for start in range(0, len(points), chunk):
            rows = np.arange(start, min(start + chunk, len(points)))
            for size in np.unique(sizes[rows], axis=0):
                same = rows[(sizes[rows] == size).all(axis=1)]
                for suffix, part in encode(points[same], (int(size[0]), int(size[1]))).items():
                    files[suffix][same] = part
            bar.update(len(rows))
    for suffix, path in paths.items():
        files[suffix].flush()
        path.with_suffix(".npy.partial").replace(path)


def _encode_paper(points: np.ndarray, canvas: tuple[int, int]) -> dict[str, np.ndarray]:
    """Quantise each region's map relative to its own peak, so that thin regions keep their precision."""
    maps, drawn = region_maps(points, canvas, "paper")
    peak = maps.amax((2, 3))
    levels = (maps * (255 / torch.where(peak > 0, peak, 1))[..., None, None]).round().to(torch.uint8)
    return {"": levels.numpy(), "_peak": peak.numpy(), "_valid": drawn.numpy()}


def _encode_facs(points: np.ndarray, canvas: tuple[int, int]) -> dict[str, np.ndarray]:
    """Keep the ellipses in units of the image: a picture of one pixel, so that the size of the image is forgotten."""
    forms = regions_facs.forms(torch.as_tensor(points))
    drawn = regions_facs.drawn(forms, canvas)
    return {"": raster_facs.scaled(forms, canvas, (1, 1)).numpy(), "_valid": drawn.numpy()}


class MapStore:
    """A store opened for reading; pickles as its path, so that loader workers open it themselves."""

    def __init__(self, folder: Path | str, variant: str = "paper") -> None:
        """Open the store of a dataset.

        Args:
            folder: where `write` put it.
            variant: "paper" or "facs".

        Raises:
            InputError: no whole store there, the variant is not in it, or its regions are those of another version.

        """
        check_variant(variant)
        self.folder, self.variant = Path(folder), variant
        manifest = _read_manifest(self.folder)
        if variant not in manifest["variants"]:
            stored = ", ".join(manifest["variants"])
            raise InputError(f"{self.folder}: no maps of variant {variant!r}; stored: {stored}")
        if manifest["variants"][variant] != _describe(variant):
            raise InputError(f"{self.folder}: maps of another version; run the stage heatmaps again")
        self.faces, self.ids_sha256 = int(manifest["faces"]), str(manifest["ids_sha256"])

    def __reduce__(self) -> tuple[type["MapStore"], tuple[Path, str]]:
        return MapStore, (self.folder, self.variant)

    def __len__(self) -> int:
        return self.faces

    @cached_property
    def _files(self) -> dict[str, np.ndarray]:
        names = _LAYOUT[self.variant]
        return {suffix: np.load(self.folder / f"{self.variant}{suffix}.npy", mmap_mode="r") for suffix in names}

    def maps(
        self,
        rows: np.ndarray | Sequence[int],
        wanted: Wanted,
        size: tuple[int, int],
        codebook: str | None = None,
        strengths: np.ndarray | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the maps of some faces.

        Args:
            rows: (B,) positions in the index; repeats are fine.
            wanted: one per row: expression (name or class id), set of FACS numbers, or None for no map.
            size: (H, W).
            codebook: "drawn", "printed" or "cited"; by default what the variant uses.
            strengths: (B, R) in [0, 1], factor of each region's map (`region_strengths`); by default 1.

        Returns:
            maps (B, H, W) float32 in [0, 1], zero where invalid, and valid (B,) bool; on the CPU.

        """
        rows = np.asarray(rows, dtype=np.int64)
        want = self._drawn(rows, wanted, codebook)
        if strengths is not None:
            want &= strengths > 0
        if self.variant == "facs":
            forms = raster_facs.scaled(torch.from_numpy(self._files[""][rows]), (1, 1), size)
            mask, heights = torch.from_numpy(want), None if strengths is None else torch.from_numpy(strengths)
            return raster_facs.render_regions(forms, mask, size, heights=heights), mask.any(1)
        count = max(int(want.sum(axis=1).max(initial=0)), 1)
        chosen = np.argsort(~want, axis=1, kind="stable")[:, :count]
        pick = (rows[:, None], chosen)
        used = np.take_along_axis(want, chosen, axis=1)
        peaks = self._files["_peak"][pick]
        if strengths is not None:
            peaks = peaks * np.take_along_axis(strengths, chosen, axis=1)
        return compose(self._files[""][pick], used, size, "paper", peaks)

    def valid(self, rows: np.ndarray | Sequence[int], wanted: Wanted, codebook: str | None = None) -> np.ndarray:
        """Tell which faces have a map, (B,) bool, without drawing it; arguments as in `maps`."""
        return np.asarray(self._drawn(np.asarray(rows, dtype=np.int64), wanted, codebook).any(axis=1))

    def _drawn(self, rows: np.ndarray, wanted: Wanted, codebook: str | None) -> np.ndarray:
        """(B, R) bool: the regions that are wanted and lie inside the image."""
        want = wanted_rows(wanted, self.variant, codebook).numpy()
        if len(want) != len(rows):
            raise InputError(f"au.store: {len(rows)} rows but {len(want)} expressions")
        return np.asarray(want & self._files["_valid"][rows])


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / _MANIFEST
    if not path.is_file():
        raise InputError(f"{path}: not there; the stage heatmaps writes it")
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest
