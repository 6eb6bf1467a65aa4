"""Loads an adapter that `ipai train` saved into plain PyTorch modules, strictly: every name and shape, none left over.

    python load_adapter.py RUN/checkpoint-00000020/adapter.safetensors

Heads are 64 channels wide, as in all published adapters.
"""

import re
import sys

import torch
from projections import InstructResampler
from safetensors.torch import load_file

weights = load_file(sys.argv[1])
projection = {name.removeprefix("image_proj."): x for name, x in weights.items() if name.startswith("image_proj.")}
attentions = {name: x for name, x in weights.items() if re.fullmatch(r"ip_adapter\.\d+\.to_[kv]_ip\.weight", name)}
unknown = set(weights) - set(attentions) - {f"image_proj.{name}" for name in projection}
assert not unknown and attentions, f"not an adapter: {sorted(unknown)}"

resampler = InstructResampler(
    channels=projection["latents"].shape[2],
    heads=projection["layers.0.0.to_q.weight"].shape[0] // 64,
    depth=1 + max(int(name.split(".")[1]) for name in projection if name.startswith("new_input_layers.")),
    tokens=projection["latents"].shape[1],
    image_channels=projection["proj_in.weight"].shape[1],
    text_channels=projection["proj_out.weight"].shape[0],
)
resampler.load_state_dict(projection, strict=True)
image = torch.randn(1, 257, projection["proj_in.weight"].shape[1])
text = torch.randn(1, 77, projection["proj_new_input.weight"].shape[1])
with torch.inference_mode():
    tokens = resampler(image, text, text)
assert torch.isfinite(tokens).all()
print(f"{len(weights)} tensors loaded; tokens {tuple(tokens.shape)}, {len(attentions) // 2} attentions")
