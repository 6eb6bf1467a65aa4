"""The UNet of Stable Diffusion 1.5 with IP-Adapter's decoupled cross-attention. Names of modules are those of its files."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from attention import attention, decoupled_attention
from blocks import Downsample, ResnetBlock, Upsample, picture_to_tokens, tokens_to_picture
from torch import nn

@dataclass(frozen=True)
class Sizes:
    """Those of Stable Diffusion 1.5, or of a smaller model of its kind."""

    channels: tuple = (320, 640, 1280, 1280)
    heads: int = 8
    text_channels: int = 768
    layers_per_block: int = 2
    groups: int = 32


class UNet(nn.Module):
    def __init__(self, sizes=Sizes()):
        super().__init__()
        channels = sizes.channels
        first, last, time_channels = channels[0], channels[-1], 4 * channels[0]
        self.conv_in = nn.Conv2d(4, first, 3, padding=1)
        self.time_embedding = TimeEmbedding(first, time_channels)
        outer = (first, *channels[:-1])
        final = len(channels) - 1
        self.down_blocks = nn.ModuleList(
            DownBlock(sizes, outer[i], channels[i], time_channels, attends=i < final, resamples=i < final)
            for i in range(len(channels))
        )
        self.mid_block = MidBlock(sizes, last, time_channels)
        reverse = channels[::-1]
        below = (last, *reverse[:-1])
        skips = (*reverse[1:], first)
        self.up_blocks = nn.ModuleList(
            UpBlock(sizes, below[i], reverse[i], skips[i], time_channels, attends=i > 0, resamples=i < final)
            for i in range(len(channels))
        )
        self.conv_norm_out = nn.GroupNorm(sizes.groups, first)
        self.conv_out = nn.Conv2d(first, 4, 3, padding=1)

    def forward(self, sample, timestep, text, image_tokens=None, image_scale=1.0):
        """sample [B, 4, h, w], timestep [B], text [B, 77, 768], image_tokens [B, n, 768] → [B, 4, h, w]"""
        context = (text, image_tokens, image_scale)
        time_embedding = self.time_embedding(timestep, sample.dtype)
        x = self.conv_in(sample.contiguous(memory_format=torch.channels_last))
        skips = [x]
        for block in self.down_blocks:
            x = block(x, time_embedding, context, skips)
        x = self.mid_block(x, time_embedding, context)
        for block in self.up_blocks:
            x = block(x, time_embedding, context, skips)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class TimeEmbedding(nn.Module):
    def __init__(self, in_channels, channels):
        super().__init__()
        self.linear_1 = nn.Linear(in_channels, channels)
        self.linear_2 = nn.Linear(channels, channels)

    def forward(self, timestep, dtype):
        half = self.linear_1.in_features // 2
        frequencies = torch.exp(torch.arange(half, device=timestep.device) * (-math.log(10000) / half))
        angles = timestep[:, None].float() * frequencies
        sinusoids = torch.cat([angles.cos(), angles.sin()], dim=1).to(dtype)
        return self.linear_2(F.silu(self.linear_1(sinusoids)))


class DownBlock(nn.Module):
    def __init__(self, sizes, in_channels, channels, time_channels, attends, resamples):
        super().__init__()
        layers = range(sizes.layers_per_block)
        self.resnets = nn.ModuleList(
            ResnetBlock(in_channels if i == 0 else channels, channels, time_channels, groups=sizes.groups)
            for i in layers
        )
        self.attentions = nn.ModuleList(SpatialTransformer(sizes, channels) for _ in layers) if attends else None
        self.downsamplers = nn.ModuleList([Downsample(channels)]) if resamples else None

    def forward(self, x, time_embedding, context, skips):
        for i, resnet in enumerate(self.resnets):
            x = resnet(x, time_embedding)
            if self.attentions is not None:
                x = self.attentions[i](x, context)
            skips.append(x)
        if self.downsamplers is not None:
            x = self.downsamplers[0](x)
            skips.append(x)
        return x


class MidBlock(nn.Module):
    def __init__(self, sizes, channels, time_channels):
        super().__init__()
        self.resnets = nn.ModuleList(
            ResnetBlock(channels, channels, time_channels, groups=sizes.groups) for _ in range(2)
        )
        self.attentions = nn.ModuleList([SpatialTransformer(sizes, channels)])

    def forward(self, x, time_embedding, context):
        x = self.resnets[0](x, time_embedding)
        return self.resnets[1](self.attentions[0](x, context), time_embedding)


class UpBlock(nn.Module):
    """Takes one skip a layer, the last pushed first."""

    def __init__(self, sizes, in_channels, channels, last_skip, time_channels, attends, resamples):
        super().__init__()
        layers = range(sizes.layers_per_block + 1)
        inputs = [in_channels + channels, *[2 * channels] * (len(layers) - 2), channels + last_skip]
        self.resnets = nn.ModuleList(
            ResnetBlock(inputs[i], channels, time_channels, groups=sizes.groups) for i in layers
        )
        self.attentions = nn.ModuleList(SpatialTransformer(sizes, channels) for _ in layers) if attends else None
        self.upsamplers = nn.ModuleList([Upsample(channels)]) if resamples else None

    def forward(self, x, time_embedding, context, skips):
        for i, resnet in enumerate(self.resnets):
            x = resnet(torch.cat([x, skips.pop()], dim=1), time_embedding)
            if self.attentions is not None:
                x = self.attentions[i](x, context)
        return x if self.upsamplers is None else self.upsamplers[0](x)


class SpatialTransformer(nn.Module):
    def __init__(self, sizes, channels):
        super().__init__()
        self.norm = nn.GroupNorm(sizes.groups, channels, eps=1e-6)
        self.proj_in = nn.Conv2d(channels, channels, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(sizes, channels)])
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x, context):
        tokens = picture_to_tokens(self.proj_in(self.norm(x)))
        tokens = self.transformer_blocks[0](tokens, context)
        return x + self.proj_out(tokens_to_picture(tokens, *x.shape[2:]))


class TransformerBlock(nn.Module):
    def __init__(self, sizes, channels):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn1 = SelfAttention(sizes, channels)
        self.norm2 = nn.LayerNorm(channels)
        self.attn2 = CrossAttention(sizes, channels)
        self.norm3 = nn.LayerNorm(channels)
        self.ff = FeedForward(channels)

    def forward(self, x, context):
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), *context)
        return x + self.ff(self.norm3(x))


class SelfAttention(nn.Module):
    def __init__(self, sizes, channels):
        super().__init__()
        self.heads = sizes.heads
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(channels, channels, bias=False)
        self.to_v = nn.Linear(channels, channels, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x):
        return self.to_out[0](attention(self.to_q(x), self.to_k(x), self.to_v(x), self.heads))


class CrossAttention(nn.Module):
    """To text, and by keys and values of their own to an adapter's image tokens."""

    def __init__(self, sizes, channels):
        super().__init__()
        self.heads = sizes.heads
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(sizes.text_channels, channels, bias=False)
        self.to_v = nn.Linear(sizes.text_channels, channels, bias=False)
        self.to_k_ip = nn.Linear(sizes.text_channels, channels, bias=False)
        self.to_v_ip = nn.Linear(sizes.text_channels, channels, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x, text, image_tokens, image_scale):
        q, k, v = self.to_q(x), self.to_k(text), self.to_v(text)
        if image_tokens is None:
            return self.to_out[0](attention(q, k, v, self.heads))
        image_k, image_v = self.to_k_ip(image_tokens), self.to_v_ip(image_tokens)
        return self.to_out[0](decoupled_attention(q, k, v, image_k, image_v, image_scale, self.heads))


class FeedForward(nn.Module):
    def __init__(self, channels):
        super().__init__()
        # The files number a dropout between the two, which does nothing at inference.
        self.net = nn.Sequential(
            Geglu(channels, 4 * channels), nn.Identity(), nn.Linear(4 * channels, channels)
        )

    def forward(self, x):
        return self.net(x)


class Geglu(nn.Module):
    def __init__(self, in_channels, channels):
        super().__init__()
        self.proj = nn.Linear(in_channels, 2 * channels)

    def forward(self, x):
        hidden, gate = self.proj(x).chunk(2, dim=-1)
        return hidden * F.gelu(gate)
