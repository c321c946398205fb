"""All tables of a grid, in the order in which they are printed."""

from pathlib import Path

from fer_bench.report import (
    latex,
    table_ablation,
    table_attention,
    table_beyond,
    table_comparison,
    table_controls,
    table_coverage,
    table_data,
    table_faithfulness,
    table_flags,
    table_groups,
    table_landmarks,
    table_located,
    table_main,
    table_maps,
    table_pairing,
    table_scores,
    table_shortcut,
    table_significance,
    table_stability,
    table_truth,
    table_tuned,
    text,
)
from fer_bench.report.collect import OK
from fer_bench.report.results import Results
from fer_bench.report.table import Column, Row, Table
from fer_bench.report.value import Value


def build(results: Results) -> list[Table]:
    """Build the main tables, then those of other measures that were computed, then the absent cells if any."""
    main = [table_main.build(results), table_attention.build(results), *table_ablation.build(results)]
    main += table_tuned.build(results)
    others = [
        table_controls.build(results),
        table_comparison.build(results),
        table_significance.build(results),
        table_scores.build_scores(results),
        table_scores.build_recall(results),
        table_main.build_explainers(results),
        table_maps.build_pearson(results),
        table_beyond.build(results),
        table_coverage.build(results),
        table_stability.build(results),
        *table_groups.build(results),
        table_maps.build_cross_map(results),
        table_pairing.build(results),
        table_shortcut.build(results),
        table_truth.build_pairs(results),
        table_truth.build_occlusion(results),
        table_faithfulness.build_curves(results),
        table_faithfulness.build_randomised(results),
    ]
    filled = [table for table in others if table is not None and (table.name == "scores" or _has_values(table))]
    data = [table_data.build(results), table_data.build_classes(results), table_located.build(results)]
    last = [table_flags.build(results), table_landmarks.build(results), *data, _absent(results)]
    return [*main, *filled, *(table for table in last if table is not None)]


def _has_values(table: Table) -> bool:
    """Whether a table holds a number at all."""
    return any(isinstance(item, Value) and item.by_seed for row in table.rows for item in row.contents)


def write(tables: list[Table], folder: Path) -> None:
    """Write each table as .tex, .md and .csv."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        for ending, content in (("tex", latex.render(table)), ("md", text.markdown(table)), ("csv", text.csv(table))):
            (folder / f"{table.name}.{ending}").write_text(content, encoding="utf-8")


def _absent(results: Results) -> Table | None:
    """Missing and skipped cells with their reasons."""
    absent = [document for document in results.documents if document.status != OK]
    rows = [
        Row((document.entry["cell"], document.test_dataset, document.status, document.reason)) for document in absent
    ]
    if not rows:
        return None
    caption = f"Cells without scores: {len(rows)} of {len(results.documents)}. Results {results.fingerprint}."
    columns = tuple(Column(word) for word in ("Cell", "Test dataset", "Status", "Reason"))
    return Table("absent", "Cells without scores", caption, columns, tuple(rows), 4)
