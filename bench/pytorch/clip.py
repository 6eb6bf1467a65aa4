"""CLIP's towers: the text encoder of Stable Diffusion 1.5 (CLIP-L) and the image encoder of IP-Adapters (ViT-H/14)."""

import torch
import torch.nn.functional as F
from attention import attention
from torch import nn


class EncoderLayer(nn.Module):
    def __init__(self, channels, hidden, heads, activation, causal):
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(channels)
        self.q_proj = nn.Linear(channels, channels)
        self.k_proj = nn.Linear(channels, channels)
        self.v_proj = nn.Linear(channels, channels)
        self.out_proj = nn.Linear(channels, channels)
        self.layer_norm2 = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)
        self.heads, self.activation, self.causal = heads, activation, causal

    def forward(self, x):
        normed = self.layer_norm1(x)
        q, k, v = self.q_proj(normed), self.k_proj(normed), self.v_proj(normed)
        x = x + self.out_proj(attention(q, k, v, self.heads, self.causal))
        return x + self.fc2(self.activation(self.fc1(self.layer_norm2(x))))


class ClipText(nn.Module):
    """CLIP-L/14's text tower."""

    def __init__(self, channels=768, hidden=3072, heads=12, layers=12, vocabulary=49408, positions=77):
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, channels)
        self.position_embedding = nn.Embedding(positions, channels)
        self.layers = nn.ModuleList(
            EncoderLayer(channels, hidden, heads, quick_gelu, causal=True) for _ in range(layers)
        )
        self.final_layer_norm = nn.LayerNorm(channels)

    def forward(self, token_ids):
        """[B, N] → last hidden states [B, N, channels]"""
        x = self.token_embedding(token_ids) + self.position_embedding.weight[: token_ids.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.final_layer_norm(x)


class ClipVision(nn.Module):
    """ViT-H/14, of which IP-Adapter+ and IPAdapter-Instruct read the hidden states before the last layer."""

    def __init__(self, channels=1280, hidden=5120, heads=16, layers=32, size=224, patch=14):
        super().__init__()
        self.class_embedding = nn.Parameter(torch.empty(channels))
        self.patch_embedding = nn.Conv2d(3, channels, patch, stride=patch, bias=False)
        self.position_embedding = nn.Embedding((size // patch) ** 2 + 1, channels)
        self.pre_layrnorm = nn.LayerNorm(channels)
        self.layers = nn.ModuleList(
            EncoderLayer(channels, hidden, heads, F.gelu, causal=False) for _ in range(layers - 1)
        )

    def forward(self, pixels):
        """[B, 3, size, size] → [B, 1 + patches, channels]"""
        patches = self.patch_embedding(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_embedding.expand(len(pixels), 1, -1), patches], dim=1)
        x = self.pre_layrnorm(tokens + self.position_embedding.weight)
        for layer in self.layers:
            x = layer(x)
        return x


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)
