"""Single test faces whose maps can be compared with a slider; never faces that may not be published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fer_bench.report import examples, labels, methods
from fer_bench.report.examples import Examples
from fer_bench.report.mean_maps import alignment_layer
from fer_bench.report.page._images import Picture, face, heat_map, where
from fer_bench.report.results import Pair, Results


@dataclass(frozen=True)
class Face:
    """A test face: expression, image, map of its action units (None: has none), their names, and the verdicts."""

    expression: str
    image: Picture
    target: Picture | None
    units: str
    verdicts: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """A kind of map: key, word, and per training a picture for each face, None where a face has no map."""

    key: str
    words: str
    pictures: tuple[tuple[Picture | None, ...], ...]


@dataclass(frozen=True)
class Gallery:
    """Faces of a test dataset with the maps of one model; arms: words for the trainings; chosen: kind shown first."""

    name: str
    title: str
    arms: tuple[str, ...]
    faces: tuple[Face, ...]
    kinds: tuple[Kind, ...]
    chosen: int


def build(results: Results, units: Mapping[str, Sequence[str]]) -> list[Gallery]:
    """One gallery per pair of datasets and model that has examples, of datasets whose images may be published."""
    found = []
    for pair in results.drawn_pairs:
        for model in results.models if examples.publishable(results, pair) else []:
            arms = examples.of_arms(results, pair, model)
            if arms:
                found.append(_gallery(results, pair, model, arms, units))
    return found


def _gallery(
    results: Results, pair: Pair, model: str, arms: dict[str, Examples], units: Mapping[str, Sequence[str]]
) -> Gallery:
    first = next(iter(arms.values()))
    chosen = examples.first_of_each(results, pair, first, int(results.plan["tables"].get("faces_per_expression", 1)))
    keys = [key for key in first if key.startswith(("att.", "cam.")) and all(key in found for found in arms.values())]
    shown = f"att.{alignment_layer(results)}"
    start = keys.index(shown) if shown in keys else 0
    return Gallery(
        name=f"{pair.name}-{model}",
        title=f"{methods.model_words(results)[model]}: {results.pair_label(pair)}",
        arms=tuple(results.guidance_label(arm) for arm in arms),
        faces=tuple(_face(results, pair, arms, number, units) for number in chosen),
        kinds=tuple(_kind(results, pair, arms, key, chosen) for key in keys),
        chosen=start,
    )


def _face(
    results: Results, pair: Pair, arms: dict[str, Examples], number: int, units: Mapping[str, Sequence[str]]
) -> Face:
    first = next(iter(arms.values()))
    expression = examples.names_of(results, pair, first)[number]
    target = first.get(f"target.{results.target}")
    words = f"action units, {expression}"
    return Face(
        expression=expression,
        image=face(first["images"][number], f"face, {expression}"),
        target=None if target is None else _picture(target[number], words),
        units=", ".join(units.get(expression, ())),
        verdicts=tuple(
            f"{results.guidance_label(arm)}: {examples.verdict(results, pair, found, number).replace(':', '')}"
            for arm, found in arms.items()
        ),
    )


def _kind(results: Results, pair: Pair, arms: dict[str, Examples], key: str, chosen: list[int]) -> Kind:
    kind, name = key.split(".", 1)
    words = f"attention, {labels.layer(name)}" if kind == "att" else f"activation map, {labels.explainer(name)}"
    names = examples.names_of(results, pair, next(iter(arms.values())))
    pictures = tuple(
        tuple(
            _picture(found[key][number], f"{words}, {results.guidance_label(arm)}, {names[number]}")
            for number in chosen
        )
        for arm, found in arms.items()
    )
    return Kind(key, words, pictures)


def _picture(values: np.ndarray, words: str) -> Picture | None:
    if not np.isfinite(values).all():
        return None
    return heat_map(values, f"{words}: {where(values)}")
