"""What stands above and below every table: what was measured, on what, how often, and what is missing."""

from collections.abc import Iterable
from dataclasses import replace

from fer_bench.report import flags, labels
from fer_bench.report.ablations import left_out
from fer_bench.report.collect import MISSING, SKIPPED
from fer_bench.report.published import CITATION
from fer_bench.report.results import Pair, Results, select
from fer_bench.report.table import Table
from fer_bench.report.value import BOLD_FROM, DEVIATION_FROM, OPTIMISED_MARK

GENERATED = "Faces generated from the same codebook as the maps: this says nothing about real faces."
PUBLISHED = f"Published: {CITATION}; single runs, decimals cut off; table comparison judges them."
PUBLISHED_LAYER = "Published ATT-COS: the last layer; a range where the paper trained each explainer on its own."


def add(table: Table, *notes: str) -> Table:
    """The table with further notes."""
    return replace(table, notes=(*table.notes, *notes))


def caption(results: Results, what: str, pairs: Iterable[Pair]) -> str:
    """Say what a table shows, then dataset, protocol, selection rule, images, seeds and result fingerprint."""
    used = list(pairs)
    data = "; ".join(_data(results, pair) for pair in used)
    parts = [what, f"{data}.", f"Protocol `{results.plan['protocol']}`, checkpoint: {selection(results)}."]
    parts.append(_seeds(results, used))
    if any(generated(results, pair) for pair in used):
        parts.append(GENERATED)
    parts.append(f"Results {results.fingerprint}.")
    return " ".join(parts).replace("`", "")


def elsewhere(results: Results) -> list[str]:
    """Say where the rest of the grid is: guidances that differ in one setting alone, and trials of a model."""
    tables = list(left_out(results.ablations, results.all_guidances).values())
    told = [f"{tables.count(name)} further guidances stand in table {name}." for name in dict.fromkeys(tables)]
    return told + [f"{len(results.trials)} further recipes stand in table trials."] * bool(results.trials)


def notes(
    results: Results, pairs: Iterable[Pair], optimised: bool = False, contested: bool = False, marked: bool = False
) -> tuple[str, ...]:
    """List marks, rarely seen classes, flagged, missing and skipped cells."""
    used = list(pairs)
    lines = [_optimised()] if optimised else []
    lines += [_bold(results, marked)] if contested else []
    lines += [line for pair in used for line in _rare(results, pair)]
    lines += flags.note(results, used)
    return (*lines, *_absent(results, MISSING, used), *_absent(results, SKIPPED, used))


def rare_classes(results: Results, pair: Pair) -> dict[str, int]:
    """Expressions with too few test images for a macro score -> number of images."""
    least = int(results.plan.get("evaluate", {}).get("minimum_class_images", 20))
    counts = class_counts(results, pair)
    return {name: count for name, count in counts.items() if count < least}


def class_counts(results: Results, pair: Pair) -> dict[str, int]:
    """Test images per expression: as the recall rows count them, else, where recall was not asked for, the index."""
    rows = results.of_pair(pair)
    recall = rows[rows["metric"].str.startswith("recall_") & rows["n"].notna()]
    if recall.empty and pair.test_dataset in results.hygiene:
        test = results.hygiene[pair.test_dataset].splits.get("test", {})
        return {name: int(count) for name, count in test.get("classes", {}).items()}
    return {metric.removeprefix("recall_"): int(n) for metric, n in zip(recall["metric"], recall["n"], strict=True)}


def _data(results: Results, pair: Pair) -> str:
    rows = results.of_pair(pair)
    images = _range(select(rows, metric="accuracy")["n"])
    scored = select(rows, metric=("att_cos", "cam_cos"), target=results.target, subset="all", pairing="true_true")
    each = select(scored, average="micro")  # a macro average may leave rarely seen classes out
    mapped = _range((each if len(each) else scored)["n"])
    return f"{results.pair_label(pair)}: {images or 'no'} test images" + (
        f", {mapped} of them with a map" if mapped else ""
    )


def _range(counts: Iterable[int]) -> str:
    found = sorted({int(count) for count in counts})
    return "" if not found else f"{found[0]}" if len(found) == 1 else f"{found[0]} to {found[-1]}"


def selection(results: Results) -> str:
    """The rules that chose the checkpoints of the grid's cells."""
    rules = dict.fromkeys(str(d.facts["selection"]) for d in results.documents if d.facts.get("selection"))
    return "; ".join(labels.spaced(rule) for rule in rules) or "unknown"


def _seeds(results: Results, pairs: list[Pair]) -> str:
    """Seeds that are really there; a value with fewer than the grid asks for prints its own number."""
    count = max((_seeds_found(results, pair) for pair in pairs), default=0)
    planned = f" (planned: {len(results.seeds)})" if count < len(results.seeds) else ""
    if count >= DEVIATION_FROM:
        return f"Mean ± sample deviation (n - 1) over n = {count} seeds{planned}; differences are paired by seed."
    seeds = "one seed" if count == 1 else f"mean over n = {count} seeds"
    return f"A demonstration: {seeds}{planned}, fewer than {DEVIATION_FROM}, so no ± is given."


def _seeds_found(results: Results, pair: Pair) -> int:
    seeds = results.of_pair(pair).groupby(["model", "guidance"])["seed"].nunique()
    return int(seeds.max()) if len(seeds) else 0


def generated(results: Results, pair: Pair) -> bool:
    """Whether the faces were generated; where the plan does not say, faces whose action units are known were."""
    facts = results.plan["datasets"][pair.test_dataset]
    return bool(facts.get("generated", len(select(results.of_pair(pair), target="present")) > 0))


def _optimised() -> str:
    return f"{OPTIMISED_MARK} optimised quantity: scored against the very map that was trained on; never in bold."


def _bold(results: Results, marked: bool) -> str:
    if len(results.seeds) < BOLD_FROM:
        return f"Nothing is set in bold: best values are marked from {BOLD_FROM} seeds on."
    rule = (
        f"best of comparable means over images, of at least {BOLD_FROM} seeds each, whose lead over every other one "
        "holds over trainings (paired t test), over faces (permutation test) and over both (interval), Holm over the "
        "contests of the table."
    )
    return f"Bold: {rule}" if marked else f"Nothing is set in bold. It would be: {rule}"


def _rare(results: Results, pair: Pair) -> list[str]:
    rare = rare_classes(results, pair)
    if not rare:
        return []
    least = int(results.plan.get("evaluate", {}).get("minimum_class_images", 20))
    names = ", ".join(f"{name} ({count})" for name, count in rare.items())
    words = f"{results.pair_label(pair)}: fewer than {least} test images, left out of macro scores: {names}."
    if len(rare) < len(class_counts(results, pair)):
        return [words]
    limit = "macro scores of fewer images need another minimum_class_images (section evaluate of params.yaml)"
    return [f"{words} No expression is left: {limit}."]


def _absent(results: Results, status: str, pairs: list[Pair]) -> list[str]:
    absent = [
        document
        for pair in pairs
        for document in results.documents
        if document.status == status and Pair(document.entry["dataset"], document.test_dataset) == pair
    ]
    if not absent:
        return []
    names = "; ".join(f"{d.entry['cell']} on {d.test_dataset} ({d.reason})" for d in absent)
    total = sum(Pair(d.entry["dataset"], d.test_dataset) in pairs for d in results.documents)
    return [f"{status.capitalize()} ({labels.MISSING}, or a smaller n): {len(absent)} of {total} cells: {names}."]
