"""The model card of a grid: which networks, what they are for, how well they do, and for whom less well."""

from collections.abc import Iterator, Sequence

import pandas as pd
from tabulate import tabulate

from fer_bench.report import captions, flags, labels
from fer_bench.report.card_text import LIMITS, USE, bullets, heading, section
from fer_bench.report.results import Pair, Results, select
from fer_bench.report.table import Table
from fer_bench.report.value import Value

_HEAD = ("Test images", "Network", "Guidance", "CL (%)", "chance", "worst recall (%)", "of", "calibration error (%)")
GAPS, GAP, EQUAL, WORST = "group_gaps", "CL (%), gap", "CL (%), equal groups", "CL (%), worst"


def render(results: Results, tables: Sequence[Table]) -> str:
    """Write the card as Markdown; `tables` are those of the grid, from which the gaps between groups are taken."""
    parts = [
        *heading(results, "Model card"),
        *section("Intended use", bullets(USE)),
        *section("Networks", bullets(list(_networks(results)))),
        *section("How well they do", _scores(results), bullets(list(_about_scores(results)))),
        *section("For whom less well", bullets(list(_groups(tables)))),
        *section("What was flagged", bullets(list(_flagged(results)))),
        *section("Limits", bullets(LIMITS)),
    ]
    return "\n\n".join(parts) + "\n"


def _networks(results: Results) -> Iterator[str]:
    for model in results.unique("model"):
        cells = [entry for entry in results.plan["cells"] if entry["model"] == model]
        side, trained = cells[0]["input_size"], sum(document.entry in cells for document in flags.scored(results))
        yield (
            f"{results.model_label(model)} (`{model}`): backbone {results.backbone(model)}, method "
            f"{results.method(model)}, images of {side} x {side} pixels; {trained} evaluations with scores, of "
            f"{len(cells) * len(results.plan['test_datasets'])} planned"
        )


def _scores(results: Results) -> str:
    rows = [row for pair in results.pairs for row in _pair(results, pair)]
    return str(tabulate(rows, _HEAD, tablefmt="pipe", disable_numparse=True))


def _pair(results: Results, pair: Pair) -> Iterator[tuple[str, ...]]:
    chance = 100 / len(results.expressions(pair.test_dataset))
    for model in results.unique("model"):
        for guidance in results.all_guidances:
            rows = select(results.of_model(pair, model), guidance=guidance)
            if rows.empty:
                continue
            heads = (results.pair_label(pair), results.model_label(model), results.guidance_label(guidance))
            accuracy, error = (_one(results, rows, name) for name in ("accuracy", "expected_calibration_error"))
            worst, name = _worst_recall(results, rows)
            yield (*heads, accuracy, f"{chance:.1f}", worst, name, error)


def _one(results: Results, rows: pd.DataFrame, metric: str) -> str:
    found = select(rows, metric=metric, subset=("all", ""))
    return results.value(found, 1).text()


def _worst_recall(results: Results, rows: pd.DataFrame) -> tuple[str, str]:
    """The smallest mean recall over the expressions, and whose it is."""
    recalls = rows[rows["metric"].astype(str).str.startswith("recall_")]
    found: dict[str, Value] = {}
    for metric in sorted(set(recalls["metric"].astype(str))):
        value = results.value(select(recalls, metric=metric), 1)
        if value.by_seed:
            found[metric.removeprefix("recall_")] = value
    if not found:
        return labels.MISSING, ""
    name = min(found, key=lambda one: found[one].mean)
    return found[name].text(), name


def _about_scores(results: Results) -> Iterator[str]:
    yield "CL: share of test images recognised. Chance: guessing, each expression equally often."
    if any(results.plan["datasets"][pair.test_dataset].get("generated") for pair in results.pairs):
        yield captions.GENERATED
    seeds = len(results.seeds)
    yield f"Seeds planned per training: {seeds}; ± is the sample deviation over them, from three on."


def _groups(tables: Sequence[Table]) -> Iterator[str]:
    """The largest gap in accuracy of every attribute."""
    table = next((one for one in tables if one.name == GAPS), None)
    titles = [] if table is None else [column.title for column in table.columns]
    if table is None or GAP not in titles:
        yield "Not known: no attribute of the test faces (skin tone, sex, age, pose) was given."
        return
    place = {title: titles.index(title) for title in ("Attribute", GAP, EQUAL, WORST)}
    largest: dict[str, tuple[float, str]] = {}
    for row in table.rows:
        gap, attribute = row.contents[place[GAP]], str(row.contents[place["Attribute"]])
        if not isinstance(gap, Value) or gap.signed or not gap.by_seed:
            continue
        equal, worst = row.contents[place[EQUAL]], row.contents[place[WORST]]
        told = equal.text() if isinstance(equal, Value) else str(equal)
        text = f"{attribute}: {gap.text()} points between the best and the worst group ({worst}); equal groups: {told}"
        largest[attribute] = max(largest.get(attribute, (float("-inf"), "")), (gap.mean, text))
    yield from (text for _, text in largest.values())
    yield f"The largest over all trainings; table {GAPS} has every one, and what equal groups mean."


def _flagged(results: Results) -> Iterator[str]:
    checked, scored = flags.checked(results), flags.scored(results)
    yield f"{len(checked)} of {len(scored)} evaluations were checked for numbers that cannot be trusted."
    yield from flags.note(results, results.pairs) or (["None of them was flagged."] if checked else [])
