"""An explanation as HTML: one self-contained page, readable by people and screen readers, and a part for notebooks."""

import base64
from functools import lru_cache
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from fer_bench.explanation import words
from fer_bench.explanation.panels import Panel
from fer_bench.explanation.units import ATTENTION, IDEAL, Region
from fer_bench.report import labels

if TYPE_CHECKING:
    from fer_bench.explanation.explanation import Explanation

# Nothing is loaded from anywhere and no script runs, whatever a file's name contains.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_VERDICTS = {"visited": "visited", "ignored": "ignored", "even": "as the rest of the face", "undefined": "undefined"}


def page(explanation: "Explanation") -> str:
    """Return the whole page."""
    title = escape(f"{explanation.photo.name}: {explanation.expression}")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="robots" content="noindex">\n'
        f'<title>{title}</title>\n</head>\n<body style="margin:0">\n{fragment(explanation, "main")}\n</body>\n</html>\n'
    )


def fragment(explanation: "Explanation", element: str = "div") -> str:
    """Return the content alone, its look confined to itself: what a notebook shows."""
    parts = [
        f"<style>{_style()}</style>",
        _head(explanation),
        _warning(explanation),
        _figures(explanation.panels),
        '<div class="columns">',
        _prediction(explanation),
        _units(explanation),
        "</div>",
        _others(explanation),
        _notes(explanation),
        _facts(explanation),
    ]
    return f'<{element} class="fer-bench-explanation">\n' + "\n".join(filter(None, parts)) + f"\n</{element}>"


@lru_cache(maxsize=1)
def _style() -> str:
    return (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def _head(explanation: "Explanation") -> str:
    value = explanation.probabilities[explanation.expression]
    return (
        f'<header><p class="file">{escape(explanation.photo.name)}</p>\n'
        f"<h1>{escape(explanation.expression)} <span>{100 * value:.0f} %</span></h1>\n"
        f"<p>Predicted by {escape(explanation.network_name)}, "
        f"trained on {escape(explanation.about.source.dataset_label)}.</p></header>"
    )


def _warning(explanation: "Explanation") -> str:
    if not explanation.about.source.generated:
        return ""
    return f'<p class="warning" role="note"><strong>Read this first.</strong> {escape(words.GENERATED)}</p>'


def _figures(panels: list[Panel]) -> str:
    return f'<section aria-label="Pictures" class="panels">\n{"".join(map(_figure, panels))}</section>'


def _figure(panel: Panel) -> str:
    height, width = panel.pixels.shape[:2]
    return (
        f'<figure><img src="data:image/png;base64,{_encoded(panel)}" width="{width}" height="{height}" '
        f'alt="{escape(panel.words)}"><figcaption>{escape(panel.title)}</figcaption></figure>\n'
    )


def _encoded(panel: Panel) -> str:
    stream = BytesIO()
    Image.fromarray(panel.pixels).save(stream, format="PNG", compress_level=6)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _prediction(explanation: "Explanation") -> str:
    rows = "".join(
        _probability_row(name, value, chosen=name == explanation.expression)
        for name, value in explanation.probabilities.items()
    )
    caption = f"Probability of each expression (soft-max; all alike: {1 / len(explanation.probabilities):.3f})"
    heads = '<tr><th scope="col">expression</th><td></td><th scope="col">probability</th></tr>'
    return (
        f"<section><h2>Prediction</h2>\n<table><caption>{caption}</caption>\n"
        f'<thead class="unseen">{heads}</thead>\n<tbody>{rows}</tbody></table></section>'
    )


def _probability_row(name: str, value: float, chosen: bool) -> str:
    return (
        f'<tr class="{"chosen" if chosen else "other"}"><th scope="row">{escape(name)}</th>'
        f'<td class="bar"><span aria-hidden="true" style="width:{100 * value:.1f}%"></span></td>'
        f'<td class="number">{value:.3f}</td></tr>\n'
    )


def _units(explanation: "Explanation") -> str:
    said = "".join(f"<li>{escape(sentence)}</li>\n" for sentence in explanation.sentences)
    own = sorted(explanation.reading.own, key=lambda region: region.own)
    table = _coverage_table(explanation, own, "Coverage by map; 1 is chance") if own else ""
    title = f"Action units of {escape(explanation.expression)}"
    return f"<section><h2>{title}</h2>\n<ul>{said}</ul>\n{table}</section>"


def _others(explanation: "Explanation") -> str:
    rest = [region for region in explanation.reading.regions if not region.own]
    table = _coverage_table(explanation, rest, "Coverage of regions that the predicted expression does not have")
    return f"<details><summary>Action units of other expressions ({len(rest)} regions)</summary>\n{table}</details>"


def _coverage_table(explanation: "Explanation", regions: list[Region], caption: str) -> str:
    keys = [ATTENTION, *explanation.network.cams]
    keys += [IDEAL] if any(IDEAL in region.coverage for region in regions) else []
    titles = {ATTENTION: "attention", IDEAL: "codebook's own map"}
    numbers = [titles.get(key) or labels.explainer(key) for key in keys] + ["largest possible"]
    heads = "".join(f'<th scope="col" class="number">{escape(name)}</th>' for name in numbers)
    rows = "".join(_coverage_row(region, keys) for region in regions)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption>\n<thead><tr>"
        f'<th scope="col">region</th>{heads}<th scope="col">verdict</th>'
        f"</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _coverage_row(region: Region, keys: list[str]) -> str:
    values = "".join(f'<td class="number">{_value(region.coverage.get(key))}</td>' for key in keys)
    return (
        f'<tr><th scope="row">{escape(words.called(region))}</th>{values}'
        f'<td class="number">{_value(region.largest)}</td>'
        f'<td class="{region.verdict}">{_VERDICTS[region.verdict]}</td></tr>\n'
    )


def _value(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def _notes(explanation: "Explanation") -> str:
    shown = [note for note in explanation.notes if note != words.GENERATED]  # stands above, set apart
    listed = "".join(f"<li>{escape(note)}</li>\n" for note in shown)
    return f"<section><h2>How to read this</h2>\n<ul>{listed}</ul></section>"


def _facts(explanation: "Explanation") -> str:
    source, how, face = explanation.about.source, explanation.about.preparation, explanation.face
    facts = {
        "network": f"{source.cell} (method {source.method}, protocol {source.protocol})",
        "training set": f"{source.dataset_label}; licence: {source.licence}; {source.citation}",
        "face found by": f"{how.landmarks}, step {face.detection.step} ({face.detection.status})",
        "face crop": f"{how.crop_size[0]} x {how.crop_size[1]} px, {face.framing:.2f} outer eye corner distances wide; "
        f"framing: {how.origin if face.aligned else 'the photograph as it is'}; input {how.input_size} px",
        "maps": f"action units in variant {explanation.reading.variant}, compared at "
        f"{explanation.about.reading.map_size} px; attention is the channel mean of the last features",
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in facts.items())
    return f"<section><h2>Made with</h2>\n<dl>{rows}</dl></section>"
