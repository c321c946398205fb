"""Optimisers and learning-rate schedules, built from the section `train`."""

import math

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from fer_bench.train_settings import TrainSettings


def optimizer(module: nn.Module, head: nn.Module, settings: TrainSettings) -> Optimizer:
    """Build the optimiser with two parameter groups: the backbone and the head, which may learn faster."""
    of_head = {id(parameter) for parameter in head.parameters()}
    backbone = [parameter for parameter in module.parameters() if id(parameter) not in of_head]
    rate = settings.learning_rate
    groups = [
        {"params": backbone, "lr": rate},
        {"params": list(head.parameters()), "lr": rate * settings.head_learning_rate_ratio},
    ]
    if settings.optimizer == "adamw":
        # Fused: one pass over the weights. It takes each gradient to lie in memory as its weight does, which autograd
        # sees to; SGD gains nothing by it.
        return AdamW(groups, lr=rate, weight_decay=settings.weight_decay, fused=True)
    return SGD(groups, lr=rate, momentum=settings.momentum, nesterov=True, weight_decay=settings.weight_decay)


def schedule(optimizer: Optimizer, settings: TrainSettings, steps_per_epoch: int) -> LambdaLR:
    """Build the schedule; it is advanced after every step, and the step schedule changes at epoch borders only."""
    return LambdaLR(optimizer, lambda step: factor(step, settings, steps_per_epoch))


def factor(step: int, settings: TrainSettings, steps_per_epoch: int) -> float:
    """Multiplier of the learning rate at a step counted from 0, never below minimum_learning_rate."""
    epoch = step / steps_per_epoch
    floor = settings.minimum_learning_rate / settings.learning_rate
    if epoch < settings.warmup_epochs:
        return max((step + 1) / (settings.warmup_epochs * steps_per_epoch), floor)
    if settings.schedule == "constant":
        return 1.0
    if settings.schedule == "step":
        return max(settings.step_factor ** (int(epoch) // settings.step_epochs), floor)
    share = (epoch - settings.warmup_epochs) / max(settings.epochs - settings.warmup_epochs, 1)
    return max(0.5 * (1 + math.cos(math.pi * min(share, 1.0))), floor)


def class_weights(labels: torch.Tensor, num_classes: int, settings: TrainSettings) -> torch.Tensor | None:
    """Weights (K,) of the cross-entropy, inverse to class frequency with mean one over the samples, or None."""
    if settings.class_weights == "none":
        return None
    counts = torch.bincount(labels, minlength=num_classes).clamp(min=1)
    return len(labels) / (num_classes * counts.float())
