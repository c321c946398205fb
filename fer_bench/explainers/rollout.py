"""Attention rollout: how much of every patch flows through all blocks into what the classifier reads."""

from typing import Any

import torch

from fer_bench.explainers._abilities import attends, unreadable_attention
from fer_bench.explainers._forward import precise
from fer_bench.explainers.base import Evidence, ExplainerBase


class Explainer(ExplainerBase):
    """Abnar & Zuidema 2020: product over blocks of (A + I) / 2, A the soft-max averaged over heads.

    The row shown is that of the class token where the method reads the class token's attention (TS-CAM). Where the
    head averages the patches it is the mean of the patches' rows: nothing reads the class token there, if there is one.
    Costs a forward pass with explicit attention, however many classes are asked for.
    """

    label = "Attention rollout"
    citation = "10.18653/v1/2020.acl-main.385"
    class_specific = False

    def supports(self, classifier: Any) -> str | None:
        """Rollout needs attention matrices of all blocks, and to know which tokens the classifier reads."""
        reason = unreadable_attention(classifier)
        if reason is None and not attends(classifier) and classifier.head_weight is None:
            return "no token to start from: the head neither averages the patches nor reads the class token's attention"
        return reason

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Flow from the patches (B, h, w); over all tokens it sums to one."""
        return evidence.once("rollout", lambda: _rollout(evidence))


def _rollout(evidence: Evidence) -> torch.Tensor:
    classifier = evidence.classifier
    matrices = classifier.backbone.attention_matrices(classifier.normalise(evidence.images))
    flow = torch.zeros_like(precise(matrices[0][:, 0]))
    if attends(classifier):
        flow[:, 0] = 1
    else:
        flow[:, -evidence.cells :] = 1 / evidence.cells
    # A row times matrices, from the last block down: N² a block, where the product of matrices would cost N³.
    for matrix in reversed(matrices):
        flow = (flow + torch.einsum("bn,bnm->bm", flow, precise(matrix))) / 2
    return flow[:, -evidence.cells :].reshape(-1, *evidence.features.shape[-2:])
