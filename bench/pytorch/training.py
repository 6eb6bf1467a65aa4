"""A training step of the instruct adapter: frozen UNet of the compute dtype, float32 adapter under autocast, AdamW."""

from functools import partial

import torch
import torch.nn.functional as F
from blocks import ResnetBlock
from projections import InstructResampler
from random_weights import build
from torch.utils.checkpoint import checkpoint
from unet import CrossAttention, SpatialTransformer, UNet


class TrainingStep:
    def __init__(self, dtype, learning_rate, recompute):
        self.dtype = dtype
        self.unet = build(UNet, dtype)
        self.resampler = build(InstructResampler, torch.float32)
        for module in self.unet.modules():
            if isinstance(module, CrossAttention):
                module.to_k_ip.float()
                module.to_v_ip.float()
            if recompute and isinstance(module, (ResnetBlock, SpatialTransformer)):
                module.forward = partial(checkpoint, module.forward, use_reentrant=False)
        trained = [
            *self.resampler.parameters(),
            *(weight for name, weight in self.unet.named_parameters() if "_ip." in name),
        ]
        for weight in trained:
            weight.requires_grad_(True)
        self.optimizer = torch.optim.AdamW(trained, lr=learning_rate, fused=True)

    def __call__(self, noisy, target, timesteps, text, image, prompt, instruction):
        """noisy and target [B, 4, h, w], texts [B, 77, 768], image [B, 257, 1280]: all float32"""
        with torch.autocast(noisy.device.type, self.dtype, enabled=self.dtype != torch.float32):
            tokens = self.resampler(image, prompt, instruction)
            prediction = self.unet(noisy.to(self.dtype), timesteps, text.to(self.dtype), tokens)
        self.optimizer.zero_grad()
        F.mse_loss(prediction.float(), target).backward()
        self.optimizer.step()
