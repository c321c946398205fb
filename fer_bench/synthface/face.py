"""One generated face from its place in the plan: draws every random part from its own stream, then renders."""

from dataclasses import dataclass

import numpy as np

from fer_bench.synthface.action_units import AUS
from fer_bench.synthface.identity import Identity, sample_identity
from fer_bench.synthface.plan import PlannedFace
from fer_bench.synthface.random_streams import stream
from fer_bench.synthface.render import Geometry, Scene, camera, place, render
from fer_bench.synthface.sampling import Activation, sample_activation, sample_wrong_label
from fer_bench.synthface.scene import (
    background,
    muted_colour,
    sample_gaze,
    sample_light,
    sample_occluder,
    sample_pose,
)
from fer_bench.synthface.settings import SynthSettings


@dataclass(frozen=True)
class Face:
    """A planned face with everything drawn at random but the pixels."""

    planned: PlannedFace
    settings: SynthSettings
    label: str
    person: Identity
    activation: Activation
    geometry: Geometry
    scene: Scene

    @property
    def landmarks(self) -> np.ndarray:
        """(68, 2) x, y in pixels of the image; (0, 0) is the centre of the first pixel."""
        return self.geometry.landmarks


def draw_face(planned: PlannedFace, settings: SynthSettings) -> Face:
    """Draw identity, label, action units, pose and scene, each from the stream of its name."""
    seed, key, size = settings.seed, planned.key, settings.size
    person = sample_identity(stream(seed, "identity", planned.subject), settings.glasses)
    drawn = stream(seed, "action_units", key)
    activation = sample_activation(drawn, planned.expression, settings, planned.prototypical)
    pose = sample_pose(stream(seed, "pose", key), settings)
    geometry = place(person, activation, pose, size)
    scene = Scene(
        pose=pose,
        light=sample_light(stream(seed, "light", key), person.skin_tone),
        gaze=sample_gaze(stream(seed, "gaze", key)),
        background=background(stream(seed, "background", key), size),
        clothes=muted_colour(stream(seed, "clothes", key), 0.6),
        occluder=sample_occluder(stream(seed, "occlusion", key), settings.occlusion, geometry.landmarks, size),
    )
    wrong = sample_wrong_label(stream(seed, "label", key), planned.expression)
    label = wrong if planned.wrong_label else planned.expression
    return Face(planned, settings, label, person, activation, geometry, scene)


def picture_of(face: Face) -> tuple[np.ndarray, np.ndarray]:
    """Render: image uint8 RGB (size, size, 3), and the visible face as an alpha mask uint8 (size, size)."""
    settings, key = face.settings, face.planned.key
    detail = stream(settings.seed, "detail", key)
    image, visible = render(face.person, face.activation, face.geometry, face.scene, detail, settings.size)
    stored = camera(image, stream(settings.seed, "noise", key), settings.blur, settings.noise)
    return stored, (visible * 255 + 0.5).astype(np.uint8)


def ground_truth(face: Face) -> dict[str, object]:
    """One row of the ground-truth table; see docs/generated_faces.md for its columns."""
    person, pose = face.person, face.scene.pose
    left, right = face.activation.left, face.activation.right
    row: dict[str, object] = {"id": face.planned.id}
    row |= {f"x{k}": float(x) for k, x in enumerate(face.landmarks[:, 0])}
    row |= {f"y{k}": float(y) for k, y in enumerate(face.landmarks[:, 1])}
    row |= {f"au_{unit}": round(float(max(left[k], right[k])), 4) for k, unit in enumerate(AUS)}
    row |= {f"au_{unit}_left": round(float(left[k]), 4) for k, unit in enumerate(AUS)}
    row |= {f"au_{unit}_right": round(float(right[k]), 4) for k, unit in enumerate(AUS)}
    return row | {
        "expression": face.planned.expression,
        "label_noise": face.planned.wrong_label,
        "prototypical": face.planned.prototypical,
        "skin_tone": round(person.skin_tone, 4),
        "female": person.female,
        "age": round(person.age, 1),
        "yaw": round(pose.yaw, 2),
        "pitch": round(pose.pitch, 2),
        "roll": round(pose.roll, 2),
        "occluded": face.scene.occluder.present,
        "glasses": person.glasses != "none",
        "beard": round(person.beard, 4),
        "hair": person.hair_style,
    }
