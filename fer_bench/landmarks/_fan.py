"""FAN of the face-alignment package on boxes of several images in one pass (DOI 10.1109/ICCV.2017.116)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_bench.landmarks.base import Box

_BELOW = 0.12  # the crop's centre lies this share of the box's height above the box's, as the package has it
Fit = tuple[np.ndarray, float]


def load(settings: Any, device: str, detector: Path | None) -> Any:
    """Build FAN and S3FD from weights in torch.hub's folder.

    Args:
        settings: those of the backend face_alignment.
        device: as torch names it.
        detector: weights of S3FD; None: no detector.

    Returns:
        A `face_alignment.FaceAlignment`.
    """
    import face_alignment  # noqa: PLC0415 - takes seconds, and no other backend needs it
    import torch  # noqa: PLC0415

    networks = face_alignment.FaceAlignment(
        face_alignment.LandmarksType.TWO_D,
        device=device,
        dtype=getattr(torch, settings.dtype),
        flip_input=settings.flip_input,
        # `folder` is the package's only detector without weights; it is never asked for a face
        face_detector="sfd" if detector else "folder",
        face_detector_kwargs=detector_options(settings, detector) if detector else {},
        compile=False,  # compiling takes a minute on a processor
    )
    networks.face_alignment_net.to(memory_format=torch.channels_last)  # a fifth faster on a processor
    return networks


def detector_options(settings: Any, weights: Path) -> dict[str, Any]:
    """Options of S3FD; given a path, the package reads tensors alone from it, without one it would run a pickle."""
    return {"filter_threshold": settings.detector_threshold, "path_to_detector": str(weights)}


def fit(networks: Any, images: Sequence[np.ndarray], boxes: Sequence[Box], size: int) -> list[Fit]:
    """Fit 68 points in a box of each image.

    Every pass has `size` crops, the last one filled up with black ones: rounding depends on the shape of a pass, so a
    face would otherwise get other last digits beside others than alone, or after an interruption.

    Args:
        networks: a `face_alignment.FaceAlignment`.
        images: (H, W, 3) uint8 RGB each.
        boxes: left, top, right, bottom in pixels, one per image.
        size: crops of a pass.

    Returns:
        Per image the points (68, 2), x right, y down, in pixels of the image, and the mean height of the peaks.
    """
    placed = [_place(box, networks.face_detector.reference_scale) for box in boxes]
    fits: list[Fit] = []
    for start in range(0, len(images), size):
        part = slice(start, start + size)
        peaks = _peaks(networks, _crops(images[part], placed[part], size))
        fits += [_decode(one, *place) for one, place in zip(peaks, placed[part], strict=False)]  # fewer than peaks
    return fits


def _place(box: Box, reference: float) -> tuple[np.ndarray, float]:
    """Centre and scale of the crop, by the package's conventions."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    centre = np.array([right - width / 2.0, bottom - height / 2.0])
    centre[1] -= height * _BELOW
    return centre, float((width + height) / reference)


def _crops(images: Sequence[np.ndarray], placed: Sequence[tuple[np.ndarray, float]], size: int) -> np.ndarray:
    """Return (size, 256, 256, 3) uint8, black where there is no image."""
    from face_alignment.utils import CROP_RESOLUTION, crop  # noqa: PLC0415 - takes seconds; no other backend needs it

    crops = np.zeros((size, CROP_RESOLUTION, CROP_RESOLUTION, 3), np.uint8)
    for row, image, place in zip(crops, images, placed, strict=False):
        row[:] = crop(image, *place)
    return crops


def _peaks(networks: Any, crops: np.ndarray) -> np.ndarray:
    """Return heat maps (size, 68, 64, 64), float32; with `flip_input` the sum with those of the mirrored crops."""
    import torch  # noqa: PLC0415
    from face_alignment.utils import flip  # noqa: PLC0415

    with torch.inference_mode():
        batch = torch.from_numpy(crops).to(networks.device).permute(0, 3, 1, 2)  # channels last in memory
        batch = batch.to(networks.dtype) / 255
        maps = networks.face_alignment_net(batch)[-1]
        if networks.flip_input:
            maps = maps + flip(networks.face_alignment_net(flip(batch))[-1], is_label=True)
        found: np.ndarray = maps.float().cpu().contiguous().numpy()
    return found


def _decode(maps: np.ndarray, centre: np.ndarray, scale: float) -> Fit:
    """Points and mean height of the peaks of one face's heat maps (68, 64, 64)."""
    from face_alignment.utils import get_preds_fromhm  # noqa: PLC0415

    _, points, heights = get_preds_fromhm(maps[None], centre, scale)
    return points[0], float(np.mean(heights))
