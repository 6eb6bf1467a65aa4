"""Ten AdamW steps of an instruct adapter on a frozen UNet: what test/training/pytorch-parity.test.ts compares with.

    python train_step.py REFERENCE OUTPUT.safetensors

REFERENCE is a folder such as test/fixtures/reference: `cases.json`, `model/unet`, `ip-adapter-instruct.safetensors`. The output has
the batches (`batch.N.NAME`), the loss of each step (`losses`) and the weights after the last (`weights.NAME`).
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from projections import InstructResampler
from safetensors.torch import load_file, save_file
from torch import nn
from unet import CrossAttention, Sizes, UNet

STEPS = 10
BATCHES = 2
BATCH_SIZE = 2
IMAGE_TOKENS = 6
TEXT_TOKENS = 5
OPTIONS = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}


class Trained(nn.Module):
    def __init__(self, reference):
        super().__init__()
        heads = json.loads((reference / "cases.json").read_text())["config"]["inner_heads"]
        config = json.loads((reference / "model/unet/config.json").read_text())
        adapter = load_file(reference / "ip-adapter-instruct.safetensors")
        self.unet = UNet(
            Sizes(
                channels=tuple(config["block_out_channels"]),
                heads=config["attention_head_dim"],
                text_channels=config["cross_attention_dim"],
                layers_per_block=config["layers_per_block"],
                groups=config["norm_num_groups"],
            )
        )
        self.resampler = InstructResampler(
            channels=adapter["image_proj.latents"].shape[2],
            heads=heads,
            depth=1 + max(int(name.split(".")[2]) for name in adapter if ".new_input_layers." in name),
            tokens=adapter["image_proj.latents"].shape[1],
            image_channels=adapter["image_proj.proj_in.weight"].shape[1],
            text_channels=config["cross_attention_dim"],
        )
        frozen = load_file(reference / "model/unet/diffusion_pytorch_model.safetensors")
        missing, unexpected = self.unet.load_state_dict(frozen, strict=False)
        assert not unexpected and all("_ip." in name for name in missing), (missing, unexpected)
        self.unet.requires_grad_(False)
        self.trained = dict(self.adapter_weights())
        for name, parameter in self.trained.items():
            parameter.data.copy_(adapter[name].float())
            parameter.requires_grad_(True)

    def adapter_weights(self):
        """By the names of adapter files: cross-attentions are numbered down, up, mid, self-attentions among them."""
        for name, parameter in self.resampler.named_parameters():
            yield f"image_proj.{name}", parameter
        blocks = [self.unet.down_blocks, self.unet.up_blocks, self.unet.mid_block]
        layers = [module for part in blocks for module in part.modules() if isinstance(module, CrossAttention)]
        for index, layer in enumerate(layers):
            yield f"ip_adapter.{2 * index + 1}.to_k_ip.weight", layer.to_k_ip.weight
            yield f"ip_adapter.{2 * index + 1}.to_v_ip.weight", layer.to_v_ip.weight

    def loss(self, batch, alphas):
        alpha = alphas[batch["timesteps"].long()][:, None, None, None]
        noisy = alpha.sqrt() * batch["latents"] + (1 - alpha).sqrt() * batch["noise"]
        tokens = self.resampler(batch["image"], batch["prompt"], batch["instruction"])
        prediction = self.unet(noisy, batch["timesteps"], batch["text"], tokens)
        return F.mse_loss(prediction, batch["noise"])


def make_batch(generator, model):
    sizes = {
        "latents": (4, 8, 8),
        "noise": (4, 8, 8),
        "image": (IMAGE_TOKENS, model.resampler.proj_in.in_features),
        "text": (TEXT_TOKENS, model.resampler.proj_out.out_features),
        "prompt": (TEXT_TOKENS, model.resampler.proj_out.out_features),
        "instruction": (TEXT_TOKENS, model.resampler.proj_out.out_features),
    }
    batch = {name: torch.randn(BATCH_SIZE, *size, generator=generator) for name, size in sizes.items()}
    batch["timesteps"] = torch.randint(0, 1000, (BATCH_SIZE,), generator=generator).float()
    return batch


def main(reference, output):
    torch.manual_seed(0)
    model = Trained(Path(reference))
    alphas = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2, dim=0)
    generator = torch.Generator().manual_seed(7)
    batches = [make_batch(generator, model) for _ in range(BATCHES)]
    optimizer = torch.optim.AdamW(model.trained.values(), **OPTIONS)
    losses = []
    for step in range(STEPS):
        loss = model.loss(batches[step % BATCHES], alphas)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    tensors = {f"batch.{i}.{name}": x for i, batch in enumerate(batches) for name, x in batch.items()}
    tensors |= {f"weights.{name}": x.detach().clone() for name, x in model.trained.items()}
    save_file(tensors | {"losses": torch.stack(losses)}, output)
    print("losses:", [f"{loss:.6f}" for loss in losses])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
