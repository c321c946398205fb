"""What a released configuration (config_model.yaml) says about a network and its training."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fer_bench.settings import Settings
from fer_bench.validation import validate
from fer_bench.yaml_file import read_untagged_yaml

Scalar = bool | int | float | str | None


class Network(Settings):
    """The part `model`. A key with a default may be absent: it came into the code while networks were trained."""

    encoder_name: str
    encoder_weights: str | None
    large_maps: bool
    scale_in: float = 1.0
    support_background: bool = False
    do_segmentation: bool = False
    apvit_k: int = 160
    apvit_r: float = 0.9
    apvit_attn_method: str = "SUM_ABS_1"
    apvit_normalize_att: bool = False
    apvit_apply_self_att: bool = False


class Config(Settings):
    """The keys that say what the network is and how it was trained.

    Left out: paths of other machines, times, and `best_epoch`, which is written before it is known and always 0.
    """

    dataset: str
    method: str
    spatial_pooling: str
    crop_size: int
    align_atten_to_heatmap: bool
    model: Network
    # what the network is
    task: str = "STD_CL"
    num_classes: int = 7
    dense_dims: str | None = None
    wc_modalities: int = 5
    wc_kmax: float = 0.5
    wc_kmin: float = 0.1
    wc_alpha: float = 0.6
    acol_drop_threshold: float = 0.1
    prm_ks: int = 3
    prm_st: int = 1
    align_atten_to_heatmap_use_self_atten: bool = False
    eval_daug_mask_img_heatmap: bool = False
    # how attention was aligned
    align_atten_to_heatmap_type_heatmap: str | None = None
    align_atten_to_heatmap_normalize: bool | None = None
    align_atten_to_heatmap_layers: str | int | None = None
    align_atten_to_heatmap_lambda: float | None = None
    align_atten_to_heatmap_loss: str | None = None
    align_atten_to_heatmap_align_type: str | None = None
    align_atten_to_heatmap_elb: bool = False
    align_atten_to_heatmap_norm_att: str = "norm_none"
    align_atten_to_heatmap_p: float = 1.0
    align_atten_to_heatmap_q: float = 1.0
    align_atten_to_heatmap_scale_to: str = "scale_to_attention"
    align_atten_to_heatmap_start_ep: int = 0
    align_atten_to_heatmap_end_ep: int = -1
    # the rest of the training; None: the configuration does not say
    resize_size: int | None = None
    batch_size: int | None = None
    max_epochs: int | None = None
    valid_freq_mb: float | None = None
    MYSEED: int | None = None
    amp: bool | None = None
    std_cl_w_style: str | None = None
    data_weighted_sampler: bool | None = None
    train_daug_mask_img_heatmap: bool | None = None
    ce_label_smoothing: float | None = None
    cutmix_prob: float = 1.0
    cutmix_beta: float = 1.0
    adl_drop_rate: float = 0.4
    adl_drop_threshold: float = 0.1
    optimizer: dict[str, Scalar] = {}


def read(path: Path) -> Config:
    """Read a configuration; InputError names the file and the key that is missing or of another type."""
    given = read_untagged_yaml(path)
    chosen = _chosen(given, Config) | {"model": _chosen(given.get("model"), Network)}
    return validate(Config, chosen, f"{path}: config")


def _chosen(given: Any, kind: type[BaseModel]) -> dict[str, Any]:
    return {key: given[key] for key in kind.model_fields if key in given} if isinstance(given, dict) else {}
