"""Final latents of diffusers' pipelines: what test/pipelines/diffusers-parity.test.ts compares with.

    python diffusers_pipelines.py FIXTURES OUTPUT.safetensors

FIXTURES is test/fixtures. From the embedding of the condition image that of a text is subtracted, as InstantStyle does;
the UNet attends to the rest in all blocks (`subtracted`) or in InstantStyle's alone (`style`, `style_layout`).
`two_controlnets` has two at once, each with its own picture, scale and span of the steps.
"""

import sys
from pathlib import Path

import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModelWithProjection, CLIPTokenizer

RUN = {
    "prompt": "a photo of a lighthouse",
    "negative_prompt": "blurry",
    "num_inference_steps": 8,
    "guidance_scale": 5.0,
    "width": 72,
    "height": 64,
    "output_type": "latent",
}
CONTENT = "a lighthouse at dusk"


def run(pipeline, **options):
    pipeline.set_progress_bar_config(disable=True)
    return pipeline(**RUN, **options, generator=torch.Generator("cpu").manual_seed(7)).images


def embed_text(reference, text):
    encoder = CLIPTextModelWithProjection.from_pretrained(reference / "instruction_encoder")
    tokenizer = CLIPTokenizer.from_pretrained(reference / "model" / "tokenizer")
    tokens = tokenizer([text], padding="max_length", max_length=77, return_tensors="pt")
    return encoder(**tokens).text_embeds


def instant_style(reference):
    pipeline = StableDiffusionPipeline.from_pretrained(reference / "model")
    pipeline.load_ip_adapter(
        str(reference), subfolder="", weight_name="ip-adapter.safetensors", image_encoder_folder=None
    )
    image = load_file(reference / "cases" / "clip_vision.safetensors")["image_embeds"]
    content = embed_text(reference, CONTENT)

    def generate(neg_content_scale, scale):
        style = image - neg_content_scale * content
        pipeline.set_ip_adapter_scale(scale)
        return run(pipeline, ip_adapter_image_embeds=[torch.stack([torch.zeros_like(style), style])])

    return {
        "subtracted": generate(0.5, 0.7),
        "style": generate(1.0, {"up": {"block_1": 1.0}}),
        "style_layout": generate(0.8, {"down": {"block_2": 0.6}, "mid": 0.6, "up": {"block_1": 0.6}}),
    }


def two_controlnets(fixtures):
    reference = fixtures / "reference"
    nets = [ControlNetModel.from_pretrained(reference / "controlnet") for _ in range(2)]
    pipeline = StableDiffusionControlNetPipeline.from_pretrained(reference / "model", controlnet=nets)
    paths = [reference / "condition.png", fixtures / "pipelines" / "mask.png"]
    return run(
        pipeline,
        image=[Image.open(path).convert("RGB") for path in paths],
        controlnet_conditioning_scale=[0.9, 0.4],
        control_guidance_start=[0.0, 0.25],
        control_guidance_end=[0.6, 1.0],
    )


@torch.inference_mode()
def main(fixtures, output):
    fixtures = Path(fixtures)
    latents = {**instant_style(fixtures / "reference"), "two_controlnets": two_controlnets(fixtures)}
    save_file(latents, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
