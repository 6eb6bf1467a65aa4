"""Gradients of single ops by PyTorch's autograd: what test/graph/gradients-pytorch.test.ts compares with.

    python op_gradients.py OUTPUT.safetensors

The output has, for each case, `CASE.inputs.NAME`, `CASE.output_gradient` and `CASE.gradients.NAME`, the latter of the
inputs that have one: floats that are not called `frozen_…`. Layouts are those of lib/graph/ops: pictures [B, H, W, C],
tokens [B, N, heads·D].
"""

import sys

import torch
import torch.nn.functional as F
from attention import attention, join_heads, split_heads
from safetensors.torch import save_file

HEADS = 2


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def conv2d(x, weight, bias, sample_bias, residual, stride=1, padding=(1, 1, 1, 1)):
    """padding: top, left, bottom, right"""
    top, left, bottom, right = padding
    padded = F.pad(channels_first(x), (left, right, top, bottom))
    y = F.conv2d(padded, weight, bias, stride=stride) + sample_bias[:, :, None, None]
    return channels_last(y) + residual


def upsampled(x, height, width):
    return channels_last(F.interpolate(channels_first(x), (height, width), mode="nearest"))


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


def geglu(x):
    values, gates = x.chunk(2, dim=-1)
    return values * F.gelu(gates)


def group_norm(x, scale, shift):
    return channels_last(F.group_norm(channels_first(x), 4, scale, shift, eps=1e-5))


def masked_attention(q, k, v, frozen_mask):
    q, k, v = (split_heads(x, HEADS) for x in (q, k, v))
    return join_heads(F.scaled_dot_product_attention(q, k, v, attn_mask=frozen_mask[:, None]))


def decoupled_attention(q, k, v, image_k, image_v, image_scale):
    """Ye et al. 2023, eq. 5, with a scale for each sample."""
    image = attention(q, image_k, image_v, HEADS)
    return attention(q, k, v, HEADS) + image_scale[:, None, None] * image


def gather_tokens(x, index):
    return x[torch.arange(len(x)), index]


def linear(activation):
    return lambda x, weight, bias, residual: activation(F.linear(x, weight, bias)) + residual


def product(x, weight, bias):
    return geglu(F.linear(x, weight, bias))


LINEAR = {"x": (2, 9, 20), "weight": (24, 20), "bias": (24,), "residual": (2, 9, 24)}
ATTENTION = {"q": (2, 18, 24), "k": (2, 11, 24), "v": (2, 11, 24)}
CONV = {"x": (2, 7, 6, 5), "weight": (4, 5, 3, 3), "bias": (4,), "sample_bias": (2, 4)}
BROADCAST = {"a": (3, 1, 5), "b": (3, 4, 1)}

