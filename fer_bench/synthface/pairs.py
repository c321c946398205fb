"""Pairs of faces that differ in one action unit alone: person, pose, light, background and noise are the same."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fer_bench.expressions import EXPRESSIONS, NEUTRAL
from fer_bench.synthface.action_units import AUS
from fer_bench.synthface.face import Face, draw_face
from fer_bench.synthface.plan import PlannedFace, plan_faces
from fer_bench.synthface.prototypes import CODEBOOK
from fer_bench.synthface.random_streams import stream
from fer_bench.synthface.render import place
from fer_bench.synthface.sampling import Activation
from fer_bench.synthface.settings import SynthSettings


@dataclass(frozen=True)
class FacePair:
    """Two faces and the action unit (FACS number) that `shown` has at full intensity on both sides and `absent` has
    not at all; everything else of the expression is as drawn."""

    unit: int
    shown: Face
    absent: Face


def plan_pairs(settings: SynthSettings) -> Iterator[PlannedFace]:
    """List the test faces that make a pair: those of an expression that has action units."""
    neutral = EXPRESSIONS[NEUTRAL]
    return (face for face in plan_faces(settings) if face.split == "test" and face.expression != neutral)


def draw_pair(planned: PlannedFace, settings: SynthSettings) -> FacePair:
    """Draw a face and one of the units that it shows of its expression, each alike; nothing is held before it."""
    bare = settings.model_copy(update={"occlusion": 0.0})
    face = draw_face(planned, bare)
    strength = np.maximum(face.activation.left, face.activation.right)
    own = [unit for unit in AUS if unit in CODEBOOK[planned.expression] and strength[AUS.index(unit)] > 0]
    unit = own[int(stream(settings.seed, "pair_unit", planned.key).random() * len(own))]
    return FacePair(unit, _with(face, unit, 1.0), _with(face, unit, 0.0))


def _with(face: Face, unit: int, intensity: float) -> Face:
    """The same face with a unit at an intensity in [0, 1] on both sides."""
    left, right = face.activation.left.copy(), face.activation.right.copy()
    left[AUS.index(unit)] = right[AUS.index(unit)] = intensity
    activation = Activation(left, right)
    geometry = place(face.person, activation, face.scene.pose, face.settings.size)
    return replace(face, activation=activation, geometry=geometry)
