"""Five steps of PyTorch's Muon: what test/training/muon.test.ts compares with.

    python muon_steps.py OUTPUT.safetensors

The output has `NAME.weight`, `NAME.gradients` [5, ...] and `NAME.expected`, the weight afterwards, for matrices wide and tall.
"""

import sys

import torch
from safetensors.torch import save_file

STEPS = 5
SHAPES = {"wide": (24, 80), "tall": (96, 32)}


def main():
    torch.manual_seed(0)
    tensors = {}
    for name, shape in SHAPES.items():
        weight = torch.nn.Parameter(0.1 * torch.randn(shape))
        gradients = torch.randn(STEPS, *shape)
        tensors[f"{name}.weight"] = weight.detach().clone()
        tensors[f"{name}.gradients"] = gradients
        muon = torch.optim.Muon([weight], lr=1e-2, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw")
        for gradient in gradients:
            weight.grad = gradient.clone()
            muon.step()
        tensors[f"{name}.expected"] = weight.detach()
    save_file(tensors, sys.argv[1])


if __name__ == "__main__":
    main()