# Shapes of the inputs, of ids with the number that they stay below, and what is computed of them.
CASES = {
    "conv2d": (CONV | {"residual": (2, 7, 6, 4)}, conv2d),
    "conv2d_stride": (
        CONV | {"residual": (2, 3, 3, 4)},
        lambda **x: conv2d(**x, stride=2, padding=(0, 0, 1, 1)),
    ),
    "conv2d_1x1": (
        CONV | {"weight": (4, 5, 1, 1), "residual": (2, 7, 6, 4)},
        lambda **x: conv2d(**x, padding=(0, 0, 0, 0)),
    ),
    "conv2d_upsampled": (
        CONV | {"residual": (2, 14, 12, 4)},
        lambda x, **rest: conv2d(upsampled(x, 14, 12), **rest),
    ),
    "conv2d_winograd": (
        {"x": (1, 12, 12, 32), "frozen_weight": (32, 32, 3, 3)},
        lambda x, frozen_weight: channels_last(F.conv2d(channels_first(x), frozen_weight, padding=1)),
    ),
    "linear": (LINEAR, linear(lambda x: x)),
    "linear_silu": (LINEAR, linear(F.silu)),
    "linear_gelu": (LINEAR, linear(F.gelu)),
    "linear_quick_gelu": (LINEAR, linear(quick_gelu)),
    "linear_geglu": ({"x": (2, 9, 20), "weight": (24, 20), "bias": (24,)}, product),
    "layer_norm": (
        {"x": (5, 40), "scale": (40,), "shift": (40,)},
        lambda x, scale, shift: F.layer_norm(x, (40,), scale, shift, eps=1e-5),
    ),
    "layer_norm_plain": ({"x": (5, 40)}, lambda x: F.layer_norm(x, (40,), eps=1e-5)),
    "group_norm": ({"x": (2, 5, 4, 24), "scale": (24,), "shift": (24,)}, group_norm),
    "group_norm_silu": (
        {"x": (2, 5, 4, 24), "scale": (24,), "shift": (24,)},
        lambda **x: F.silu(group_norm(**x)),
    ),
    "attention": (ATTENTION, lambda q, k, v: attention(q, k, v, HEADS)),
    "attention_causal": (
        {name: (2, 13, 24) for name in "qkv"},
        lambda q, k, v: attention(q, k, v, HEADS, causal=True),
    ),
    "attention_masked": (ATTENTION | {"frozen_mask": (2, 18, 11)}, masked_attention),
    "decoupled_attention": (
        ATTENTION | {"image_k": (2, 5, 24), "image_v": (2, 5, 24), "image_scale": (2,)},
        decoupled_attention,
    ),
    "geglu": ({"x": (3, 5, 28)}, geglu),
    "silu": ({"x": (4, 21)}, lambda x: F.silu(4 * x)),
    "gelu": ({"x": (4, 21)}, lambda x: F.gelu(4 * x)),
    "quick_gelu": ({"x": (4, 21)}, lambda x: quick_gelu(4 * x)),
    "add": (BROADCAST, lambda a, b: a + b),
    "subtract": (BROADCAST, lambda a, b: a - b),
    "multiply": (BROADCAST, lambda a, b: a * b),
    "cast": ({"x": (3, 7)}, lambda x: x.bfloat16().float()),
    "reshape_transpose": ({"x": (2, 3, 4, 5)}, lambda x: x.reshape(6, 4, 5).permute(2, 0, 1)),
    "concat": ({"a": (2, 3, 4), "b": (2, 2, 4), "c": (2, 1, 4)}, lambda **x: torch.cat([*x.values()], dim=1)),
    "slice": ({"x": (3, 7, 4)}, lambda x: x[:, 2:5]),
    "broadcast_to": ({"x": (3, 1, 4)}, lambda x: x.expand(3, 6, 4)),
    "reduce_sum": ({"x": (3, 6, 4)}, lambda x: x.sum(dim=(0, 2), keepdim=True)),
    "upsample_nearest": ({"x": (2, 3, 4, 5)}, lambda x: upsampled(x, 6, 12)),
    "embedding": ({"table": (9, 6), "ids": ((2, 5), 9)}, lambda table, ids: F.embedding(ids, table)),
    "gather_tokens": ({"x": (3, 6, 5), "index": ((3,), 6)}, gather_tokens),
}


def random_input(shape, generator):
    if isinstance(shape[0], tuple):
        return torch.randint(shape[1], shape[0], generator=generator)
    return torch.randn(shape, generator=generator)


def run_case(shapes, function, generator):
    inputs = {name: random_input(shape, generator) for name, shape in shapes.items()}
    trained = {
        name: x for name, x in inputs.items() if x.is_floating_point() and not name.startswith("frozen_")
    }
    for x in trained.values():
        x.requires_grad_(True)
    output = function(**inputs)
    output_gradient = torch.randn(output.shape, generator=generator)
    output.backward(output_gradient)
    tensors = {f"inputs.{name}": x.detach() for name, x in inputs.items()}
    tensors |= {f"gradients.{name}": x.grad for name, x in trained.items()}
    return tensors | {"output_gradient": output_gradient}


def main(output):
    generator = torch.Generator().manual_seed(11)
    tensors = {}
    for case, (shapes, function) in CASES.items():
        for name, x in run_case(shapes, function, generator).items():
            tensors[f"{case}.{name}"] = x.contiguous()
    save_file(tensors, output)
    print(f"{len(CASES)} cases")


if __name__ == "__main__":
    main(sys.argv[1])
