"""From a released configuration to the keys of our model: what differs from cell to cell, or why it cannot be said."""

from typing import Any

from fer_bench.authors.catalog import Release
from fer_bench.authors.config import Config
from fer_bench.authors.layout import Folder
from fer_bench.errors import InputError

MAPS = "heatmap_action_units_from_landmarks"
WHOLE = (0, -1)  # the first epoch of the alignment term, and no last one


def check(config: Config, folder: Folder, release: Release) -> None:
    """Compare a configuration with the folder it lies in and with what our networks can be.

    Raises:
        InputError: they disagree, or the network has something that ours have not; names the key and both values.
    """
    network = config.model
    told = [
        ("dataset", config.dataset, folder.dataset),
        ("method", config.method, folder.key),
        ("spatial_pooling", config.spatial_pooling, release.pooling),
        ("model.encoder_name", network.encoder_name, folder.encoder),
        ("align_atten_to_heatmap", config.align_atten_to_heatmap, folder.guided),
        ("task", config.task, "STD_CL"),
        ("num_classes", config.num_classes, 7),
        ("dense_dims", config.dense_dims or "None", "None"),
        ("eval_daug_mask_img_heatmap", config.eval_daug_mask_img_heatmap, False),
        ("model.scale_in", network.scale_in, 1.0),
        ("model.support_background", network.support_background, False),
        ("model.do_segmentation", network.do_segmentation, False),
    ]
    if folder.guided and release.transformer:
        told.append(("align_atten_to_heatmap_use_self_atten", config.align_atten_to_heatmap_use_self_atten, False))
    if release.method == "prm":
        told += [("prm_ks", config.prm_ks, 3), ("prm_st", config.prm_st, 1)]
    if release.method == "apvit":
        told += [
            ("model.apvit_attn_method", network.apvit_attn_method, "SUM_ABS_1"),
            ("model.apvit_normalize_att", network.apvit_normalize_att, False),
            ("model.apvit_apply_self_att", network.apvit_apply_self_att, False),
        ]
    for key, given, wanted in told:
        if given != wanted:
            raise InputError(f"{key}: the configuration says {given!r}, expected {wanted!r}")


def overrides(config: Config, release: Release) -> dict[str, Any]:
    """Keys of a model in params.yaml that this network decides; `guidance` only where it was trained with guidance."""
    kwargs = {} if release.transformer else {"large_maps": config.model.large_maps}
    found: dict[str, Any] = {
        "kwargs": release.kwargs | kwargs,
        "input_size": config.crop_size,
        "normalisation": normalisation(config),
        "method_kwargs": _method_kwargs(config, release) | release.fixed,
    }
    if config.align_atten_to_heatmap:
        found["guidance"] = _guidance(config, release)
        if config.align_atten_to_heatmap_use_self_atten:  # of the guided layers, in evaluation too
            found["self_attention"] = _layers(config, release)
    return found


def normalisation(config: Config) -> str:
    """Mean and deviation of the images go with the initial weights: ImageNet's, or 0 and 1."""
    weights = config.model.encoder_weights
    known = {"imagenet": "imagenet", "None": "auto", None: "auto"}
    if weights not in known:
        raise InputError(f"model.encoder_weights: {weights!r} has a normalisation of its own; known: imagenet, None")
    return known[weights]


def _method_kwargs(config: Config, release: Release) -> dict[str, Any]:
    """Options of our method by the names of the published ones."""
    network = config.model
    options: dict[str, dict[str, Any]] = {
        "wildcat": {
            "modalities": config.wc_modalities,
            "kmax": config.wc_kmax,
            "kmin": config.wc_kmin,
            "alpha": config.wc_alpha,
        },
        "acol": {"threshold": config.acol_drop_threshold},
        "adl": {"drop_rate": config.adl_drop_rate, "drop_threshold": config.adl_drop_threshold},
        "cutmix": {"probability": config.cutmix_prob, "beta": config.cutmix_beta},
        "apvit": {"keep_tokens": network.apvit_k, "keep_fraction": network.apvit_r},
    }
    return options.get(release.method, {})


def _guidance(config: Config, release: Release) -> dict[str, Any]:
    """The alignment term as a section of guidance `au`."""
    if config.align_atten_to_heatmap_type_heatmap != MAPS or not config.align_atten_to_heatmap_normalize:
        kind = config.align_atten_to_heatmap_type_heatmap
        scaled = "" if config.align_atten_to_heatmap_normalize else " that are not normalised"
        raise InputError(f"align_atten_to_heatmap_type_heatmap: given {kind!r}{scaled}, expected {MAPS}, normalised")
    active = (config.align_atten_to_heatmap_start_ep, config.align_atten_to_heatmap_end_ep)
    if active != WHOLE:
        raise InputError(f"align_atten_to_heatmap_start_ep, _end_ep: given {active}, expected {WHOLE}, all epochs")
    return {
        "variant": "paper",
        "codebook": "drawn",
        "weight": config.align_atten_to_heatmap_lambda,
        "layers": _layers(config, release),
        "loss": _loss(config),
        **_attention(config),
        "normalise": config.align_atten_to_heatmap_norm_att.removeprefix("norm_"),
        "scale_to": config.align_atten_to_heatmap_scale_to.removeprefix("scale_to_"),
    }


def _layers(config: Config, release: Release) -> list[int]:
    """Layers as numbered here; the one map of a transformer is layer 1 there and 5 here."""
    given = str(config.align_atten_to_heatmap_layers)
    try:
        layers = [int(part) for part in given.split("-")]
    except ValueError:
        raise InputError(f"align_atten_to_heatmap_layers: given {given!r}, expected numbers such as 5 or 5-4") from None
    if not release.transformer:
        return layers
    if layers != [1]:
        raise InputError(f"align_atten_to_heatmap_layers: given {given!r}; {release.encoder} has a map as layer 1 only")
    return [5]


def _loss(config: Config) -> str | None:
    if not config.align_atten_to_heatmap_elb:
        return config.align_atten_to_heatmap_loss
    if config.align_atten_to_heatmap_loss != "cosine":
        raise InputError(f"align_atten_to_heatmap_elb: no log-barrier on {config.align_atten_to_heatmap_loss!r} here")
    return "elb"


def _attention(config: Config) -> dict[str, Any]:
    """How channels were averaged; random channels that are all kept are the plain average."""
    kind = config.align_atten_to_heatmap_align_type
    if kind == "random_avg" and config.align_atten_to_heatmap_p < 1:
        return {"attention": kind, "p": config.align_atten_to_heatmap_p}
    if kind == "avg_fixed_q":
        return {"attention": kind, "q": config.align_atten_to_heatmap_q}
    return {"attention": "avg" if kind == "random_avg" else kind}
