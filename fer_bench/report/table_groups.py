"""Two tables of groups of faces: the gap between the best and the worst group, and the scores of every group."""

from collections.abc import Iterator
from dataclasses import replace

from fer_bench.report import captions, group_scores, methods
from fer_bench.report._builder import assemble
from fer_bench.report._layout import TRAINING, comparisons, minus
from fer_bench.report.group_scores import MEASURES, Found, Grouping, measure
from fer_bench.report.results import BASELINE, Pair, Results
from fer_bench.report.table import Column, Content, Row, Table

FEW = "‡"
TOO_FEW, UNDEFINED = "too few images", "undefined"
TEXTS = ("Dataset", "Network", "Method", "Attribute")
Cells = tuple[Pair, tuple[str, str, str], Grouping, dict[str, Found]]


def build(results: Results) -> list[Table]:
    """Tables `group_gaps` and `groups`; nothing where no attribute of the test faces is known."""
    cells = list(_cells(results))
    return [_gaps(results, cells), _groups(results, cells)] if cells else []


def _cells(results: Results) -> Iterator[Cells]:
    """Every attribute of every network, with the scores of each training."""
    for pair in results.pairs:
        for network in methods.networks(results):
            for model in network.models:
                head = (results.pair_label(pair), network.label, methods.training_word(results, model))
                for grouping in group_scores.groupings(results, pair):
                    found = {arm: measure(results, pair, model, arm, grouping) for arm in results.guidances}
                    yield pair, head, grouping, found


def _shown(cells: list[Cells]) -> list[str]:
    """Measures that any training has."""
    return [name for name in MEASURES if any(f.gap[name].by_seed for *_, found in cells for f in found.values())]


def _gaps(results: Results, cells: list[Cells]) -> Table:
    least = group_scores.least_images(results)
    what = (
        "Gap: largest minus smallest score of the groups of an attribute, over all images of a group (not averaged "
        f"over expressions), among groups of at least {least} images with that score. Equal groups: the gap to expect "
        "if the attribute meant nothing, mean over deals of the groups among subjects, or among the images of each "
        "expression where subjects are unknown or in several groups. Worst: the group with the worst mean over seeds."
    )
    names = _shown(cells)
    columns = [*map(Column, (*TEXTS, TRAINING))]
    for name in names:
        columns += [Column(word, MEASURES[name][0]) for word in ("gap", "equal groups", "worst")]
    rows = [row for cell in cells for row in _gap_rows(results, cell, names)]
    table = assemble(results, "group_gaps", "Worst-group gaps", what, columns, rows, len(TEXTS) + 1, ("Method",))
    return captions.add(table, *_unknown(cells))


def _gap_rows(results: Results, cell: Cells, names: list[str]) -> Iterator[Row]:
    _, head, grouping, found = cell
    words = (*head, grouping.attribute)
    for arm, scores in found.items():
        contents = [item for name in names for item in _gap(scores, grouping, name)]
        yield Row((*words, results.guidance_label(arm), *contents), " ".join(words))
    for title, arm in comparisons(results):
        gaps = [minus(found[arm].gap[name], found[BASELINE].gap[name]) for name in names]
        yield Row((*words, title, *(item for gap in gaps for item in (gap, "", ""))), " ".join(words))


def _gap(scores: Found, grouping: Grouping, name: str) -> tuple[Content, Content, Content]:
    if not scores.gap[name].by_seed:
        return TOO_FEW if any(value.by_seed for value in scores.of_groups[name]) else "", "", ""
    return scores.gap[name], replace(scores.chance[name], reference=True), scores.worst(name, grouping.names)


def _groups(results: Results, cells: list[Cells]) -> Table:
    least = group_scores.least_images(results)
    what = (
        f"Scores of groups of test faces, over all images of a group; {FEW}: fewer than {least} images with that "
        "score, left out of the gaps."
    )
    names = _shown(cells)
    columns = [*map(Column, (*TEXTS, "Group", TRAINING)), Column("images"), *(Column(MEASURES[n][0]) for n in names)]
    rows = [row for cell in cells for row in _group_rows(results, cell, names)]
    table = assemble(results, "groups", "Groups of faces", what, columns, rows, len(TEXTS) + 2, ("Method",))
    return captions.add(table, *_unknown(cells))


def _group_rows(results: Results, cell: Cells, names: list[str]) -> Iterator[Row]:
    _, head, grouping, found = cell
    for place, (group, count) in enumerate(zip(grouping.names, grouping.counts, strict=True)):
        words = (*head, grouping.attribute, group)
        for arm, scores in found.items():
            contents = [_scored(scores, name, place) for name in names]
            yield Row((*words, results.guidance_label(arm), str(count), *contents), " ".join(words[:-1]))


def _scored(scores: Found, name: str, place: int) -> Content:
    value = scores.of_groups[name][place]
    if not value.by_seed:
        return UNDEFINED
    return value if scores.counted[name][place] else f"{value.text()}{FEW}"


def _unknown(cells: list[Cells]) -> list[str]:
    """Say for how many images an attribute is not known."""
    counts = {
        f"{head[0]}, {grouping.attribute}: {grouping.unknown}" for _, head, grouping, _ in cells if grouping.unknown
    }
    return [f"Images of unknown group, left out: {'; '.join(sorted(counts))}."] if counts else []
