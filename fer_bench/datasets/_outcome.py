"""From the rows of a release to an outcome that can be trusted: bad images told, val taken from train, all reported."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.datasets._containment import unsafe_names
from fer_bench.datasets._counts import warn_counts
from fer_bench.datasets._folder_report import across_splits, write_excluded, write_manifest
from fer_bench.datasets._index import check_index
from fer_bench.datasets._published_settings import PublishedSettings
from fer_bench.datasets._splits import validation_split
from fer_bench.datasets._text import shorten
from fer_bench.datasets.base import DatasetSettings
from fer_bench.errors import InputError

logger = logging.getLogger(__name__)


def exclude_bad(rows: pd.DataFrame, problems: pd.Series, settings: PublishedSettings, source: str) -> None:
    """Write the problem of each row ("": none) into its `reason`.

    Raises:
        InputError: there is one, and the settings do not allow to go on without; names up to twenty.
    """
    bad = (problems != "") & (rows["reason"] == "")
    rows.loc[bad, "reason"] = problems[bad]
    if not bad.any():
        return
    listed = [f"{row.image} ({row.reason})" for row in rows[bad].itertuples()]
    message = f"{source}: {bad.sum()} of {len(rows)} images cannot be used: {shorten(listed, 20)}"
    if settings.on_bad_image == "error":
        raise InputError(
            f"{message}; repair them, or set on_bad_image: exclude to go on without them (listed in excluded.csv)"
        )
    logger.warning("%s; excluded, see excluded.csv", message)


def take_validation(
    frame: pd.DataFrame, settings: DatasetSettings, source: str, groups: np.ndarray | None = None
) -> str:
    """Take val from train in place where the release has no val; returns where val comes from.

    Args:
        frame: id, label, split, subject.
        settings: val_fraction or val_per_class, and split_seed.
        source: where the settings stand.
        groups: (N,) near-duplicates or faces of one photograph; equal numbers stay in one split.
    """
    if (frame["split"] == "val").any():
        return "given"
    part, number = settings.val_fraction, settings.val_per_class
    try:
        frame["split"] = validation_split(frame, part, settings.split_seed, number, groups)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    return "taken from train" if (frame["split"] == "val").any() else "none"


def tell_shared(frame: pd.DataFrame, groups: np.ndarray, source: str, what: str = "near-duplicates") -> list[list[str]]:
    """Return, and tell in a warning, the groups (N,) of equal or nearly equal images that lie in several splits."""
    shared = across_splits(frame, groups)
    if shared:
        listed = shorten([" = ".join(ids) for ids in shared])
        logger.warning("%s: %d %s in different splits: %s", source, len(shared), what, listed)
    return shared


def compare_counts(
    frame: pd.DataFrame, published: Mapping[str, Mapping[str, int]], expressions: Sequence[str], source: str
) -> None:
    """Warn where the images of each expression differ from the published ones, per split, or over all under `all`."""
    wanted = {
        split: {word: counts[word] for word in expressions if word in counts} for split, counts in published.items()
    }
    if wanted:
        warn_counts(frame.assign(split="all") if "all" in wanted else frame, wanted, source)


def report(
    out: Path, frame: pd.DataFrame, rows: pd.DataFrame, settings: DatasetSettings, source: str, **facts: Any
) -> None:
    """Write excluded.csv and manifest.json, and say how many rows were left out, and why."""
    left_out = Counter(reason for reason in rows["reason"] if reason)
    out.mkdir(parents=True, exist_ok=True)
    write_excluded(rows, out / "excluded.csv")
    write_manifest(out / "manifest.json", settings, frame, left_out=dict(sorted(left_out.items())), **facts)
    if left_out:
        listed = shorten([f"{count:,} times: {reason}" for reason, count in left_out.most_common()], 6)
        logger.warning("%s: left out, see excluded.csv: %s", source, listed)


def check_listed(rows: pd.DataFrame, expressions: Sequence[str], source: str) -> None:
    """Refuse, before any image is opened, what no index may hold, images outside the root, and images listed twice.

    A photograph may be listed once per face where each face has its box (columns left, top, right, bottom).
    """
    usable = rows[rows["reason"] == ""]
    outside = unsafe_names(usable["image"])
    if outside:
        raise InputError(f"{source}: images outside the root: {shorten(outside)}")
    place = ["image", *(name for name in ("left", "top", "right", "bottom") if name in rows)]
    repeated = usable["image"][usable.duplicated(place)]
    if len(repeated):
        raise InputError(f"{source}: images listed more than once: {shorten(sorted(set(repeated)))}")
    check_index(usable, expressions, source)
