"""What the parameters of a classifier of `ir50` and `apvit` are called in released checkpoints."""

from collections.abc import Iterable

from fer_bench.errors import InputError

# Beginning of our name -> beginning of the name in the checkpoints of arXiv 2402.00281; what follows is the same.
PUBLISHED = {
    "backbone.net.": "extractor.",
    "method.projection.": "vit.projs.0.",
    "method.class_token": "vit.cls_token",
    "method.class_position": "vit.cls_pos_embed",
    "method.patch_positions": "vit.patch_pos_embed",
    "method.blocks.": "vit.blocks.",
    "method.norm.": "vit.norm.",
    "method.head.": "classification_head.fc.",
}
NORMALISATION = ("mean", "std")  # buffers of our classifier; the published code normalises in its data loader


def published_names(names: Iterable[str]) -> dict[str, str]:
    """Translate the keys of a classifier's state dict; the normalisation's buffers have no counterpart and are absent.

    Returns:
        Our name -> published name, one to one, in the given order.

    Raises:
        InputError: a name that no APViT classifier has.
    """
    return {name: _published(name) for name in names if name not in NORMALISATION}


def _published(name: str) -> str:
    for ours, theirs in PUBLISHED.items():
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise InputError(f"{name!r} is no parameter of an APViT classifier; those begin with {', '.join(PUBLISHED)}")
