"""APViT's start from an ImageNet transformer: which tensors go where, and what a file that does not fit is told."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from timm.layers import resample_abs_pos_embed

from fer_bench import classifier, weight_files
from fer_bench.errors import InputError

HEAD: dict[str, Any] = {"dim": 24, "depth": 2, "heads": 3, "pooled_blocks": [2]}
KWARGS = {"embed_dim": 24, "depth": 2, "num_heads": 3, "mlp_ratio": 3, "qkv_bias": False, "img_size": 64}
NEW = ("projection.", "head.")


def network(blocks: str, seed: int = 0, **changes: Any) -> classifier.Classifier:
    torch.manual_seed(seed)
    kwargs = {"channels": [8, 16, 24], "depths": [1, 1, 2]}
    section = {"backbone": "ir50", "kwargs": kwargs, "method": "apvit", "input_size": 64}
    return classifier.build({**section, "method_kwargs": {**HEAD, "blocks": blocks, **changes}}).eval()


def transformer(**changes: Any) -> dict[str, torch.Tensor]:
    """A timm ViT of this size whose values nobody else has: 8 x 8 patches, class token, ImageNet head."""
    torch.manual_seed(9)
    net = timm.create_model("vit_small_patch16_224", patch_size=8, **{**KWARGS, **changes})
    return {name: torch.randn_like(value) for name, value in net.state_dict().items()}


def written(state: dict[str, torch.Tensor], folder: Path, name: str = "vit.pth") -> Path:
    torch.save(state, folder / name)
    return folder / name


def test_every_tensor_lands_where_the_published_code_puts_it(tmp_path: Path) -> None:
    state = transformer()
    found, plain = network(f"file:{written(state, tmp_path)}").method, network("random").method
    assert torch.equal(found.class_token, state["cls_token"])
    assert torch.equal(found.class_position, state["pos_embed"][:, :1])
    assert torch.equal(found.patch_positions, state["pos_embed"][:, 1:])
    for name, value in found.state_dict().items():
        if name.startswith(("blocks.", "norm.")):
            assert torch.equal(value, state[name]), name
        elif name.startswith(NEW):  # no counterpart there: their own start, the same random numbers
            assert torch.equal(value, plain.state_dict()[name]), name
    assert not found.head.weight.any()


def test_positions_of_another_grid_are_resampled(tmp_path: Path) -> None:
    state = transformer(img_size=112)  # 14 x 14
    found = network(f"file:{written(state, tmp_path)}").method
    expected = resample_abs_pos_embed(state["pos_embed"], [8, 8])
    torch.testing.assert_close(torch.cat([found.class_position, found.patch_positions], 1), expected)


def test_the_published_file_is_fetched_once_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(transformer(), tmp_path)
    named = path.rename(tmp_path / f"vit-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth")
    monkeypatch.setattr(weight_files, "VIT_SMALL", named.as_uri())
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    first = network("timm").method.state_dict()
    named.unlink()
    assert all(torch.equal(value, first[name]) for name, value in network("timm").method.state_dict().items())


def test_a_file_that_is_not_what_its_name_says_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(transformer(), tmp_path, "vit-01234567.pth")
    monkeypatch.setattr(weight_files, "VIT_SMALL", path.as_uri())
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    with pytest.raises(InputError, match=r"method_kwargs\.blocks: .* could not be fetched: invalid hash"):
        network("timm")
    assert not (tmp_path / "cache/hub/checkpoints/vit-01234567.pth").exists()


def test_without_a_network_the_error_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_files, "VIT_SMALL", "http://127.0.0.1:9/vit_small-15ec54c9.pth")  # nobody listens there
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError) as caught:
        network("timm")
    message = str(caught.value)
    assert message.startswith("params.yaml: models.method_kwargs.blocks: http://127.0.0.1:9/") and "\n" not in message
    assert "without a network put it into" in message and "file:PATH" in message


def test_the_published_shapes_fit() -> None:
    """The file's network, in timm's words of today, against the transformer of the paper."""
    with torch.device("meta"):
        theirs = timm.create_model(
            "vit_small_patch16_224", embed_dim=768, depth=8, num_heads=8, mlp_ratio=3, qkv_bias=False
        ).state_dict()
        ours = classifier.build({"backbone": "ir50", "method": "apvit", "input_size": 112}).method.state_dict()
    same = {name for name in ours if name.startswith(("blocks.", "norm."))}
    assert {name for name in theirs if name.startswith(("blocks.", "norm."))} == same
    assert all(theirs[name].shape == ours[name].shape for name in same)
    assert theirs["pos_embed"].shape == (1, 1 + ours["patch_positions"].shape[1], 768)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"depth": 1}, "does not fit APViT's transformer: missing blocks.1.norm1.weight"),
        ({"depth": 3}, "unexpected blocks.2.norm1.weight"),
        ({"mlp_ratio": 4}, r"blocks.0.mlp.fc1.weight is \(96, 24\), not \(72, 24\)"),
        ({"qkv_bias": True}, "unexpected blocks.0.attn.qkv.bias"),
        ({"class_token": False, "global_pool": "avg"}, "is no vision transformer of timm: it has no cls_token"),
    ],
)
def test_files_that_do_not_fit_are_refused(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    path = written(transformer(**change), tmp_path)
    with pytest.raises(InputError, match=rf"method_kwargs\.blocks: .*{reason}"):
        network(f"file:{path}")


def test_positions_of_no_square_are_refused(tmp_path: Path) -> None:
    state = transformer()
    state["pos_embed"] = state["pos_embed"][:, :-1]
    with pytest.raises(InputError, match="has 64 positions, no class token and a square of patches"):
        network(f"file:{written(state, tmp_path)}")


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(InputError, match=r"method_kwargs\.blocks: given 'imagenet'"):
        network("imagenet")


def test_a_trained_network_needs_the_file_no_more(tmp_path: Path) -> None:
    path = written(transformer(), tmp_path)
    trained = network(f"file:{path}")
    classifier.save(trained, tmp_path / "saved")
    path.unlink()
    loaded = classifier.load_folder(tmp_path / "saved")
    assert all(torch.equal(value, trained.state_dict()[name]) for name, value in loaded.state_dict().items())
    assert loaded.section.method_kwargs["blocks"] == f"file:{path}"


def test_forms_of_a_section_are_known_without_reading() -> None:
    section = {
        "backbone": "ir50",
        "weights": "file:a.pth",
        "method": "apvit",
        "method_kwargs": {"blocks": "file:b.pth"},
    }
    assert classifier.initial_weights(section) == {"weights": "file:a.pth", "method_kwargs.blocks": "file:b.pth"}
    assert classifier.initial_weights({"backbone": "resnet18"}) == {"weights": "random"}
