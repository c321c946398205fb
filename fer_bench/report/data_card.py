"""The data card of a grid: where images come from, whose they are, how labels and splits lie, which faces are lost."""

from collections.abc import Iterator, Mapping
from typing import Any

from tabulate import tabulate

from fer_bench.report.card_text import bullets, heading, section
from fer_bench.report.hygiene import Hygiene
from fer_bench.report.results import Results

_HEAD = ("Split", "Images", "Subjects", "Smallest class", "Largest class", "Copies in another split", "Label conflicts")
_GENERAL = (
    "Photographs of faces are personal data. Unless their dataset says that they may be shown, copies, crops and "
    "figures of them stay in ignored folders, and results and tables hold averages and counts alone.",
    "Labels of photographs are what annotators chose out of a few words; table `data` tells how often copies of one "
    "image have several labels.",
    "Action unit maps come from a codebook of which muscles an expression should move, not from what was seen in a "
    "face; the map `AUs present`, where there is one, does.",
)


def render(results: Results) -> str:
    """Write the card as Markdown."""
    parts = heading(results, "Data card")
    for name in results.plan["test_datasets"]:
        parts += section(results.dataset_label(name), bullets(list(_facts(results, name))), *_counts(results, name))
    return "\n\n".join([*parts, *section("What holds for all of them", bullets(_GENERAL))]) + "\n"


def _facts(results: Results, name: str) -> Iterator[str]:
    facts = results.plan["datasets"][name]
    used = [role for role, names in _roles(results).items() if name in names]
    yield f"Entry `{name}`, read by `{results.plugin(name)}`; used for {' and '.join(used)}."
    drawn = "drawn by a program from the codebook that the maps are drawn from"
    made = drawn if facts.get("generated") else "photographs"
    yield f"Images: {made}; {'may' if facts.get('publishable_images') else 'may not'} be shown in public."
    yield f"Licence: {facts.get('licence') or 'not given'}. Cite: {facts.get('citation') or 'not given'}."
    yield f"Expressions: {', '.join(results.expressions(name))}."


def _roles(results: Results) -> dict[str, list[str]]:
    return {"training": results.unique("dataset"), "testing": list(results.plan["test_datasets"])}


def _counts(results: Results, name: str) -> list[str]:
    found = results.hygiene.get(name)
    if found is None:
        return ["Splits, copies and faces without landmarks: not counted yet."]
    rows = [(split, *_split(facts)) for split, facts in found.splits.items()]
    return [str(tabulate(rows, _HEAD, tablefmt="pipe", disable_numparse=True)), bullets([_lost(found)])]


def _split(facts: Mapping[str, Any]) -> tuple[str, ...]:
    classes = facts["classes"]
    known = str(facts["subjects"]) if facts["without_subject"] < facts["images"] else "not known"
    least, most = (pick(classes, key=classes.__getitem__) for pick in (min, max))
    extremes = (f"{least} ({classes[least]})", f"{most} ({classes[most]})")
    return (str(facts["images"]), known, *extremes, str(facts["identical_leaks"]), str(facts["conflicts"]))


def _lost(found: Hygiene) -> str:
    """Faces without landmarks by expression: who has no map, and is missing from every score of maps."""
    images: dict[str, int] = {}
    lost: dict[str, int] = {}
    for facts in found.splits.values():
        for name, count in facts["classes"].items():
            images[name] = images.get(name, 0) + count
            lost[name] = lost.get(name, 0) + facts["no_landmarks"].get(name, 0)
    total, missing = sum(images.values()), sum(lost.values())
    shares = {name: 100 * lost[name] / count for name, count in images.items() if count}
    if not missing:
        return f"Landmarks were found in all of {total} faces."
    least, most = (pick(shares, key=shares.__getitem__) for pick in (min, max))
    return (
        f"Landmarks were not found in {missing} of {total} faces ({100 * missing / total:.1f} %), from "
        f"{shares[least]:.1f} % of {least} to {shares[most]:.1f} % of {most}. They are trained on and classified, but "
        "have no map and enter no score of maps; table `located` compares their accuracy, and table `group_gaps` tells "
        "whose they are where that is known."
    )
