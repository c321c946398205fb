"""torchvision without its compiled operators (a CPU build of torch beside the stock wheel) stays importable."""

import os
import subprocess
import sys
from pathlib import Path

import torchvision

from fer_bench import _torchvision


def _run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_a_broken_torchvision_becomes_importable(tmp_path: Path) -> None:
    """The package is laid out again without its compiled library: just what a library that cannot load looks like."""
    package = tmp_path / "torchvision"
    package.mkdir()
    for item in Path(torchvision.__file__).parent.iterdir():
        if not item.name.startswith("_C"):
            (package / item.name).symlink_to(item)
    code = (
        "import sys\n"
        "try:\n"
        "    import torchvision\n"
        "except RuntimeError as error:\n"
        "    assert 'torchvision::nms does not exist' in str(error), error\n"
        "else:\n"
        "    sys.exit('the stand-in is not broken')\n"
        "from fer_bench import _torchvision\n"
        "assert _torchvision.import_torchvision() is True\n"
        "assert _torchvision.import_torchvision() is False\n"
        "import torchvision, torch\n"
        f"assert torchvision.__file__.startswith({str(tmp_path)!r})\n"
        "from torchvision.transforms import v2\n"
        "assert v2.functional.resize(torch.rand(3, 8, 8), [4, 4]).shape == (3, 4, 4)\n"
        "import fer_bench.classifier as classifier\n"
        "built = classifier.build({'backbone': 'resnet10t', 'input_size': 32}).eval()\n"
        "assert built(torch.rand(1, 3, 32, 32)).logits.shape == (1, 7)\n"
    )
    result = _run(code, tmp_path)
    assert result.returncode == 0, result.stderr


def test_a_sound_torchvision_is_left_alone() -> None:
    assert _torchvision.import_torchvision() is False
    assert not _torchvision._kept
