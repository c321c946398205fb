"""Cosines placed between a floor and their ceiling: what is left of them once what costs nothing is taken away."""

from collections.abc import Iterable

from fer_bench.metrics import references
from fer_bench.score_rows import Row, row

CHANCE = {"att_cos": "chance_constant", "cam_cos": "chance_random"}
# Suffix of the normalised score -> suffix of its floor; the chance level is named by CHANCE.
FLOORS = {"normalised": "", "normalised_blind": "reference_blind_mean"}


def normalised_rows(rows: Iterable[Row]) -> list[Row]:
    """Make `att_cos_normalised`, `cam_cos_normalised` (floor: chance) and `..._blind` (floor: mean map of all classes).

    (score - floor) / (ceiling - floor) of macro averages over all images with the true class's map: 0 at the floor, 1
    at the ceiling, negative below the floor. A ratio of averages, not an average of ratios: some single ceilings lie
    next to their floor.
    """
    given = [one for one in rows if one["average"] == "macro" and one["subset"] == "all"]
    known = {(r["metric"], r["layer"], r["explainer"], r["target"]): r["value"] for r in given}
    found = []
    for one in given:
        if one["metric"] in CHANCE and one["pairing"] == "true_true":
            found += [_row(one, known, suffix, floor) for suffix, floor in FLOORS.items()]
    return [one for one in found if one is not None]


def _row(one: Row, known: dict[tuple[str, str, str, str], float | None], suffix: str, floor: str) -> Row | None:
    metric, place, target = one["metric"], (one["layer"], one["explainer"]), one["target"]
    name = f"{metric}_{floor or CHANCE[metric]}"
    low = known.get((name, *place, target), known.get((name, "", "", target)))
    high = known.get((f"{metric}_ceiling", *place, target))
    if one["value"] is None or low is None or high is None or high <= low:
        return None
    value = references.normalised(one["value"], low, high)
    kept = {key: one[key] for key in ("layer", "explainer", "target", "pairing", "subset", "average", "optimised")}
    return row(f"{metric}_{suffix}", value, one["n"], **kept)
