"""One part of the landmarks of a dataset, found on its own and kept where the stage `landmarks` looks first."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from fer_bench.errors import InputError
from fer_bench.landmarks._journal import Journal, Writer
from fer_bench.landmarks._pool import ReadImage, Task, detect_files
from fer_bench.landmarks._run import _key, make


def detect_part(
    index: pd.DataFrame,
    image_root: Path,
    backend: str,
    settings: Mapping[str, Any],
    cache: Path,
    read_image: ReadImage,
    source: str,
    part: int,
    parts: int,
) -> int:
    """Find the landmarks of every `parts`-th image in this process and add them to the journal of the dataset.

    Parts may run at the same time, on machines that share `cache` or not: each writes a file of its own. What is in the
    journal already is not done again, and an image that cannot be read is left to the stage itself.

    Args:
        index, image_root, backend, settings, cache, read_image, source: as of `landmarks.run`, which reads the journal.
        part: 1..parts.
        parts: into how many parts the images are split.

    Returns:
        Number of images that were done now.

    Raises:
        InputError: there is no such part, or what `landmarks.run` says of backends and settings.
    """
    if not 1 <= part <= parts:
        raise InputError(f"landmarks, part {part} of {parts}: expected a number from 1 to {parts}")
    engine = make(backend, settings, source)
    folder = cache / f"{backend}-{_key(backend, engine)}"
    done = Journal(folder).read()
    paths = {str(row.sha256): image_root / str(row.path) for row in index.itertuples()}
    tasks: list[Task] = [(sha256, paths[sha256]) for sha256 in sorted(paths)[part - 1 :: parts] if sha256 not in done]
    if not tasks:
        return 0
    kept = 0
    with _open(folder, tasks) as writer:
        for entry in detect_files(engine, read_image, tasks, workers=1):
            if entry.detection.status != "error":
                writer.append(entry)
                kept += 1
    return kept


@contextmanager
def _open(folder: Path, tasks: Sequence[Task]) -> Iterator[Writer]:
    """Open a new file of the journal that bears the name of its images, so that no other part writes one of that name.

    It is removed again when nothing was added.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256("".join(sha256 for sha256, _ in tasks).encode()).hexdigest()[:16]
    path, file = _new(folder, f"shard-{digest}")
    try:
        yield Writer(file)
    finally:
        file.close()
        if path.stat().st_size == 0:
            path.unlink()


def _new(folder: Path, stem: str) -> tuple[Path, TextIO]:
    """Open a file that is not there yet: a first attempt, cut off from the driver, may still write to its own."""
    attempt = 0
    while True:
        path = folder / f"{stem}-{attempt}.jsonl"
        try:
            return path, path.open("x", encoding="utf-8")
        except FileExistsError:
            attempt += 1
