"""Folders as the authors of arXiv 2402.00281 released them, made from networks of ours with small widths."""

import dataclasses
from pathlib import Path

import torch

from fer_bench import classifier
from fer_bench.authors import layout
from fer_bench.authors.catalog import Release
from fer_bench.authors.names import published_names
from fer_bench.authors.survey import section

NARROW = {
    "resnet50": {"channels": [2, 3, 4, 5], "stem_width": 4},
    "deit_small_patch16_224": {"embed_dim": 24, "depth": 2, "num_heads": 2},
    "ir50": {"channels": [4, 6, 8], "depths": [1, 2, 1]},
}
NARROW_HEADS = {"acol": {"width": 6}, "apvit": {"dim": 12, "depth": 2, "heads": 2, "pooled_blocks": [2]}}

# As the published code writes it: a dump of Python objects, with tags, times and paths of another machine.
CONFIG = """\
MYSEED: 0
abs_fd_exp: null
acol_drop_threshold: 0.1
adl_drop_rate: 0.4
adl_drop_threshold: 0.1
align_atten_to_heatmap: {guided}
align_atten_to_heatmap_align_type: random_avg
align_atten_to_heatmap_elb: false
align_atten_to_heatmap_end_ep: -1
align_atten_to_heatmap_folder: ''
align_atten_to_heatmap_lambda: {weight}
align_atten_to_heatmap_layers: '{layers}'
align_atten_to_heatmap_loss: cosine
align_atten_to_heatmap_norm_att: norm_none
align_atten_to_heatmap_normalize: true
align_atten_to_heatmap_p: 1.0
align_atten_to_heatmap_q: 1.0
align_atten_to_heatmap_scale_to: scale_to_attention
align_atten_to_heatmap_start_ep: 0
align_atten_to_heatmap_type_heatmap: heatmap_action_units_from_landmarks
align_atten_to_heatmap_use_self_atten: false
amp: true
batch_size: 224
best_epoch: 0
ce: true
ce_label_smoothing: 0.0
crop_size: {crop}
cutmix_beta: 1.0
cutmix_prob: 1.0
data_paths: !munch.Munch
  test: /elsewhere/datasets/{dataset}
  train: /elsewhere/datasets/{dataset}
  val: /elsewhere/datasets/{dataset}
data_weighted_sampler: false
dataset: {dataset}
dense_dims: None
eval_daug_mask_img_heatmap: false
img_range: tanh
max_epochs: 20
method: {method}
model:
  apvit_apply_self_att: false
  apvit_attn_method: SUM_ABS_1
  apvit_hid_att_dim: 128
  apvit_k: 160
  apvit_normalize_att: false
  apvit_r: 0.9
  arch: STDClassifier
  do_segmentation: false
  encoder_name: {encoder}
  encoder_weights: imagenet
  large_maps: {large_maps}
  scale_in: 1.0
  spatial_dropout: 0.0
  support_background: false
num_classes: 7
optimizer:
  opt__clipgrad: 0.0
  opt__gamma: 0.9
  opt__lr: 0.002
  opt__lr_classifier_ratio: 1.0
  opt__min_lr: 1.0e-07
  opt__name_optimizer: sgd
  opt__nesterov: true
  opt__step_size: 4
  opt__weight_decay: 0.0005
outd: /elsewhere/exps/FG_FER
prm_ks: 3
prm_st: 1
resize_size: 256
scoremap_paths: !munch.Munch
  test: /elsewhere/scoremaps/test
spatial_pooling: {pooling}
std_cl_w_style: cl_w_none
t0: 2024-01-26 15:18:50.123456
task: STD_CL
tend: null
train_daug_mask_img_heatmap: false
valid_freq_mb: 0.0437
wc_alpha: 0.6
wc_dropout: 0.0
wc_kmax: 0.5
wc_kmin: 0.1
wc_modalities: 5
"""


def config(folder: layout.Folder, release: Release, weight: float, layers: str, large_maps: bool) -> str:
    """Text of config_model.yaml; one that was trained without alignment holds the values of a default."""
    return CONFIG.format(
        guided=str(folder.guided).lower(),
        weight=weight,
        layers=layers,
        crop=release.input_size,
        dataset=folder.dataset,
        method=folder.key,
        encoder=folder.encoder,
        large_maps=str(large_maps).lower(),
        pooling=release.pooling,
    )


def narrow(release: Release) -> Release:
    """The same release with a network of few channels."""
    fixed = release.fixed | NARROW_HEADS.get(release.method, {})
    return dataclasses.replace(release, kwargs=NARROW[release.backbone], fixed=fixed)


def network(release: Release, seed: int = 0, large_maps: bool = True, untrained: bool = False) -> classifier.Classifier:
    """A network of ours for that release, every tensor of it random, or `untrained` as it begins, in eval mode."""
    described = {key: value for key, value in section(release).items() if key not in ("explainers", "train")}
    if not release.transformer:
        described["kwargs"] = {**described["kwargs"], "large_maps": large_maps}
    torch.manual_seed(seed)
    built = classifier.build({**described, "normalisation": "imagenet", "method_kwargs": release.fixed})
    for name, value in ({} if untrained else built.state_dict()).items():
        if value.is_floating_point() and name not in ("mean", "std"):  # statistics and zeroed layers too
            value.copy_(torch.rand_like(value) * 0.2 + (0.9 if name.endswith("running_var") else -0.1))
    return built.eval()


def published_state(release: Release, built: classifier.Classifier) -> dict:
    """The network as a released file holds it: flat for transformers, two state dicts for ResNets."""
    state = built.state_dict()
    flat = {theirs: state[ours].clone() for ours, theirs in published_names(release, state).items()}
    if release.transformer:
        return flat
    parts: dict[str, dict[str, torch.Tensor]] = {"encoder": {}, "classification_head": {}}
    for name, value in flat.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    return parts


def write(
    holder: Path,
    folder: layout.Folder,
    release: Release,
    state: dict,
    weight: float = 4.0,
    layers: str = "",
    large_maps: bool = True,
) -> Path:
    """Write the folder of one released network."""
    path = holder / folder.path
    path.mkdir(parents=True)
    layers = layers or ("1" if release.transformer else "5")
    (path / layout.CONFIG_FILE).write_text(config(folder, release, weight, layers, large_maps), encoding="utf-8")
    torch.save(state, path / layout.WEIGHTS_FILE)
    return path
