"""The decoder of Stable Diffusion 1.5's autoencoder. Names of modules are those of its files."""

import torch
import torch.nn.functional as F
from attention import attention
from blocks import ResnetBlock, Upsample, picture_to_tokens, tokens_to_picture
from torch import nn

CHANNELS = (128, 256, 512, 512)
EPSILON = 1e-6


class AutoencoderDecoder(nn.Module):
    def __init__(self, channels=CHANNELS):
        super().__init__()
        self.post_quant_conv = nn.Conv2d(4, 4, 1)
        self.decoder = Decoder(channels)

    def forward(self, latents):
        """latents [B, 4, h, w], divided by the scaling factor → pictures [B, 3, 8h, 8w]"""
        return self.decoder(self.post_quant_conv(latents.contiguous(memory_format=torch.channels_last)))


class Decoder(nn.Module):
    def __init__(self, channels):
        super().__init__()
        reverse = channels[::-1]
        below = (reverse[0], *reverse[:-1])
        self.conv_in = nn.Conv2d(4, reverse[0], 3, padding=1)
        self.mid_block = MidBlock(reverse[0])
        self.up_blocks = nn.ModuleList(
            UpBlock(below[i], reverse[i], resamples=i < len(channels) - 1) for i in range(len(channels))
        )
        self.conv_norm_out = nn.GroupNorm(32, channels[0], eps=EPSILON)
        self.conv_out = nn.Conv2d(channels[0], 3, 3, padding=1)

    def forward(self, x):
        x = self.mid_block(self.conv_in(x))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class MidBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.resnets = nn.ModuleList(ResnetBlock(channels, channels, epsilon=EPSILON) for _ in range(2))
        self.attentions = nn.ModuleList([SpatialAttention(channels)])

    def forward(self, x):
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class SpatialAttention(nn.Module):
    """One head over all pixels."""

    def __init__(self, channels):
        super().__init__()
        self.group_norm = nn.GroupNorm(32, channels, eps=EPSILON)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x):
        tokens = picture_to_tokens(self.group_norm(x))
        attended = attention(self.to_q(tokens), self.to_k(tokens), self.to_v(tokens), heads=1)
        return x + tokens_to_picture(self.to_out[0](attended), *x.shape[2:])


class UpBlock(nn.Module):
    def __init__(self, in_channels, channels, resamples):
        super().__init__()
        self.resnets = nn.ModuleList(
            ResnetBlock(in_channels if i == 0 else channels, channels, epsilon=EPSILON) for i in range(3)
        )
        self.upsamplers = nn.ModuleList([Upsample(channels)]) if resamples else None

    def forward(self, x):
        for resnet in self.resnets:
            x = resnet(x)
        return x if self.upsamplers is None else self.upsamplers[0](x)
