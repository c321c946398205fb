"""`fer-bench export --to hub:OWNER/NAME`: an exported folder as a model on the Hugging Face Hub."""

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from fer_bench.backbones.hub import unreachable
from fer_bench.errors import InputError

PREFIX = "hub:"


def checked(to: str) -> str:
    """Return OWNER/NAME of hub:OWNER/NAME.

    Raises:
        InputError: no name that the hub can have.
    """
    name = to.removeprefix(PREFIX)
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise InputError(f"--to {to}: {error}") from None
    if "/" not in name:
        raise InputError(f"--to {to}: names no owner; give hub:OWNER/NAME")
    return name


def upload(folder: Path, to: str, public: bool = False) -> str:
    """Upload an exported folder and return the model's address.

    A model that does not exist yet is made private unless `public`: weights learnt from data under a licence may not be
    passed on. One that exists stays as visible as it is.

    Args:
        folder: made by `fer_bench.export.export`.
        to: hub:OWNER/NAME.
        public: make a new model visible to everybody.

    Raises:
        InputError: no such name, no network, no token, or no right to write there.
    """
    name, reason = checked(to), unreachable()
    if reason is not None:
        raise InputError(f"--to {to}: {reason}; try again where there is a network, or give a folder")
    api = HfApi()
    try:
        made = api.create_repo(name, private=not public, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder, commit_message="fer-bench export")
    except (LocalTokenNotFoundError, HfHubHTTPError) as error:
        said = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
        raise InputError(f"--to {to}: {said}; `hf auth login` takes a token that may write there") from None
    return str(made)
