"""An exported classifier: a folder with model.safetensors and config.json, without any need of the repository."""

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from fer_bench import classifier as classifiers
from fer_bench.errors import InputError
from fer_bench.trained.about import FORMAT, About
from fer_bench.trained.network import Trained
from fer_bench.validation import validate

WEIGHTS, CONFIG = "model.safetensors", "config.json"
ABOUT, SECTION = "fer_bench", "classifier"  # keys of config.json: what `About` holds, and the section of the model


def write_folder(trained: Trained, folder: Path, plain: dict[str, object]) -> None:
    """Write both files; the same network gives the same bytes.

    plain: further keys of config.json, for those who load the weights without fer_bench.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().contiguous() for name, value in trained.classifier.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    config = {
        **plain,
        SECTION: trained.classifier.section.model_dump(mode="json"),
        ABOUT: trained.about.model_dump(mode="json"),
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def of_folder(folder: Path) -> Trained:
    """Read an exported classifier.

    Raises:
        InputError: no export there, one of another format, or a damaged one.
    """
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: no exported classifier here ({name}); `fer-bench export CELL --to FOLDER`")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        state = load_file(folder / WEIGHTS)
    except (json.JSONDecodeError, SafetensorError) as error:
        raise InputError(f"{folder}: the export is damaged ({error}); `fer-bench export` writes it anew") from error
    about = _about(config, folder)
    source = f"{folder / CONFIG}: {SECTION}"
    classifier = classifiers.build(config.get(SECTION) or {}, len(about.expressions), source, pretrained=False)
    try:
        classifier.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise InputError(
            f"{folder}: {WEIGHTS} and {CONFIG} do not fit: {' '.join(str(error).split())[:300]}"
        ) from error
    return Trained(classifier.eval(), about, folder)


def _about(config: object, folder: Path) -> About:
    given = config.get(ABOUT) if isinstance(config, dict) else None
    if not isinstance(given, dict):
        raise InputError(f"{folder / CONFIG}: no key {ABOUT!r}; it was not written by `fer-bench export`")
    if given.get("format") != FORMAT:
        raise InputError(f"{folder / CONFIG}: format {given.get('format')!r}; this version of fer-bench reads {FORMAT}")
    return validate(About, given, str(folder / CONFIG))
