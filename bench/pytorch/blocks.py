"""The blocks that the UNet and the autoencoder of Stable Diffusion 1.5 share. Names of modules are those of its files."""

import torch.nn.functional as F
from torch import nn


class ResnetBlock(nn.Module):
    """Two normalised 3x3 convolutions beside a shortcut; the time embedding is added between them."""

    def __init__(self, in_channels, out_channels, time_channels=None, epsilon=1e-5, groups=32):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, in_channels, eps=epsilon)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        if time_channels is not None:
            self.time_emb_proj = nn.Linear(time_channels, out_channels)
        self.norm2 = nn.GroupNorm(groups, out_channels, eps=epsilon)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else None

    def forward(self, x, time_embedding=None):
        hidden = self.conv1(F.silu(self.norm1(x)))
        if time_embedding is not None:
            hidden = hidden + self.time_emb_proj(F.silu(time_embedding))[:, :, None, None]
        hidden = self.conv2(F.silu(self.norm2(hidden)))
        return hidden + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x):
        return self.conv(x)


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def picture_to_tokens(x):
    """[B, C, H, W] → [B, H·W, C]: a view of a channels-last picture."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def tokens_to_picture(x, height, width):
    """[B, H·W, C] → [B, C, H, W], channels last."""
    return x.unflatten(1, (height, width)).permute(0, 3, 1, 2)
