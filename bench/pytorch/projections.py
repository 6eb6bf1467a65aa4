"""IPAdapter-Instruct's projection as it was released: learnt queries that attend to image, prompt and instruction.

Names of modules are those of its files.
"""

import torch
from attention import attention
from torch import nn


class InstructResampler(nn.Module):
    def __init__(self, channels=768, heads=12, depth=4, tokens=16, image_channels=1280, text_channels=768):
        super().__init__()
        self.latents = nn.Parameter(torch.empty(1, tokens, channels))
        self.proj_in = nn.Linear(image_channels, channels)
        self.proj_prompt_input = nn.Linear(text_channels, channels)
        self.proj_new_input = nn.Linear(text_channels, channels)
        self.layers = stream(channels, heads, depth, multiplier=4)
        self.prompt_layers = stream(channels, heads, depth, multiplier=2)
        self.new_input_layers = stream(channels, heads, depth, multiplier=2)
        self.proj_out = nn.Linear(channels, text_channels)
        self.norm_out = nn.LayerNorm(text_channels)

    def forward(self, image, prompt, instruction):
        """image [B, 257, 1280], prompt and instruction [B, 77, 768] → [B, tokens, 768]"""
        image, prompt = self.proj_in(image), self.proj_prompt_input(prompt)
        instruction = self.proj_new_input(instruction)
        x = self.latents.expand(len(image), -1, -1)
        for layers in zip(self.layers, self.prompt_layers, self.new_input_layers):
            for (attend, feed_forward), context in zip(layers, (image, prompt, instruction)):
                x = x + attend(context, x)
                x = x + feed_forward(x)
        return self.norm_out(self.proj_out(x))


def stream(channels, heads, depth, multiplier):
    return nn.ModuleList(
        nn.ModuleList([PerceiverAttention(channels, heads), feed_forward(channels, multiplier)])
        for _ in range(depth)
    )


def feed_forward(channels, multiplier):
    return nn.Sequential(
        nn.LayerNorm(channels),
        nn.Linear(channels, multiplier * channels, bias=False),
        nn.GELU(),
        nn.Linear(multiplier * channels, channels, bias=False),
    )


class PerceiverAttention(nn.Module):
    """From queries to context and queries together."""

    def __init__(self, channels, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_kv = nn.Linear(channels, 2 * channels, bias=False)
        self.to_out = nn.Linear(channels, channels, bias=False)
        self.heads = heads

    def forward(self, context, queries):
        queries = self.norm2(queries)
        seen = torch.cat([self.norm1(context), queries], dim=1)
        key, value = self.to_kv(seen).chunk(2, dim=-1)
        return self.to_out(attention(self.to_q(queries), key, value, self.heads))
