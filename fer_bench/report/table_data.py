"""The data behind the scores: images, subjects, copies, leaks and label conflicts of each split, and class by class."""

from collections.abc import Iterator, Mapping
from typing import Any

from fer_bench.report import labels
from fer_bench.report.results import Results
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import constant

COPIES = ("copies", "in another split", "with another label")
COLUMNS = (
    Column("Dataset"),
    Column("Split"),
    Column("Images"),
    Column("Subjects"),
    *(Column(name, "Identical files") for name in COPIES),
    *(Column(name, "Near-identical images") for name in COPIES),
    Column("in another split", "Same subject"),
    Column("smallest", "Images per class"),
    Column("largest", "Images per class"),
    Column("Without landmarks"),
)
COUNTED = ("identical", "identical_leaks", "conflicts", "near", "near_leaks", "near_conflicts", "subject_leaks")


def build(results: Results) -> Table | None:
    """One row per test dataset and split; None where nothing was looked at."""
    rows = [Row((*names, *_counts(facts)), names[0]) for names, facts in _splits(results)]
    if not rows:
        return None
    bits = sorted({found.near_distance for found in results.hygiene.values()})
    caption = (
        "Images of each split; how many of them have a copy anywhere in the dataset, in another split, or with another "
        "label; how many show a subject of another split. Near-identical: not the same file, and at most "
        f"{' or '.join(map(str, bits))} of 64 bits differ in each of two perceptual hashes, which finds most copies of "
        f"other size, compression or brightness and now and then two images that only look alike. Results "
        f"{results.fingerprint}."
    )
    return Table("data", "Datasets", caption, COLUMNS, tuple(rows), 2, tuple(_unnamed(results)))


def build_classes(results: Results) -> Table | None:
    """Images of every expression, and the share of them without landmarks."""
    names = list(dict.fromkeys(name for data in results.hygiene for name in results.expressions(data)))
    rows = [row for heads, facts in _splits(results) for row in _class_rows(heads, facts, names)]
    if not rows:
        return None
    caption = (
        "Images of every expression in each split, and the share of them (%) whose landmarks were not found: such "
        "faces have no map, and need not be missing at random. Table located has the scores with and without them. "
        f"Results {results.fingerprint}."
    )
    columns = (Column("Dataset"), Column("Split"), Column("Quantity"), *map(Column, names))
    return Table("data_classes", "Expressions of the datasets", caption, columns, tuple(rows), 3)


def _splits(results: Results) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    """Every dataset's and split's words and counts."""
    for name, found in results.hygiene.items():
        for split, facts in found.splits.items():
            yield (results.dataset_label(name), split), facts


def _counts(facts: Mapping[str, Any]) -> list[str]:
    known = facts["without_subject"] < facts["images"]
    classes = facts["classes"].values()
    found = [facts["images"], facts["subjects"] if known else labels.MISSING, *(facts[name] for name in COUNTED)]
    return [str(number) for number in (*found, min(classes), max(classes), sum(facts["no_landmarks"].values()))]


def _class_rows(heads: tuple[str, str], facts: Mapping[str, Any], names: list[str]) -> Iterator[Row]:
    images, lost = facts["classes"], facts["no_landmarks"]
    yield Row((*heads, "images", *(str(images.get(name, 0)) for name in names)), " ".join(heads))
    shares: list[Content] = [
        constant(100 * lost[name] / images[name], 1) if images.get(name) else labels.MISSING for name in names
    ]
    yield Row((*heads, "without landmarks (%)", *shares), " ".join(heads))


def _unnamed(results: Results) -> Iterator[str]:
    """Splits in which some subjects are known and some are not: leaks of the latter cannot be seen."""
    for (data, split), facts in _splits(results):
        if facts["without_subject"]:
            yield f"{data}, {split}: {facts['without_subject']} of {facts['images']} images name no subject."
