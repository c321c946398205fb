"""The model card of an export: what it is, how good, how to load it, what it must not be used for."""

from tabulate import tabulate

from fer_bench.export.recipe import Recipe, reason
from fer_bench.trained import Preparation, Score, Trained

_GENERATED = (
    "**Trained on generated faces.** They are drawn from the same codebook as the action unit maps. Scores on them say "
    "how methods compare under control; they say nothing about real faces, and neither does this network."
)
_USE = (
    "Research on where classifiers of facial expressions look, and reproduction of the scores below. An expression is "
    "what a face shows, not what a person feels."
)
_LIMITS = (
    "Not for decisions about people: not in hiring, schools, policing, health, insurance or advertising, and not for "
    "guessing emotion, character or intent. Accuracy differs between groups of people, poses and light; the tables "
    "`groups` of fer-bench measure that. Attention and class activation maps show where features are strong, not what "
    "caused an answer."
)


def text(trained: Trained, plain: Recipe | None, onnx: bool) -> str:
    """Return the card as Markdown."""
    source = trained.about.source
    parts = [
        f"# {source.model}, {source.guidance_label}",
        f"Facial expression classifier `{source.cell}` of fer-bench: method {source.method}, "
        f"guidance `{source.guidance}`, trained on {source.dataset_label} (`{source.dataset}`), "
        f"protocol `{source.protocol}`.",
        *([_GENERATED] if source.generated else []),
        f"Classes, in this order: {', '.join(trained.about.expressions)}.",
        f"## Intended use\n\n{_USE}\n\n## Out of scope, limits\n\n{_LIMITS}",
        f"## Scores\n\n{_scores(trained)}",
        f"## Load it\n\n{_load(trained, plain)}",
        *([_onnx()] if onnx else []),
        f"## Photographs\n\n{_preparation(trained.about.preparation)}",
        f"## Data and licence\n\nTraining data: {source.dataset_label}; licence: {source.licence}; {source.citation}. "
        "Weights learnt from data under a licence are bound by its terms. The method: Belharbi et al., Guided "
        "Interpretable Facial Expression Recognition via Spatial Action Unit Cues, IEEE FG 2024, arXiv:2402.00281.",
    ]
    return "\n\n".join(parts) + "\n"


def _scores(trained: Trained) -> str:
    scores, protocol = trained.about.scores, trained.about.source.protocol
    if scores is None:
        return "None: the cell is in no results/GRID/metrics.csv."
    heads = ["score", "this network", "mean ± deviation", "95 % interval", "seeds", "chance", "ceiling", "images"]
    rows = [_row(score) for score in scores.rows]
    words = (
        f"Test split of the training dataset, grid `{scores.grid}`, protocol `{protocol}`. Mean, sample deviation and "
        "95 % t interval of the mean are over trainings that differ in their seed alone. CL: accuracy. Cosines: macro "
        "mean over the expressions with action units, classes by the true label."
    )
    marked = " † optimised quantity: scored against the very map that was trained on."
    return f"{words}{marked if any(score.optimised for score in scores.rows) else ''}\n\n" + tabulate(
        rows, heads, tablefmt="github", disable_numparse=True
    )


def _row(score: Score) -> list[str]:
    digits = 1 if score.unit == "%" else 3
    unit = f" ({score.unit})" if score.unit else ""

    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.{digits}f}"

    spread = number(score.mean) + ("" if score.deviation is None else f" ± {number(score.deviation)}")
    interval = "" if score.interval is None else f"{number(score.interval[0])} to {number(score.interval[1])}"
    better = " (lower is better)" if score.direction == "lower" else ""
    name = f"{score.label}{unit}{better}{' †' if score.optimised else ''}"
    levels = [number(score.chance), number(score.ceiling)]
    return [name, number(score.own), spread, interval, str(score.seeds), *levels, str(score.images)]


def _load(trained: Trained, plain: Recipe | None) -> str:
    ours = (
        "With fer-bench, photographs included:\n\n```bash\nfer-bench explain photo.jpg --model FOLDER\n```\n\n"
        "```python\nfrom fer_bench.trained import of_folder\n\nclassifier = of_folder(FOLDER).classifier\n```"
    )
    if plain is None:
        return f"timm alone is not enough: {reason(trained.classifier)}.\n\n{ours}"
    return f"With timm, torch and safetensors alone (`load.py`):\n\n```python\n{plain.code}```\n\n{ours}"


def _onnx() -> str:
    return (
        "`model.onnx`: input `images` (B, 3, S, S) RGB in [0, 1], outputs `logits` (B, K) and `attention` (B, h, w); "
        "the normalisation is inside. Checked against torch to 1e-4 with onnxruntime when it was written."
    )


def _preparation(how: Preparation) -> str:
    width, height = how.crop_size
    names = ("left eye centre", "right eye centre", "nose tip", "left mouth corner", "right mouth corner")
    places = "; ".join(f"{name} ({x:g}, {y:g})" for name, (x, y) in zip(names, how.template, strict=True))
    grey = " Crops are grey, repeated to three channels." if how.grey else ""
    reduced = " A larger face is reduced by area averaging first." if how.antialias else ""
    beyond = "repeats the edge" if how.border == "replicate" else "is black"
    return (
        f"The face is found by `{how.landmarks}` (68 landmarks). A similarity transform brings five points (left: the "
        f"image's left) nearest to their places in a crop of {width} x {height} px: {places} ({how.origin}). "
        f"What lies beyond the photograph {beyond}.{reduced}{grey} The crop is resized to {how.input_size} x "
        f"{how.input_size} px (`{how.resampling}`) and divided by 255; the mean and deviation of `config.json` "
        "normalise it inside the network."
    )
