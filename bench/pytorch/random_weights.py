"""Models with random weights, for timing."""

import math

import torch


def build(model_class, dtype):
    """A model of this class in inference form: channels last, of `dtype`, activations of unit size at any depth."""
    with torch.device("meta"):
        model = model_class()
    model = model.to(dtype).to_empty(device=torch.get_default_device()).eval().requires_grad_(False)
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            weight.normal_(std=1 / math.sqrt(weight[0].numel()))
        else:
            weight.fill_(0 if name.endswith("bias") else 1)
    return model.to(memory_format=torch.channels_last)
