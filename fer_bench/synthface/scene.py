"""Draw at random what is around the face: pose, light, gaze, background and things held before the face."""

from dataclasses import dataclass

import cv2
import numpy as np

from fer_bench.synthface.geometry import Pose, ellipse
from fer_bench.synthface.light import Light
from fer_bench.synthface.random_streams import bounded_normal
from fer_bench.synthface.settings import SynthSettings
from fer_bench.synthface.textures import texture


def sample_pose(random: np.random.Generator, settings: SynthSettings) -> Pose:
    """Draw a pose; angles are normal, cut at the largest."""
    yaw, pitch, roll, x, y = (float(np.clip(0.5 * value, -1, 1)) for value in random.standard_normal(5))
    low, high = settings.span
    span = low + (high - low) * float(random.random())
    return Pose(yaw * settings.yaw, pitch * settings.pitch, roll * settings.roll, 0.08 * x, 0.08 * y + 0.02, span)


def sample_light(random: np.random.Generator, skin_tone: float) -> Light:
    """Draw a light; like a camera, the exposure follows the tone of the skin part of the way."""
    azimuth, elevation, key, ambient, warmth, exposure = random.uniform(
        (-50, -5, 0.55, 0.26, -0.08, 0.9), (50, 50, 0.95, 0.5, 0.14, 1.25)
    )
    return Light(azimuth, elevation, key, ambient, warmth, float(exposure * (1 + 0.9 * skin_tone)))


def sample_gaze(random: np.random.Generator) -> tuple[float, float]:
    """Draw a gaze to the side and up or down, each in [-1, 1]."""
    return bounded_normal(random, 0.35), bounded_normal(random, 0.25)


def muted_colour(random: np.random.Generator, brightest: float) -> np.ndarray:
    """Draw a colour (3,) as rooms and clothes have them: mostly unsaturated."""
    colour = random.random(3).astype(np.float32)
    saturation = np.float32(0.75 * random.beta(1.2, 4.0))
    grey = colour.mean()
    return (grey + saturation * (colour - grey)) ** 2 * np.float32(brightest)


def background(random: np.random.Generator, size: int) -> np.ndarray:
    """A textured, mostly blurred background; (size, size, 3) linear light in [0, 1]."""
    start, stop = muted_colour(random, 0.75), muted_colour(random, 0.75)
    angle, kind, blur = random.random(3)
    ramp = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    along = ramp[None] * np.cos(2 * np.pi * angle) + ramp[:, None] * np.sin(2 * np.pi * angle)
    cloud = texture("cloud", random, size)
    mixed = np.clip(along + 0.5 + 0.16 * cloud, 0, 1)[..., None].astype(np.float32)
    picture = start + mixed * (stop - start)
    if kind < 0.45:
        picture = _things(random, picture)
    elif kind < 0.6:
        waves = np.sin(along * 2 * np.pi * (4 + 9 * blur))
        picture = picture * (1 + 0.25 * np.clip(2.5 * waves, -1, 1))[..., None]
    deviation = (0.4 + 3.2 * blur) * size / 128
    picture = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), deviation)
    return np.clip(picture * (1 + 0.05 * cloud)[..., None], 0, 1).astype(np.float32)


def _things(random: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Scatter boxes and discs: furniture, windows, lamps."""
    size = len(picture)
    canvas = np.ascontiguousarray(picture, np.float32)
    for _ in range(int(random.integers(2, 7))):
        colour = tuple(map(float, muted_colour(random, 0.9)))
        (x, y), (width, height), shape = random.uniform(-0.1, 1.1, 2), random.uniform(0.08, 0.7, 2), random.random()
        if shape < 0.6:
            outline = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
        else:
            outline = ellipse((x, y), (width / 2, height / 2))
        cv2.fillPoly(canvas, [np.round(outline * size).astype(np.int32)], colour)
    return canvas


@dataclass(frozen=True)
class Occluder:
    """Something before the face: its picture (size, size, 3) in linear light and its coverage (size, size)."""

    picture: np.ndarray
    cover: np.ndarray
    present: bool


def sample_occluder(random: np.random.Generator, probability: float, landmarks: np.ndarray, size: int) -> Occluder:
    """With the given probability put an object over a random part of the face."""
    present, where, kind, turn, shade = random.random(5)
    half = random.uniform(0.1, 0.2, 2) * size
    colour = muted_colour(random, 0.7)
    if present >= probability:
        nothing = np.zeros((size, size), np.float32)
        return Occluder(np.zeros((size, size, 3), np.float32), nothing, False)
    centre = landmarks[int(where * len(landmarks))]
    shape = ellipse(
        (0, 0), (float(half[0]) * (2.2 if kind < 0.4 else 1), float(half[1])), 5.0 if kind < 0.7 else 2.0, 40
    )
    angle = np.pi * turn
    outline = shape @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + centre
    cover = np.zeros((size, size), np.uint8)
    cv2.fillPoly(cover, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(cover.astype(np.float32) / 255, (0, 0), 0.5 * size / 128)
    ramp = (np.arange(size, dtype=np.float32)[None] - centre[0]) / size * (2 * shade - 1)
    lit = 1 + 1.2 * ramp + 0.12 * texture("cloud", random, size)
    return Occluder((colour * np.clip(lit, 0.3, 1.7)[..., None]).astype(np.float32), soft, True)
