"""Which faces a set holds: splits made of whole identities, each identity shown in every expression alike."""

from dataclasses import dataclass, replace

import numpy as np

from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, NEUTRAL
from fer_bench.synthface.random_streams import stream
from fer_bench.synthface.settings import SynthSettings

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class PlannedFace:
    """One image to make; `expression` is what the face shows (the stored label may be wrong on purpose)."""

    id: str
    split: str
    subject: str
    expression: str
    repetition: int  # how many images of this subject and expression come before
    wrong_label: bool = False
    prototypical: bool = True

    @property
    def key(self) -> str:
        """What the random streams of this face hang on: larger sets keep the faces of smaller ones."""
        return f"{self.subject}/{self.expression}/{self.repetition}"


def plan_faces(settings: SynthSettings) -> list[PlannedFace]:
    """List the faces of all splits, sorted by identity within a split."""
    faces = [face for split in SPLITS for face in _plan_split(split, getattr(settings, split), settings)]
    if not faces:
        raise InputError("generated faces: train, val and test are all 0; ask for at least one image")
    return faces


def class_counts(images: int, frequencies: tuple[float, ...] | None) -> list[int]:
    """Share images among the expressions in proportion to the frequencies, by largest remainder."""
    weights = np.array(frequencies or [1.0] * len(EXPRESSIONS))
    exact = images * weights / weights.sum()
    counts = np.floor(exact).astype(int)
    missing = images - int(counts.sum())
    for k in np.argsort(counts - exact, kind="stable")[:missing]:
        counts[k] += 1
    return counts.tolist()


def _plan_split(split: str, images: int, settings: SynthSettings) -> list[PlannedFace]:
    """Deal the expressions out like cards: all identities get equally many faces, of each expression too."""
    identities = max(1, round(images / settings.faces_per_identity))
    counts = class_counts(images, settings.class_frequencies)
    deck = [name for name, count in zip(EXPRESSIONS, counts, strict=True) for _ in range(count)]
    hands: list[list[str]] = [[] for _ in range(identities)]
    for k, expression in enumerate(deck):
        hands[k % identities].append(expression)
    faces = [face for number, hand in enumerate(hands) for face in _hand(split, number, hand)]
    return _marked(faces, settings)


def _hand(split: str, number: int, hand: list[str]) -> list[PlannedFace]:
    subject = f"{split}_{number:04d}"
    return [
        PlannedFace(f"{subject}_{k:02d}", split, subject, expression, hand[:k].count(expression))
        for k, expression in enumerate(hand)
    ]


def _marked(faces: list[PlannedFace], settings: SynthSettings) -> list[PlannedFace]:
    """Choose who gets a wrong label and who is no prototype (neutral has none): exact shares of the split."""

    def chosen(name: str, share: float, eligible: list[PlannedFace]) -> set[str]:
        order = sorted(eligible, key=lambda face: stream(settings.seed, name, face.key).random())
        return {face.id for face in order[: round(share * len(faces))]}

    wrong = chosen("label_noise", settings.label_noise, faces)
    expressive = [face for face in faces if face.expression != EXPRESSIONS[NEUTRAL]]
    unusual = chosen("non_prototypical", settings.non_prototypical, expressive)
    return [replace(face, wrong_label=face.id in wrong, prototypical=face.id not in unusual) for face in faces]
