"""What a reader is told: a sentence per action unit, and what must be known before believing any of it."""

from fer_bench.explanation.face import Face
from fer_bench.explanation.units import BAND, Region, UnitReading
from fer_bench.trained import About

GENERATED = (
    "This network was trained on generated faces: what it says about a photograph of a real face is no evidence about "
    "real faces, neither of the expression nor of where a network should look."
)
EXPRESSION = "The label names what a face shows in the codebook's terms, not what a person feels."
MAPS = (
    "Each overlay runs from its own minimum (violet) to its own maximum (yellow), so colours of two maps are not "
    "comparable. A map says where the features or an explainer are strong, not that the pixels there caused the answer."
)
COVERAGE = (
    "Coverage of an action unit: mean of the map in its region over the mean in the face. 1 is chance, that is any map "
    f"that is even over the face; within {BAND:.1f} of 1 counts as neither visited nor ignored. Regions are drawn from "
    "landmarks alone: they say where a unit would show, not that it is there."
)
_VERBS = {"visited": "visits", "ignored": "ignores"}
_ENLARGED = 0.9  # pixels of the photograph per pixel of the crop below which enlarging is mentioned
_SMALL = 0.02  # share of the crop beyond the photograph from which on it is mentioned


def sentences(reading: UnitReading, expression: str) -> list[str]:
    """One sentence per region of the predicted expression, in the order of FACS numbers."""
    if reading.target is None:
        return [f"The codebook has no action units for {expression}, so there is nothing that attention should visit."]
    return [sentence(region) for region in sorted(reading.own, key=lambda region: region.own)]


def sentence(region: Region) -> str:
    """Say what the attention does with a region."""
    named = called(region)
    value = region.coverage["attention"]
    if value is None:
        return f"{named}: coverage undefined; its region has no pixel here, or the attention is zero all over the face."
    ideal = region.coverage.get("ideal")
    against = f"coverage {value:.2f}" + ("" if ideal is None else f", {ideal:.2f} for the codebook's own map")
    if region.verdict == "even":
        return f"The attention treats {named} like the rest of the face: {against}."
    return f"The attention {_VERBS[region.verdict]} {named}: {against}."


def called(region: Region) -> str:
    """Number and name: `AU 12 (Lip Corner Puller)`."""
    numbers = " and ".join(filter(None, [", ".join(map(str, region.shown[:-1])), str(region.shown[-1])]))
    return f"AU {numbers} ({', '.join(region.names)})"


def notes(about: About, face: Face) -> list[str]:
    """Return what must be known to read an explanation, the most important first."""
    found = [GENERATED] if about.source.generated else []
    return [*found, _skill(about), *_of_face(about, face), EXPRESSION, COVERAGE, MAPS]


def _skill(about: About) -> str:
    score = about.scores.find("accuracy") if about.scores else None
    if score is None:
        return "How often this network is right is not known: its cell is in no results/GRID/metrics.csv."
    chance = "" if score.chance is None else f" (chance {score.chance:.1f} %)"
    return (
        f"On the {score.images} test images of {about.source.dataset_label} ({about.source.dataset}) this network is "
        f"right in {score.own:.1f} %{chance}; its probabilities are a soft-max, not measured frequencies."
    )


def _of_face(about: About, face: Face) -> list[str]:
    found = []
    if face.detection.status == "several_faces":
        found.append(f"{face.detection.message[:1].upper()}{face.detection.message[1:]}.")
    if face.detection.status == "fallback":
        found.append("No detector saw a face; landmarks were fitted in a box around the whole image.")
    if not face.aligned:
        found.append("The photograph was taken whole, as a face crop with the framing of the training set.")
    if face.aligned and face.scale < _ENLARGED:
        width, height = about.preparation.crop_size
        found.append(f"The face is smaller than in the training set and was enlarged to {width} x {height} pixels.")
    if face.outside > _SMALL:
        found.append(f"{100 * face.outside:.0f} % of the face crop lie beyond the photograph and were filled in.")
    return found
