"""One forward pass, then every explainer asked for on every class asked for."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from fer_bench import registry
from fer_bench.classifier_output import Output
from fer_bench.errors import InputError
from fer_bench.explainers._forward import forward, precise
from fer_bench.explainers.base import Evidence, ExplainerBase
from fer_bench.minmax import min_max


def explain(
    classifier: nn.Module, images: torch.Tensor, classes: torch.Tensor, name: str, raw: bool = False
) -> torch.Tensor:
    """Explain one class per image with one explainer.

    Args:
        classifier: as `fer_bench.classifier.build` makes it; used in eval mode, its mode and gradients left as found.
        images: (B, 3, H, W), RGB, in [0, 1].
        classes: (B,) long, the class whose evidence is shown.
        name: a file of this folder, e.g. `gradcam`.
        raw: return the map before min-max.

    Returns:
        (B, h, w) float, at the grid of the last features; in [0, 1], a constant map all zeros.

    Raises:
        InputError: unknown explainer, one that cannot be applied to this classifier, or a class that does not exist.
    """
    maps, _ = explain_all(classifier, images, torch.as_tensor(classes)[:, None], [name], raw)
    return maps[name][:, 0]


def explain_all(
    classifier: nn.Module,
    images: torch.Tensor,
    classes: torch.Tensor | Callable[[Output], torch.Tensor],
    names: Sequence[str],
    raw: bool = False,
) -> tuple[dict[str, torch.Tensor], Output]:
    """Explain several classes per image with several explainers from one forward pass.

    Explainers that need further passes (docs/explainers.md) run them when it is their turn; others pay nothing for it.

    Args:
        classifier: as in `explain`.
        images: as in `explain`.
        classes: (B, M) long, or a function that makes them from the output (the predicted class, for instance).
        names: explainers; each must support the classifier (see `supported`).
        raw: as in `explain`.

    Returns:
        Name -> (B, M, h, w) maps, and the detached output of the forward pass.

    Raises:
        InputError: as in `explain`.
    """
    explainers = {name: _usable(name, classifier) for name in names}
    with _evaluating(classifier):
        output = forward(classifier, images)
        wanted = torch.as_tensor(classes(output) if callable(classes) else classes).to(output.logits.device)
        _check_classes(wanted, output.logits.shape, len(images))
        weight = head_weight(classifier)
        memory: dict[str, torch.Tensor] = {}
        columns = [Evidence(column, output, weight, classifier, images, memory) for column in wanted.unbind(1)]
        maps = {
            name: torch.stack([explainer.explain(evidence) for evidence in columns], dim=1).detach()
            for name, explainer in explainers.items()
        }
    return (maps if raw else {name: min_max(found) for name, found in maps.items()}), output


def supported(classifier: nn.Module, names: Sequence[str]) -> dict[str, str]:
    """Say for each explainer why it cannot be applied to the classifier; an empty string where it can."""
    return {name: registry.plugin("explainers", name)().supports(classifier) or "" for name in names}


def _usable(name: str, classifier: nn.Module) -> ExplainerBase:
    explainer: ExplainerBase = registry.plugin("explainers", name, "explainers")()
    reason = explainer.supports(classifier)
    if reason:
        raise InputError(f"explainers: {name} cannot be applied to this classifier: {reason}")
    return explainer


@contextmanager
def _evaluating(classifier: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in classifier.modules()]
    classifier.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def head_weight(classifier: Any) -> torch.Tensor | None:
    """(K, C) in at least single precision, or None."""
    weight = classifier.head_weight
    return None if weight is None else precise(weight)


def _check_classes(classes: torch.Tensor, logits: torch.Size, images: int) -> None:
    if classes.ndim != 2 or len(classes) != images:
        raise InputError(
            f"explainers: classes of shape {tuple(classes.shape)}, expected one row for each of {images} images"
        )
    if classes.numel() and not 0 <= int(classes.min()) <= int(classes.max()) < logits[1]:
        raise InputError(
            f"explainers: class {int(classes.max())} does not exist; the classifier has 0..{logits[1] - 1}"
        )
