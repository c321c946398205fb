"""Initial weights of the grid's networks, and cells that cannot run."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from fer_bench import grids
from fer_bench.errors import InputError
from fer_bench.params import Params
from fer_bench.readiness.finding import MISSING, OK, OPTIONAL, Finding, python

AREA = "weights"
LEAVE = "what the reason names, or nothing: the others run, and tables print the reason"


def findings(params: Params) -> Iterator[Finding]:
    """Look for the files that trainings start from, where the trainings will look."""
    from fer_bench.classifier import initial_weights  # noqa: PLC0415  torch and timm take seconds

    random = []
    for name in params.grid.models:
        section = params.models[name]
        if section.checkpoint:  # a network that was trained elsewhere starts from nothing
            continue
        for key, form in initial_weights(section).items():
            if form == "random":
                random.append(name)
            else:
                yield _form(f"models.{name}.{key}", key, form, section.backbone)
    if random:
        yield Finding(AREA, "random", OK, f"nothing is needed for {', '.join(dict.fromkeys(random))}")


def skipped(params: Params) -> Iterator[Finding]:
    """Name the cells that will be skipped; where none is left, the grid cannot run."""
    from fer_bench.feasible import skip_reason  # noqa: PLC0415  torch and timm take seconds

    reasons: dict[str, list[str]] = defaultdict(list)
    cells = grids.cells(params.grid)
    for cell in cells:
        if reason := skip_reason(params, cell):
            reasons[reason].append(cell.name)
    none_left = sum(map(len, reasons.values())) == len(cells)
    state = MISSING if none_left else OPTIONAL
    for reason, names in reasons.items():
        yield Finding("cells", f"{len(names)} of {len(cells)} skipped", state, f"{names[0]} ...: {reason}", LEAVE)
    if not none_left:
        yield Finding("cells", params.grid.name, OK, f"{len(cells) - sum(map(len, reasons.values()))} cells can run")


def _form(where: str, key: str, form: str, backbone: str) -> Finding:
    from fer_bench.backbones import weights  # noqa: PLC0415  torch and timm take seconds

    if form == "timm":
        return _of_hub(where, backbone) if key == "weights" else _of_torch_hub(where)
    kind, _, name = form.partition(":")
    try:
        weights.digest(form, where)
    except InputError as error:
        state = MISSING if kind == "package" else OPTIONAL  # without a file its cells are skipped, the others run
        next_step = f"{python()} -m pip install {name}" if kind == "package" else f"put the file at {name}"
        return Finding(AREA, where, state, str(error).removeprefix(f"{where}: "), next_step)
    return Finding(AREA, where, OK, f"{form} is here")


def _of_hub(where: str, backbone: str) -> Finding:
    """Weights that timm fetches: in the cache, to be had, or neither."""
    from huggingface_hub import constants, try_to_load_from_cache  # noqa: PLC0415  takes a second

    from fer_bench.backbones import hub, weights  # noqa: PLC0415  torch and timm take seconds

    repository = weights.repository(backbone)
    files = ("model.safetensors", "pytorch_model.bin")
    if repository and any(isinstance(try_to_load_from_cache(repository, name), str) for name in files):
        return Finding(AREA, where, OK, f"timm's weights of {backbone} are in {constants.HF_HUB_CACHE}")
    fetch = f"{python()} -c \"import timm; timm.create_model('{backbone}', pretrained=True)\""
    if reason := hub.unreachable():
        detail = f"timm's weights of {backbone} are not in {constants.HF_HUB_CACHE}, and {reason}"
        return Finding(AREA, where, MISSING, detail, f"where there is a network: {fetch}; then copy that folder here")
    return Finding(AREA, where, OK, f"timm's weights of {backbone} are fetched when first used; now: {fetch}")


def _of_torch_hub(where: str) -> Finding:
    """The published transformer that a head starts from."""
    import torch  # noqa: PLC0415  takes seconds

    from fer_bench.weight_files import VIT_SMALL  # noqa: PLC0415  torch and timm take seconds

    path = Path(torch.hub.get_dir(), "checkpoints", VIT_SMALL.rpartition("/")[2])
    if path.is_file():
        return Finding(AREA, where, OK, f"{path} is here")
    return Finding(AREA, where, MISSING, f"{path} is not there", f"curl --create-dirs -Lo {path} {VIT_SMALL}")
