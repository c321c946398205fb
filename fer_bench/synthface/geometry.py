"""Curves, the depth of the head, and the projection of points of the face onto the image."""

from dataclasses import dataclass

import numpy as np

from fer_bench.synthface.identity import Identity


def spline(points: np.ndarray, steps: int = 6, closed: bool = False) -> np.ndarray:
    """Catmull-Rom curve through (K, 2) points, `steps` samples per segment; (M, 2)."""
    points = np.asarray(points, np.float64)
    ends = (points[-1:], points[:2]) if closed else (2 * points[:1] - points[1:2], 2 * points[-1:] - points[-2:-1])
    padded = np.vstack([ends[0], points, ends[1]])
    before, start, stop, after = (padded[k : len(padded) - 3 + k, None] for k in range(4))
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * start
        + (stop - before) * t
        + (2 * before - 5 * start + 4 * stop - after) * t**2
        + (3 * start - before - 3 * stop + after) * t**3
    )
    flat = curve.reshape(-1, 2)
    return flat if closed else np.vstack([flat, points[-1:]])


def moved(points: np.ndarray, x: float, y: float) -> np.ndarray:
    """Shift points (..., 2)."""
    return points + np.array([x, y])


def ellipse(
    centre: tuple[float, float], half: tuple[float, float], power: float = 2.0, samples: int = 32
) -> np.ndarray:
    """Superellipse as a polygon (samples, 2); power 2 is an ellipse, larger is boxier."""
    angle = np.linspace(0, 2 * np.pi, samples, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    x = np.sign(cos) * np.abs(cos) ** (2 / power)
    y = np.sign(sin) * np.abs(sin) ** (2 / power)
    return np.stack([centre[0] + half[0] * x, centre[1] + half[1] * y], 1)


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """Rise smoothly from 0 at `low` to 1 at `high` (or fall, when high < low)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


@dataclass(frozen=True)
class Head:
    """Smooth depth towards the camera over the frontal plane: an ellipsoid and Gaussian bumps.

    bumps: (K, 5) rows amplitude, x, y, deviation in x, deviation in y. One formula serves single points (float64, so
    that landmarks do not depend on the machine) and the raster, so landmarks sit exactly where the picture has them.
    """

    half_width: float
    half_height: float
    centre_y: float
    depth: float
    bumps: np.ndarray

    def _ellipsoid(self, inside: np.ndarray) -> np.ndarray:
        # A rounded square root: the slope stays finite at the rim, where an ellipsoid would be vertical.
        return self.depth * np.sqrt(0.5 * (inside + np.sqrt(inside * inside + 0.02)))

    def at(self, points: np.ndarray) -> np.ndarray:
        """Depth (N,) at points (N, 2)."""
        x, y = points[:, 0], points[:, 1]
        ball = self._ellipsoid(1 - (x / self.half_width) ** 2 - ((y - self.centre_y) / self.half_height) ** 2)
        amplitude, cx, cy, sx, sy = self.bumps.T
        bells = np.exp(-0.5 * (((x[:, None] - cx) / sx) ** 2 + ((y[:, None] - cy) / sy) ** 2))
        return ball + (bells * amplitude).sum(1)

    def on(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """Depth (len(ys), len(xs)) float32 on a grid."""
        inside = 1 - (xs[None] / self.half_width) ** 2 - ((ys[:, None] - self.centre_y) / self.half_height) ** 2
        return self._ellipsoid(inside.astype(np.float32)) + bells_on(self.bumps, xs, ys)


def bells_on(bumps: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Sum of Gaussian bumps (rows as in Head) on a grid; float32."""
    amplitude, cx, cy, sx, sy = np.asarray(bumps, np.float32).T[..., None]
    across = np.exp(-0.5 * ((xs[None].astype(np.float32) - cx) / sx) ** 2)
    down = amplitude * np.exp(-0.5 * ((ys[None].astype(np.float32) - cy) / sy) ** 2)
    return down.T @ across


def nose_bumps(points: np.ndarray, person: Identity) -> list[tuple[float, float, float, float, float]]:
    """Bridge, tip and wings of a nose at the given landmarks."""
    protrusion, width = 1 + person.nose_depth, 1 + person.nose_width
    top, tip, base = points[27, 1], points[30, 1], points[33, 1]
    bridge = [
        (protrusion * (0.03 + 0.05 * t), 0.0, top + (tip - top) * t, 0.065 + 0.03 * t, 0.075)
        for t in np.linspace(0.05, 0.9, 5)
    ]
    wings = [(0.085, points[k, 0] * 0.78, points[k, 1] - 0.045, 0.05 * width, 0.05) for k in (31, 35)]
    return [*bridge, (0.15 * protrusion, 0.0, tip + 0.3 * (base - tip), 0.075 * width, 0.07), *wings]


def head_of(neutral: np.ndarray, person: Identity) -> Head:
    """The head of a person with the given neutral landmarks: what turns with the pose."""
    mouth, chin = neutral[48:60].mean(0)[1], neutral[8, 1]
    bumps = [*nose_bumps(neutral, person), (0.07, 0.0, mouth, 0.26, 0.17), (0.06, 0.0, chin - 0.16, 0.2, 0.12)]
    for eye in (slice(36, 42), slice(42, 48)):
        x, y = neutral[eye].mean(0)
        bumps.append((-0.08, x * 0.97, y, 0.17, 0.1))
    return Head(
        half_width=0.98 * abs(neutral[0, 0]) + 0.16,
        half_height=1.62 * (1 + person.face_height),
        centre_y=0.06,
        depth=1.02,
        bumps=np.array(bumps),
    )


@dataclass(frozen=True)
class Pose:
    """Where the head is: angles in degrees, shift in face units, span = face units across the image."""

    yaw: float
    pitch: float
    roll: float
    shift_x: float
    shift_y: float
    span: float

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) rotation of x, y (down), z (towards the camera): roll after pitch after yaw."""
        yaw, pitch, roll = np.radians([self.yaw, self.pitch, self.roll])
        about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
        about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
        return np.array(about_z) @ np.array(about_x) @ np.array(about_y)


PIVOT = np.array([0.0, 0.32, 0.55])  # the head turns about this point, which is in the middle of the image
# Machines differ in the last bits of a sine: after rounding their landmark tables are the same.
LANDMARK_DECIMALS = 2


def project(points: np.ndarray, head: Head, pose: Pose, size: int) -> np.ndarray:
    """Landmarks (68, 2) in pixels of the image, (0, 0) being the centre of the first pixel; rounded to 0.01."""
    solid = np.column_stack([points, head.at(points)]) - PIVOT
    turned = moved((solid * pose.rotation[:2, None, :]).sum(-1).T, pose.shift_x, pose.shift_y)
    return np.round(turned / pose.span * size + size / 2 - 0.5, LANDMARK_DECIMALS)
