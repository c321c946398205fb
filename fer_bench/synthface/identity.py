"""A person: shape of the face, skin, hair, age and what is worn, the same in all of the person's images."""

from dataclasses import dataclass

import numpy as np

from fer_bench.synthface.random_streams import bounded_normal
from fer_bench.synthface.template import TEMPLATE

HAIR_STYLES = ("bald", "short", "tied", "medium", "long", "curly")
_STYLE_SHARES = {True: (0.0, 0.1, 0.22, 0.24, 0.28, 0.16), False: (0.12, 0.54, 0.03, 0.1, 0.05, 0.16)}
GLASSES = ("none", "round", "square", "thin")


@dataclass(frozen=True)
class Identity:
    """One person; lengths in outer eye corner distances, tones and amounts in [0, 1], age in years."""

    female: bool
    age: float
    skin_tone: float  # 0 lightest, 1 darkest
    hair_tone: float  # 0 black, 1 blond
    redness: float  # of the hair
    greyness: float  # of the hair
    iris_tone: float  # 0 dark brown, 1 light grey
    face_width: float
    face_height: float
    jaw: float
    chin: float
    eye_distance: float
    eye_size: float
    eye_tilt: float
    brow_height: float
    brow_arch: float
    brow_thickness: float
    nose_width: float
    nose_length: float
    nose_depth: float
    mouth_width: float
    mouth_height: float
    lip_fullness: float
    hair_style: str
    hairline: float
    parting: float
    beard: float
    stubble: float
    moustache: bool
    glasses: str
    make_up: float
    texture: int  # seed of skin and hair texture

    @property
    def oldness(self) -> float:
        """Age from 18 to 80 years as 0 to 1."""
        return (self.age - 18) / 62


def sample_identity(random: np.random.Generator, glasses: float) -> Identity:
    """Draw a person; `glasses` is the probability of wearing some."""
    female = bool(random.random() < 0.5)
    sex = 1.0 if female else -1.0
    age = 18 + 62 * float(random.beta(1.3, 2.0))
    tone, hair_tone, red, grey, iris = (float(value) for value in random.random(5))
    body = _shape(random, sex)
    style = HAIR_STYLES[int(random.choice(len(HAIR_STYLES), p=_STYLE_SHARES[female]))]
    facial_hair = random.random(4)
    wears, kind, make_up = random.random(3)
    bearded = not female and facial_hair[0] < 0.34
    return Identity(
        female=female,
        age=age,
        skin_tone=tone,
        # Blond hair and light eyes belong to light skin.
        hair_tone=hair_tone * (1 - min(tone / 0.45, 0.95)) ** 0.7,
        redness=red if tone < 0.3 else 0.0,
        greyness=float(np.clip((age - 44) / 28 + 0.5 * (grey - 0.5), 0, 1)),
        iris_tone=iris * (1 - min(tone / 0.4, 0.92)),
        **body,
        hair_style=style,
        hairline=bounded_normal(random, 0.05) - (0.0 if female else 0.09 * max(age - 35, 0) / 45),
        parting=float(random.uniform(-0.35, 0.35)),
        beard=0.35 + 0.65 * float(facial_hair[1]) if bearded else 0.0,
        stubble=0.0 if female or bearded else float(facial_hair[2]) ** 2,
        moustache=bool(bearded or (not female and facial_hair[3] < 0.06)),
        glasses=GLASSES[1 + int(kind * 3)] if wears < glasses else GLASSES[0],
        make_up=float(make_up) if female else 0.0,
        texture=int(random.integers(1 << 30)),
    )


def _shape(random: np.random.Generator, sex: float) -> dict[str, float]:
    """Draw the deviations from the mean face; `sex` (+1 or -1) shifts the means by about one deviation."""
    return {
        "face_width": bounded_normal(random, 0.032) - 0.01 * sex,
        "face_height": bounded_normal(random, 0.03),
        "jaw": bounded_normal(random, 0.04) - 0.03 * sex,
        "chin": bounded_normal(random, 0.025) - 0.02 * sex,
        "eye_distance": bounded_normal(random, 0.016),
        "eye_size": bounded_normal(random, 0.09) + 0.05 * sex,
        "eye_tilt": bounded_normal(random, 0.05) + 0.02 * sex,
        "brow_height": bounded_normal(random, 0.016) - 0.012 * sex,
        "brow_arch": bounded_normal(random, 0.012) + 0.008 * sex,
        "brow_thickness": float(random.uniform(0.026, 0.044)) - 0.006 * sex,
        "nose_width": bounded_normal(random, 0.11) - 0.04 * sex,
        "nose_length": bounded_normal(random, 0.03),
        "nose_depth": bounded_normal(random, 0.15),
        "mouth_width": bounded_normal(random, 0.08),
        "mouth_height": bounded_normal(random, 0.02),
        "lip_fullness": bounded_normal(random, 0.2) + 0.12 * sex,
    }


def neutral_points(person: Identity) -> np.ndarray:
    """Deform the template into the person's neutral face; (68, 2)."""
    points = TEMPLATE.copy()
    _shape_jaw(points, person)
    _shape_eyes(points, person)
    _shape_nose_and_mouth(points, person)
    return points * (1 + person.face_width, 1 + person.face_height)


def _shape_jaw(points: np.ndarray, person: Identity) -> None:
    down = (points[:17, 1] - points[0, 1]) / (points[8, 1] - points[0, 1])
    points[:17, 0] *= 1 + person.jaw * np.sin(np.pi * np.clip(down, 0, 1) ** 1.2)
    points[5:12, 1] += person.chin * np.array([0.3, 0.7, 1, 1, 1, 0.7, 0.3])


def _shape_eyes(points: np.ndarray, person: Identity) -> None:
    for eye, brow, side in ((slice(36, 42), slice(17, 22), -1), (slice(42, 48), slice(22, 27), 1)):
        centre = points[eye].mean(0)
        around = points[eye] - centre
        around *= (1 + 0.4 * person.eye_size, 1 + person.eye_size)
        around[:, 1] -= side * around[:, 0] * person.eye_tilt
        points[eye] = centre + around + (side * person.eye_distance, 0)
        along = np.clip((np.abs(points[brow, 0]) - 0.12) / 0.55, 0, 1)
        points[brow, 1] += person.brow_height - person.brow_arch * 2 * np.sin(np.pi * along)
        points[brow, 0] += side * 0.6 * person.eye_distance


def _shape_nose_and_mouth(points: np.ndarray, person: Identity) -> None:
    points[31:36, 0] *= 1 + person.nose_width
    points[28:36, 1] += person.nose_length * np.array([0.25, 0.5, 0.8, 1, 1, 1, 1, 1])
    mouth = points[48:]
    line = mouth[12, 1]
    mouth[:, 0] *= 1 + person.mouth_width
    # Old lips are thin; the corners stay where they are.
    thickness = 1 + person.lip_fullness - 0.18 * person.oldness
    mouth[:12, 1] = line + (mouth[:12, 1] - line) * thickness
    mouth[:, 1] += person.mouth_height + 0.4 * person.nose_length
