"""Draw one face: frontal layers in linear light, turned into the pose, laid over the background, exposed and stored."""

from dataclasses import dataclass

import cv2
import numpy as np

from fer_bench.synthface.action_units import displace
from fer_bench.synthface.canvas import Canvas, blend
from fer_bench.synthface.geometry import PIVOT, Head, Pose, head_of, project, smoothstep
from fer_bench.synthface.identity import Identity, neutral_points
from fer_bench.synthface.light import Light
from fer_bench.synthface.relief import build_relief
from fer_bench.synthface.render_body import draw_ears, draw_glasses, draw_neck
from fer_bench.synthface.render_eyes import draw_eyes
from fer_bench.synthface.render_hair import draw_back_hair, draw_front_hair, hair_picture, head_outline
from fer_bench.synthface.render_mouth import draw_mouth
from fer_bench.synthface.render_skin import draw_skin
from fer_bench.synthface.sampling import Activation
from fer_bench.synthface.scene import Occluder
from fer_bench.synthface.sketch import Sketch, both_sides
from fer_bench.synthface.warp import warp

_FINER = 1.5  # canvas pixels per image pixel


@dataclass(frozen=True)
class Geometry:
    """Where everything is: neutral and moved landmarks in face units, head, and landmarks (68, 2) in image pixels."""

    neutral: np.ndarray
    points: np.ndarray
    head: Head
    landmarks: np.ndarray


def place(person: Identity, activation: Activation, pose: Pose, size: int) -> Geometry:
    """Compute the landmarks; no picture is needed for them."""
    neutral = neutral_points(person)
    points = displace(neutral, activation.left, activation.right)
    head = head_of(neutral, person)
    return Geometry(neutral, points, head, project(points, head, pose, size))


@dataclass(frozen=True)
class Scene:
    """What surrounds a face."""

    pose: Pose
    light: Light
    gaze: tuple[float, float]
    background: np.ndarray  # (size, size, 3) linear light
    clothes: np.ndarray  # (3,) reflectance
    occluder: Occluder


def render(
    person: Identity, activation: Activation, geometry: Geometry, scene: Scene, detail: np.random.Generator, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the image (size, size, 3), float32 sRGB in [0, 1], and the visible face (size, size) in [0, 1]."""
    sketch = _sketch(person, activation, geometry, scene, detail, size)
    layers = _frontal_layers(sketch, scene.clothes)
    posed = warp(layers, sketch.canvas, geometry.head, scene.pose, size)
    alpha = np.clip(posed[..., 3:4], 0, 1)
    light = posed[..., :3] + (1 - alpha) * scene.background
    blend(light, scene.occluder.cover, scene.occluder.picture * (0.5 + scene.light.ambient))
    visible = np.clip(posed[..., 4], 0, 1) * (1 - scene.occluder.cover)
    return _expose(light, scene.light.exposure), visible


def _sketch(
    person: Identity, activation: Activation, geometry: Geometry, scene: Scene, detail: np.random.Generator, size: int
) -> Sketch:
    pose = scene.pose
    canvas = Canvas((PIVOT[0], PIVOT[1]), 0.56 * pose.span + 0.12, _FINER * size / pose.span)
    sides = both_sides(activation.left, activation.right)
    return Sketch(
        canvas=canvas,
        person=person,
        head=geometry.head,
        neutral=geometry.neutral.astype(np.float32),
        points=geometry.points.astype(np.float32),
        sides=sides,
        au={unit: (sides[0].au[unit] + sides[1].au[unit]) / 2 for unit in sides[0].au},
        light=scene.light,
        direction=(pose.rotation.T @ scene.light.direction).astype(np.float32),
        up=(pose.rotation.T @ np.array([0.0, -1.0, 0.0])).astype(np.float32),
        gaze=scene.gaze,
        texture=np.random.Generator(np.random.PCG64(person.texture)),
        detail=detail,
    )


def _frontal_layers(sketch: Sketch, clothes: np.ndarray) -> np.ndarray:
    """Picture times alpha, alpha, and coverage of the face without hair; (N, N, 5)."""
    canvas = sketch.canvas
    shape = canvas.fill([head_outline(sketch)])
    relief = build_relief(sketch)
    face = draw_skin(sketch, relief, shape)
    draw_mouth(sketch, face, relief.mouth)
    draw_eyes(sketch, face)
    face *= (0.66 + 0.34 * smoothstep(0.3, 1.0, canvas.blur(shape, 0.09)))[..., None].astype(np.float32)
    picture = np.zeros_like(face)
    alpha = np.zeros(shape.shape, np.float32)
    hair = hair_picture(sketch)
    draw_back_hair(sketch, hair, picture, alpha)
    draw_neck(sketch, picture, alpha, clothes)
    draw_ears(sketch, picture, alpha)
    edge = canvas.blur(shape, 0.009)
    blend(picture, edge, face)
    np.maximum(alpha, edge, out=alpha)
    covered = draw_front_hair(sketch, hair, picture, alpha)
    draw_glasses(sketch, picture)
    return np.dstack([picture * alpha[..., None], alpha, edge * (1 - covered)])


def _expose(light: np.ndarray, exposure: float) -> np.ndarray:
    """Expose linear light with a soft shoulder and encode it as sRGB."""
    bright = np.maximum(light * np.float32(exposure), 0)
    return np.clip(bright / (1 + np.float32(0.18) * bright), 0, 1) ** np.float32(1 / 2.2)


def camera(image: np.ndarray, random: np.random.Generator, blur: float, noise: float) -> np.ndarray:
    """Blur (in pixels of a 128-pixel image) and sensor noise of a plain camera; returns uint8 (size, size, 3)."""
    soft, grain = random.random(2)
    speckle = random.standard_normal(image.shape, dtype=np.float32)
    deviation = soft * blur * len(image) / 128
    if deviation > 0.25:
        image = cv2.GaussianBlur(image, (0, 0), deviation)
    noisy = image + np.float32(grain * noise) * speckle
    return (np.clip(noisy, 0, 1) * 255 + 0.5).astype(np.uint8)
