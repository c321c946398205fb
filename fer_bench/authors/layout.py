"""Where the released folders lie, and what the path of one says about it."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fer_bench.authors.catalog import DATASETS, KEYS, releases
from fer_bench.errors import InputError, unknown

VARIABLE = "FER_BENCH_ROOT_AUTHORS"
DEFAULT = Path("data/authors")
WEIGHTS_FILE, CONFIG_FILE = "model.pt", "config_model.yaml"
TASK, ALIGNED = "STD_CL", "align_atten_to_heatmap_"
SHAPE = f"DATASET/ENCODER/{TASK}/METHOD/{ALIGNED}True|False/TAG"
DEEPEST = 4  # levels of folders that may stand above those of the datasets


@dataclass(frozen=True)
class Folder:
    """One released network: its path below the folder of the datasets, and what the parts of the path say."""

    path: str
    dataset: str
    encoder: str
    key: str
    guided: bool


def root(repository: Path = Path()) -> Path:
    """Return the folder that holds the datasets: below FER_BENCH_ROOT_AUTHORS, else below data/authors.

    Raises:
        InputError: there is no such folder; says where it was looked for.
    """
    given = os.environ.get(VARIABLE)
    return holder(Path(given).expanduser() if given else repository / DEFAULT, f"{VARIABLE}, else {DEFAULT}")


def holder(folder: Path, source: str) -> Path:
    """Find the folder of the datasets in a folder or at most four levels below it.

    Only folders with networks count: the released folds have folders of the same names.
    """
    for depth in range(DEEPEST + 1):
        found = {path.parents[2] for name in DATASETS for path in folder.glob("*/" * depth + f"{name}/*/{TASK}")}
        if len(found) > 1:
            raise InputError(f"{source}: several copies of the release: {', '.join(map(str, sorted(found)))}; name one")
        if found:
            return found.pop()
    raise InputError(
        f"{source}: no released networks in {folder}; expected folders {SHAPE} in it or up to {DEEPEST} levels below, "
        f"DATASET {' or '.join(DATASETS)}; docs/authors_weights.md says how to get them"
    )


def paths(holder_folder: Path) -> list[str]:
    """List every folder below the folder of the datasets that holds weights or a configuration, sorted."""
    found = {path.parent for name in (WEIGHTS_FILE, CONFIG_FILE) for path in holder_folder.rglob(name)}
    return sorted(path.relative_to(holder_folder).as_posix() for path in found)


def parse(path: str) -> Folder:
    """Read the parts of a path; InputError says which part is not that of a released network."""
    parts = PurePosixPath(path).parts
    if len(parts) != SHAPE.count("/") + 1 or parts[2] != TASK or not parts[4].startswith(ALIGNED):
        raise InputError(f"{path}: not of the form {SHAPE}")
    dataset, encoder, _, key, aligned, tag = parts
    _check("dataset", dataset, DATASETS, path)
    _check("method", key, KEYS, path)
    release = releases(key)[0]
    _check(f"encoder of {key}", encoder, [release.encoder], path)
    _check("ending of align_atten_to_heatmap", aligned.removeprefix(ALIGNED), ["True", "False"], path)
    _check("tag", tag, [f"{dataset}-{encoder}-{key}-{release.pooling}-cp_best-boxv2_False"], path)
    return Folder(path, dataset, encoder, key, aligned.endswith("True"))


def expected() -> list[Folder]:
    """The 44 networks of the release, by dataset, method and guidance."""
    return [
        parse(
            f"{dataset}/{release.encoder}/{TASK}/{key}/{ALIGNED}{guided}/"
            f"{dataset}-{release.encoder}-{key}-{release.pooling}-cp_best-boxv2_False"
        )
        for dataset in DATASETS
        for key in KEYS
        for release in releases(key)[:1]
        for guided in (False, True)
    ]


def _check(what: str, given: str, choices: Collection[str], source: str) -> None:
    if given not in choices:
        raise unknown(what, given, source, choices)
