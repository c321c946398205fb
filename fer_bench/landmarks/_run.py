"""Landmarks of a whole index: look up or detect, keep what is done, write one table."""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from fer_bench import registry
from fer_bench.errors import InputError
from fer_bench.landmarks import _table, _timings
from fer_bench.landmarks._journal import Entry, Journal
from fer_bench.landmarks._pool import ReadImage, Task, detect_files
from fer_bench.landmarks.base import BackendBase
from fer_bench.settings import Settings
from fer_bench.validation import validate

_KEY_DIGITS = 16
# files that no finding depends on
_NEUTRAL = (
    "__init__.py",
    "_run.py",
    "_pool.py",
    "_timings.py",
    "_table.py",
    "_weights.py",
)


def run(
    index: pd.DataFrame,
    image_root: Path,
    backend: str,
    settings: Mapping[str, Any] | Settings,
    out: Path,
    workers: int,
    progress: bool,
    read_image: ReadImage,
    cache: Path,
    truth: Path | None = None,
    timings: Path | None = None,
    source: str | None = None,
) -> pd.DataFrame:
    """Find the landmarks of every image of an index and write the table.

    The result depends on images, backend, settings, versions and weights alone, not on workers or on interruptions.

    Args:
        index: columns id, path (below `image_root`) and sha256 of the file.
        backend: a file of `fer_bench/landmarks/`.
        settings: the backend's section of params.yaml, or its `Settings`.
        out: where the parquet table goes.
        workers: processes; 0 = one per core, 1 = this process alone.
        progress: whether to show a bar and a summary on stderr.
        read_image: path -> (H, W, 3) uint8 RGB; importable by name.
        cache: an ignored folder that keeps what is found, so that a second run does only what is missing.
            Images with status `error` are not kept: they are tried again.
        truth: table of true landmarks, for the backend `given`.
        timings: CSV of time and yield of each step; for results/provenance.
        source: where the settings stand, for messages.

    Returns:
        The table: id, x0..x67, y0..y67 (float32, NaN when missing), status, step, box_x1, box_y1, box_x2, box_y2,
        score, backend, message; one row per row of the index, in its order.

    Raises:
        InputError: unknown backend or setting, missing package or weights, or not one image with landmarks
            (the table is then kept in `cache`, and its path stands in the message).
    """
    source = source or f"landmarks.{backend}"
    engine = make(backend, settings, source, truth)
    folder = cache / f"{backend}-{_key(backend, engine)}"
    entries = _detect(index, image_root, engine, folder, workers, progress, read_image)
    frame = _table.to_frame(list(index["id"].astype(str)), [entry.detection for entry in entries], backend)
    if timings is not None:
        _timings.write(_timings.summarise(entries, engine.steps), timings)
    if progress:
        print(f"landmarks: {_counts(frame)}", file=sys.stderr)
    _check_any(frame, folder, source)
    _table.write(frame, out)
    return frame


def make(backend: str, settings: Mapping[str, Any] | Settings, source: str, truth: Path | None = None) -> BackendBase:
    """Build a backend by name; `truth` is used by those that look landmarks up."""
    plugin = registry.plugin("landmarks", backend, source)
    if not isinstance(settings, Settings):
        settings = validate(registry.settings("landmarks", backend, source), settings, source)
    engine: BackendBase = plugin(settings, source)
    engine.use_truth(truth)
    return engine


def _detect(
    index: pd.DataFrame,
    image_root: Path,
    engine: BackendBase,
    folder: Path,
    workers: int,
    progress: bool,
    read_image: ReadImage,
) -> list[Entry]:
    """Return an entry per row of the index."""
    if not engine.needs_images:
        return [Entry("", engine.find(str(row.id), str(row.path)), {}) for row in index.itertuples()]
    hashes = list(index["sha256"].astype(str))
    journal = Journal(folder)
    done = journal.read()
    paths = {sha256: image_root / path for sha256, path in zip(hashes, index["path"], strict=True)}
    tasks: list[Task] = [(sha256, path) for sha256, path in paths.items() if sha256 not in done]
    bar = tqdm(total=len(paths), initial=len(paths) - len(tasks), desc="landmarks", unit="img", disable=not progress)
    with bar, journal.open() as writer:
        for entry in detect_files(engine, read_image, tasks, workers):
            done[entry.sha256] = entry
            if entry.detection.status != "error":
                writer.append(entry)
            bar.update()
    return [done[sha256] for sha256 in hashes]


def _key(backend: str, engine: BackendBase) -> str:
    """Hash what the answers depend on: settings, versions, weights, and the sources of the backend."""
    here = Path(__file__).parent
    sources = sorted(path for path in here.glob("*.py") if path.name not in _NEUTRAL and not _other(path, backend))
    texts = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources}
    identity = json.dumps({"identity": engine.identity(), "sources": texts}, sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()[:_KEY_DIGITS]


def _other(path: Path, backend: str) -> bool:
    """Tell whether a file is another backend's plug-in."""
    return path.stem in registry.names("landmarks") and path.stem != backend


def _counts(frame: pd.DataFrame) -> str:
    counts = Counter(frame["status"])
    return ", ".join([f"{len(frame)} images", *(f"{count} {name}" for name, count in sorted(counts.items()))])


def _check_any(frame: pd.DataFrame, folder: Path, source: str) -> None:
    """Stop when not one image has landmarks: guidance and attention scores would be empty without a word."""
    if frame["x0"].notna().any():
        return
    kept = folder / "no_landmarks.parquet"
    _table.write(frame, kept)
    first = next((text for text in frame["message"] if text), "no message")
    raise InputError(
        f"{source}: no landmarks at all in {len(frame)} images ({_counts(frame)}; first message: {first}); "
        f"the rows are kept in {kept}; look at the images (upright faces?), or choose another backend: "
        f"{', '.join(registry.names('landmarks'))}"
    )
