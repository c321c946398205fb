"""What the parameters of our networks are called in the released files."""

import re
from collections.abc import Iterable

from fer_bench import registry
from fer_bench.authors.catalog import Release
from fer_bench.errors import InputError

NORMALISATION = ("mean", "std")  # buffers of ours; the published code normalises in its data loader
ENCODER, HEAD = "encoder.", "classification_head."  # the two state dicts of a file, as beginnings of names
# method -> beginning of our name -> beginning of the published one; what follows is the same.
_POOLED = {"backbone.net.": ENCODER, "method.head.": f"{HEAD}fc."}
BEGINNINGS = {
    "cam": _POOLED,
    "adl": _POOLED,
    "cutmix": _POOLED,
    "wildcat": {"backbone.net.": ENCODER, "method.head.": f"{HEAD}to_modalities."},
    "prm": {"backbone.net.": ENCODER, "method.head.": f"{HEAD}conv."},
    "acol": {
        "backbone.net.": ENCODER,
        "method.branch_a.": f"{HEAD}acol_pooler.classifier_A.",
        "method.branch_b.": f"{HEAD}acol_pooler.classifier_B.",
    },
    "tscam": {"backbone.net.": "", "method.head.": "head."},  # one flat state dict
}
_BLOCK = re.compile(r"(encoder\.layer[34]\.)([1-9]\d*)(\..+)")


def published_names(release: Release, names: Iterable[str]) -> dict[str, str]:
    """Translate the keys of our state dict, one to one; the buffers of the normalisation have no counterpart.

    Returns:
        Our name -> published name; the two state dicts of a ResNet's file appear as `encoder.` and
        `classification_head.`.

    Raises:
        InputError: a name that a network of that method does not have.
    """
    names = [name for name in names if name not in NORMALISATION]
    if release.method == "apvit":
        found: dict[str, str] = registry.module("methods", "apvit").published_names(names)
        return found
    published = {name: _published(name, BEGINNINGS[release.method]) for name in names}
    return {ours: _beside_modules(name) for ours, name in published.items()} if release.method == "adl" else published


def _published(name: str, beginnings: dict[str, str]) -> str:
    for ours, theirs in beginnings.items():
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise InputError(f"{name!r} is no parameter of a released network; those begin with {', '.join(beginnings)}")


def _beside_modules(name: str) -> str:
    """Number the blocks of ADL's layer3 and layer4 as there: a module without weights stands after their block 0."""
    return _BLOCK.sub(lambda found: f"{found[1]}{int(found[2]) + 1}{found[3]}", name)
