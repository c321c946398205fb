"""APViT's transformer block: attention whose class-token scores decide which patch tokens go on."""

import math

import torch
from torch import nn

EPS = 1e-6  # of every layer norm


def keep_largest(tokens: torch.Tensor, weights: torch.Tensor, count: int) -> torch.Tensor:
    """Keep the `count` tokens of the largest weights, in the order they had; of equal weights the earlier token.

    tokens: (B, N, D); weights: (B, N); returns (B, count, D).
    """
    if count >= tokens.shape[1]:
        return tokens
    # A stable sort and not topk: which of equal weights topk takes is left open, and differs between devices.
    chosen = weights.argsort(dim=1, descending=True, stable=True)[:, :count].sort(dim=1).values
    return tokens.gather(1, chosen[:, :, None].expand(-1, -1, tokens.shape[2]))


def kept_count(tokens: int, fraction: float) -> int:
    """Return the whole part of `fraction * tokens`, at least 1: 160 -> 144 -> 129 -> 116 -> 104 with 0.9."""
    return max(1, math.floor(round(fraction * tokens, 9)))  # rounded first: 0.57 * 100 is 56.99999999999999


def precise(values: torch.Tensor) -> torch.Tensor:
    """In single precision at least, whatever autocast does: what ranks tokens must not tie by rounding."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


class Attention(nn.Module):
    """Multi-head self-attention, scale 1 / sqrt(dim / heads), no bias on queries, keys and values."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, N, D) -> attended tokens (B, N, D); the class token's scores for every token (B, N).

        The scores are those before the soft-max, summed over heads, without a gradient: they only rank.
        """
        query, key, value = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = nn.functional.scaled_dot_product_attention(query, key, value)
        with torch.no_grad():
            scores = (precise(query[:, :, :1]) * precise(key)).sum((1, 3)) / math.sqrt(query.shape[-1])
        return self.proj(attended.transpose(1, 2).flatten(2)), scores


class Mlp(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, N, D) -> (B, N, D)."""
        return self.fc2(nn.functional.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """A pre-norm block that keeps a fraction of the patch tokens, and the class token, which stands first.

    Tokens are dropped after the attention and its residual, before the MLP. Parameter names are timm's.
    """

    def __init__(self, dim: int, heads: int, hidden: int, keep_fraction: float) -> None:
        super().__init__()
        self.keep_fraction = keep_fraction
        self.norm1 = nn.LayerNorm(dim, eps=EPS)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=EPS)
        self.mlp = Mlp(dim, hidden)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, 1 + N, D) -> (B, 1 + kept_count(N, keep_fraction), D)."""
        attended, scores = self.attn(self.norm1(tokens))
        tokens = self._pooled(tokens + attended, scores)
        return tokens + self.mlp(self.norm2(tokens))

    def _pooled(self, tokens: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        count = kept_count(tokens.shape[1] - 1, self.keep_fraction)
        patches = keep_largest(tokens[:, 1:], scores[:, 1:], count)
        return torch.cat([tokens[:, :1], patches], dim=1)
