"""Rows of the tables: the methods of the paper's Table 1 in its order, and whatever else a grid holds.

A row is a model of the grid and one of its explainers. CAM, GradCAM, GradCAM++ and LayerCAM are four explainers of one
training here; the paper trained a network for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile

from fer_bench.report import labels
from fer_bench.report.results import Results, select


@dataclass(frozen=True)
class Known:
    """A method of the paper: its word, our method and explainer (none: no map of a class), and the published row."""

    word: str
    method: str
    explainer: str | None
    published: str


# The published GradCAM++ is the form that the published code computes, so the textbook form has no published row.
KNOWN = (
    Known("CAM", "cam", "cam", "CAM"),
    Known("WILDCAT", "wildcat", "class_maps", "WILDCAT"),
    Known("GradCAM", "cam", "gradcam", "GradCAM"),
    Known("GradCAM++", "cam", "gradcampp", ""),
    Known("GradCAM++ (published form)", "cam", "gradcampp_paper", "GradCAM++"),
    Known("ACoL", "acol", "acol", "ACoL"),
    Known("PRM", "prm", "class_maps", "PRM"),
    Known("ADL", "adl", "cam", "ADL"),
    Known("CutMix", "cutmix", "cam", "CutMix"),
    Known("LayerCAM", "cam", "layercam", "LayerCAM"),
    Known("TS-CAM", "tscam", "tscam", "TS-CAM"),
    Known("APViT", "apvit", None, "APViT"),
)


@dataclass(frozen=True)
class MethodRow:
    """One line of Table 1.

    model: name in the grid. word: what is printed. explainer: whose class activation map; None: the method has none.
    published: row of the paper's tables, empty when it has none.
    """

    model: str
    word: str
    explainer: str | None
    published: str = ""


@dataclass(frozen=True)
class Network:
    """Models of a grid that share a backbone and differ in their method; label: what is printed for all of them."""

    label: str
    models: tuple[str, ...]


@cache
def networks(results: Results) -> list[Network]:
    """Group the models of a grid by backbone, in order; two models with the same rows are two networks."""
    groups: list[list[str]] = []
    for model in results.models:
        fitting = (group for group in groups if _joins(results, model, group))
        if (group := next(fitting, None)) is None:
            groups.append([model])
        else:
            group.append(model)
    ordered = [sorted(group, key=lambda model: _rank(results.method(model), None)) for group in groups]
    words = [_label(results, group) for group in ordered]
    return [
        Network(word if words.count(word) == 1 else f"{word} ({_named(group)})", tuple(group))
        for word, group in zip(words, ordered, strict=True)
    ]


def _named(group: Sequence[str]) -> str:
    """Names of the first two models, enough to tell networks apart."""
    return ", ".join([*group[:2], *["\N{HORIZONTAL ELLIPSIS}"] * (len(group) > 2)])


@cache
def rows(results: Results, network: Network) -> list[MethodRow]:
    """Rows of a network: the methods of the paper in its order, then the others in the order of the grid."""
    found = [row for model in network.models for row in _of_model(results, model)]
    return sorted(found, key=lambda row: _rank(results.method(row.model), row.explainer))


def others(results: Results, network: Network) -> list[MethodRow]:
    """Scored explainers of a network that `rows` leaves out."""
    shown = {(row.model, row.explainer) for row in rows(results, network)}
    found = [(model, name) for model in network.models for name in scored(results, model)]
    return [_row(results, model, name) for model, name in found if (model, name) not in shown]


def training_word(results: Results, model: str) -> str:
    """Word for the method that a model was trained with; for plain training, for the explainer it is for."""
    known = _known(results, model)
    return (known[0].published or known[0].word) if known else labels.spaced(results.method(model))


def _known(results: Results, model: str) -> list[Known]:
    """Rows of KNOWN that a model has by its method and, where it names explainers of its own, by these."""
    own = results.own_explainers(model)
    fitting = [known for known in KNOWN if known.method == results.method(model)]
    return [known for known in fitting if own is None or known.explainer in (*own, None)] or fitting


@cache
def model_words(results: Results) -> dict[str, str]:
    """Shortest words that tell the models of a grid apart: methods, else labels, else both where methods are alike."""
    models = results.models
    trained = {model: training_word(results, model) for model in models}
    labelled = {model: results.model_label(model) for model in models}
    for words in (trained, labelled):
        if len(set(words.values())) == len(models) > 1:
            return words
    if len(models) == 1:
        return labelled
    found = list(trained.values())
    return {
        model: word if found.count(word) == 1 else f"{word}, {without_method(results, model)}"
        for model, word in trained.items()
    }


def training_rows(results: Results, model: str) -> list[str]:
    """Rows of the paper's tables that a model's training stands for."""
    return [known.published for known in _known(results, model) if known.published]


@cache
def scored(results: Results, model: str) -> list[str]:
    """Explainers that were scored on a model, in the order of the plan."""
    frames = [select(results.of_model(pair, model), metric="cam_cos") for pair in results.pairs]
    found = {name for frame in frames for name in frame["explainer"].unique()}
    return [name for name in results.explainers if name in found]


def _joins(results: Results, model: str, group: Sequence[str]) -> bool:
    same = results.backbone(group[0]) == results.backbone(model)
    return same and not any(_share_a_row(results, model, other) for other in group)


def _share_a_row(results: Results, one: str, other: str) -> bool:
    """Whether two models have one method and, unless each names others of its own, one explainer."""
    first, second = results.own_explainers(one), results.own_explainers(other)
    alike = first is None or second is None or bool(set(first) & set(second))
    return results.method(one) == results.method(other) and alike


def _label(results: Results, group: Sequence[str]) -> str:
    """What the labels of a network's models end with alike, cut at commas, else the name of their backbone."""
    parts = [without_method(results, model).split(", ") for model in group]
    shared = takewhile(lambda words: len(set(words)) == 1, zip(*map(reversed, parts), strict=False))
    return ", ".join(reversed([words[0] for words in shared])) or results.backbone(group[0])


def without_method(results: Results, model: str) -> str:
    """Label of a model without the word for its method, where it begins with that."""
    return results.model_label(model).removeprefix(f"{training_word(results, model)}, ")


def _rank(method: str, explainer: str | None) -> int:
    """Place in the paper's order; a method that the paper has with another explainer stands beside it."""
    exact = [place for place, known in enumerate(KNOWN) if (known.method, known.explainer) == (method, explainer)]
    near = [place for place, known in enumerate(KNOWN) if known.method == method]
    return (exact or near or [len(KNOWN)])[0]


def _of_model(results: Results, model: str) -> list[MethodRow]:
    own, found = _known(results, model), scored(results, model)
    if results.chosen_explainers or not own:
        return [_row(results, model, name) for name in found] or [_row(results, model, "")]
    visible = found or results.explainers  # of a model without results every row is shown, so that the gap is seen
    shown = [known for known in own if known.explainer is None or known.explainer in visible]
    return [MethodRow(model, known.word, known.explainer, known.published) for known in shown or own[:1]]


def _row(results: Results, model: str, explainer: str) -> MethodRow:
    method = results.method(model)
    for known in KNOWN:
        if (known.method, known.explainer) == (method, explainer):
            return MethodRow(model, known.word, explainer, known.published)
    word = labels.explainer(explainer)
    if method == "cam" and explainer:  # plain training: the explainer alone names the row
        return MethodRow(model, word, explainer)
    of = training_word(results, model)
    return MethodRow(model, f"{of}, {word}" if explainer else of, explainer)
