"""Whole pictures: IPAdapter-Instruct on Stable Diffusion 1.5 with guidance and DDIM steps, to PNG files in memory."""

from io import BytesIO

import torch
from autoencoder import AutoencoderDecoder
from clip import ClipText, ClipVision
from PIL import Image
from projections import InstructResampler
from random_weights import build
from unet import UNet

SCALING_FACTOR = 0.18215
ADAPTER_SCALE = 0.7
# By the number of branches. Two: prompt, nothing (Ho & Salimans 2022). Four, as IPAdapter-Instruct was released: prompt
# under the instruction, "everything", image alone, nothing; with the scales 6, 6 and 1 for instruction, text and image.
COEFFICIENTS = {2: (6.0, -5.0), 4: (6.0, 0.0, -5.0, 0.0)}


class Pipeline:
    def __init__(self, dtype, branches):
        self.dtype = dtype
        self.coefficients = torch.tensor(COEFFICIENTS[branches]).view(-1, 1, 1, 1, 1)
        self.text_encoder = build(ClipText, dtype)
        self.image_encoder = build(ClipVision, dtype)
        self.projection = build(InstructResampler, dtype)
        self.unet = build(UNet, dtype)
        self.decoder = build(AutoencoderDecoder, dtype)
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
        # On the host, as schedulers have them: reading one must not wait for the device.
        self.alphas = torch.cumprod(1 - betas, dim=0).tolist()

    def __call__(self, pixels, prompts, instructions, latents, steps):
        """
        pixels [B, 3, 224, 224]; token ids of prompts and instructions [branches·B, 77] each, by branch;
        latents [B, 4, h, w] → B files
        """
        branches = len(self.coefficients)
        prompts, instructions = self.text_encoder(torch.cat([prompts, instructions])).chunk(2)
        # The last branch has no image: the zero one's features are the same for all.
        features = self.image_encoder(torch.cat([pixels, torch.zeros_like(pixels[:1])]))
        images = features[:-1].repeat(branches - 1, 1, 1)
        nothing = features[-1:].expand(len(pixels), -1, -1)
        tokens = self.projection(torch.cat([images, nothing]), prompts, instructions)
        sample = latents.float()
        spacing = len(self.alphas) // steps
        for timestep in reversed(range(1, 1 + steps * spacing, spacing)):
            noise = self.predict(sample, timestep, prompts, tokens)
            sample = self.step(sample, noise, timestep, timestep - spacing)
        return [to_png(picture) for picture in self.decode(sample)]

    def predict(self, sample, timestep, prompts, tokens):
        """All branches of guidance as one batch."""
        branches = len(self.coefficients)
        batch = sample.to(self.dtype).repeat(branches, 1, 1, 1)
        timesteps = torch.full((len(batch),), float(timestep), device=sample.device)
        noise = self.unet(batch, timesteps, prompts, tokens, ADAPTER_SCALE).float()
        return (self.coefficients * noise.unflatten(0, (branches, -1))).sum(dim=0)

    def step(self, sample, noise, timestep, previous):
        """Song et al. 2020, eq. 12, with η = 0."""
        alpha, alpha_previous = self.alphas[timestep], self.alphas[max(previous, 0)]
        clean = (sample - (1 - alpha) ** 0.5 * noise) / alpha**0.5
        return alpha_previous**0.5 * clean + (1 - alpha_previous) ** 0.5 * noise

    def decode(self, sample):
        """One at a time, as ours: the decoder's activations are the largest of all. → uint8 [B, H, W, 3] on the host"""
        for latents in (sample / SCALING_FACTOR).to(self.dtype).split(1):
            picture = self.decoder(latents).float()
            yield ((picture[0] / 2 + 0.5).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()


def to_png(picture):
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
