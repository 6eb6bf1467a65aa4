"""A whole picture: IPAdapter-Instruct on Stable Diffusion 1.5 with classifier-free guidance and DDIM steps."""

import torch
from autoencoder import AutoencoderDecoder
from clip import ClipText, ClipVision
from projections import InstructResampler
from random_weights import build
from unet import UNet

SCALING_FACTOR = 0.18215
ADAPTER_SCALE = 0.7
GUIDANCE_SCALE = 6.0


class Pipeline:
    def __init__(self, dtype):
        self.dtype = dtype
        self.text_encoder = build(ClipText, dtype)
        self.image_encoder = build(ClipVision, dtype)
        self.projection = build(InstructResampler, dtype)
        self.unet = build(UNet, dtype)
        self.decoder = build(AutoencoderDecoder, dtype)
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
        self.alphas = torch.cumprod(1 - betas, dim=0)

    def __call__(self, pixels, token_ids, latents, steps):
        """
        pixels [1, 3, 224, 224]; token_ids [4, 77]: prompt, negative prompt, instruction, empty instruction;
        latents [1, 4, h, w] → picture float32 [1, 3, 8h, 8w]
        """
        text = self.text_encoder(token_ids)
        prompts, instructions = text[:2], text[2:]
        pixels = torch.cat([pixels, torch.zeros_like(pixels)])
        tokens = self.projection(self.image_encoder(pixels), prompts, instructions)
        sample = latents.float()
        spacing = len(self.alphas) // steps
        for timestep in reversed(range(1, 1 + steps * spacing, spacing)):
            noise = self.predict(sample, timestep, prompts, tokens)
            sample = self.step(sample, noise, timestep, timestep - spacing)
        return self.decoder((sample / SCALING_FACTOR).to(self.dtype)).float()

    def predict(self, sample, timestep, prompts, tokens):
        """Both branches of guidance as one batch."""
        batch = sample.to(self.dtype).expand(2, -1, -1, -1)
        timesteps = torch.full((2,), float(timestep))
        noise = self.unet(batch, timesteps, prompts, tokens, ADAPTER_SCALE).float()
        return torch.lerp(noise[1:], noise[:1], GUIDANCE_SCALE)

    def step(self, sample, noise, timestep, previous):
        """Song et al. 2020, eq. 12, with η = 0."""
        alpha = self.alphas[timestep]
        alpha_previous = self.alphas[max(previous, 0)]
        clean = (sample - (1 - alpha).sqrt() * noise) / alpha.sqrt()
        return alpha_previous.sqrt() * clean + (1 - alpha_previous).sqrt() * noise
