"""Decoded images of a split in files that are mapped into memory, for splits that do not fit into it.

One file holds the pixels of CHUNK neighbouring images at one size. Files are named by what their pixels depend on, made
under another name and renamed when whole: an interrupted run goes on where it stopped, and processes or machines that
build at the same time do no harm.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
from tqdm import tqdm

CHUNK = 2048  # images a file: 400 MB at 256 px
_HEADER = 128  # bytes before the pixels
_ABANDONED = 86_400.0  # seconds after which a file that is still unfinished is nobody's
Decode = Callable[[int, int], np.ndarray]  # row of the split, side -> (side, side, 3) uint8


class PackedImages:
    """The images of a split at one size, (N, side, side, 3) uint8, in a folder of its own below `folder`."""

    def __init__(self, folder: Path, identity: str, hashes: list[str], side: int) -> None:
        """Look at the files of a split.

        Args:
            folder: where packed images lie.
            identity: everything beside the files that their pixels depend on, as text.
            hashes: SHA-256 of the N image files, in the order of the split.
            side: pixels.
        """
        key = hashlib.sha256(json.dumps([identity, hashes, side, CHUNK]).encode()).hexdigest()
        self.folder, self.count, self.side = folder / key[:16], len(hashes), side
        self._open: dict[int, np.ndarray] = {}

    @property
    def paths(self) -> list[Path]:
        """Files of the split, in order."""
        return [self.folder / f"{number:05d}.npy" for number in range(-(-self.count // CHUNK))]

    @property
    def whole(self) -> bool:
        """Whether every file is there, at its full length."""
        return not self._missing()

    def build(self, decode: Decode, shard: int = 0, shards: int = 1, progress: bool = True) -> int:
        """Make the files that are missing, of every `shards` the one numbered `shard` from 0; return how many."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._clear()
        missing = [number for number in self._missing() if number % shards == shard]
        for number in tqdm(missing, desc=f"pack {self.side} px", unit="file", disable=not progress):
            self._write(number, decode)
        return len(missing)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return (B, side, side, 3) uint8."""
        found = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        for position, row in enumerate(rows.tolist()):
            number, within = divmod(row, CHUNK)
            if number not in self._open:
                self._open[number] = np.load(self.paths[number], mmap_mode="r")
            found[position] = self._open[number][within]
        return found

    def _missing(self) -> list[int]:
        """Numbers of the files that are not there, or were cut short, as a power cut does."""
        lengths = {path: _HEADER + self._rows(number) * self.side**2 * 3 for number, path in enumerate(self.paths)}
        return [
            number
            for number, (path, length) in enumerate(lengths.items())
            if not path.is_file() or path.stat().st_size != length
        ]

    def _rows(self, number: int) -> int:
        """How many images a file holds."""
        return min(CHUNK, self.count - number * CHUNK)

    def _clear(self) -> None:
        """Remove what killed runs left behind; younger files may be another machine's work."""
        for partial in self.folder.glob("*.partial"):
            if time.time() - partial.stat().st_mtime > _ABANDONED:
                partial.unlink(missing_ok=True)

    def _write(self, number: int, decode: Decode) -> None:
        rows = range(number * CHUNK, number * CHUNK + self._rows(number))
        path = self.paths[number]
        partial = path.with_suffix(f".{uuid4().hex}.partial")
        shape = (len(rows), self.side, self.side, 3)
        try:
            pixels = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)
            _reserve(partial)
            for position, row in enumerate(rows):
                pixels[position] = decode(row, self.side)
            pixels.flush()
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _reserve(path: Path) -> None:
    """Take the room on the disk now: a disk that is full later kills the process that writes to mapped memory."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
