"""How the landmarks of each test dataset were found, and how far they are from the truth where it is known."""

from fer_bench.report import labels
from fer_bench.report.collect import OK
from fer_bench.report.results import Results, select
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import constant

STATUSES = {
    "ok": "detector",
    "several_faces": "detector, several faces",
    "fallback": "whole image as box",
    "no_face": "no face",
    "error": "error",
}


def build(results: Results) -> Table | None:
    """One row per test dataset: images, share of each status, mean error; None when no scores tell."""
    rows = [row for name in results.plan["test_datasets"] if (row := _row(results, name)) is not None]
    if not rows:
        return None
    caption = (
        "Landmarks of all images of a dataset: share found by a face detector, from the whole image as box, or not at "
        "all (such images have no map; they are trained on and classified all the same), and the mean distance from "
        "the true points in percent of the outer eye distance, where the truth is known. "
        f"Results {results.fingerprint}."
    )
    columns = (
        Column("Dataset"),
        Column("Images"),
        *(Column(label, "Found by (%)") for label in STATUSES.values()),
        Column("Mean error (%)"),
    )
    return Table("landmarks", "Landmarks", caption, columns, tuple(rows), 1)


def _row(results: Results, name: str) -> Row | None:
    """Every cell repeats the facts of its test dataset: the first one is read."""
    rows = select(results.frame, test_dataset=name, status=OK)
    rows = rows[rows["metric"].str.startswith("landmark")].drop_duplicates("metric")
    values = dict(zip(rows["metric"], rows["value"].astype(float), strict=True))
    counts = dict(zip(rows["metric"], rows["n"].astype(int), strict=True))
    if not any(f"landmarks_{status}" in values for status in STATUSES):
        return None
    images = sum(counts.get(f"landmarks_{status}", 0) for status in STATUSES)
    cells: list[Content] = [constant(values.get(f"landmarks_{status}", 0.0), 1) for status in STATUSES]
    error = values.get("landmark_distance")
    known: Content = labels.MISSING if error is None else constant(error, 2)
    return Row((results.dataset_label(name), str(images), *cells, known), name)
