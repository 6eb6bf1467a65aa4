"""Final latents of diffusers' pipelines: what test/pipelines/diffusers-parity.test.ts compares with.

    python diffusers_pipelines.py FIXTURES OUTPUT.safetensors

FIXTURES is test/fixtures. From the embedding of the condition image that of a text is subtracted, as InstantStyle does;
the UNet attends to the rest in all blocks (`subtracted`) or in InstantStyle's alone (`style`, `style_layout`).
`two_controlnets` has two at once, each with its own picture, scale and span of the steps. `two_images` has the tokens of
two images in a row, `two_adapters` an image for each of two adapters (the same file twice), `regions` an image for the
left and one for the right of the picture. The second image is computed: see `pattern`.
"""

import sys
from pathlib import Path

import numpy
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, StableDiffusionPipeline
from diffusers.image_processor import IPAdapterMaskProcessor
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModelWithProjection, CLIPTokenizer, CLIPVisionModelWithProjection

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


def pattern(side):
    """A picture in bytes [side, side, 3]."""
    y, x, channel = numpy.mgrid[:side, :side, :3]
    return ((7 * x + 13 * y + 29 * channel) % 256).astype(numpy.uint8)


def embed_pattern(reference):
    encoder = CLIPVisionModelWithProjection.from_pretrained(reference / "image_encoder")
    pixels = torch.from_numpy(pattern(encoder.config.image_size)).float() / 255
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711])
    return encoder(((pixels - mean) / std).permute(2, 0, 1)[None]).image_embeds


def several_conditions(reference):
    first = load_file(reference / "cases" / "clip_vision.safetensors")["image_embeds"][:1]
    second = embed_pattern(reference)

    def both(*embeds):
        """[negative and positive, images, C]"""
        images = torch.stack(embeds, dim=1)
        return torch.cat([torch.zeros_like(images), images])

    def load(count):
        pipeline = StableDiffusionPipeline.from_pretrained(reference / "model")
        names = ["ip-adapter.safetensors"] * count
        folders = [str(reference)] * count
        pipeline.load_ip_adapter(folders, subfolder=[""] * count, weight_name=names, image_encoder_folder=None)
        return pipeline

    one, two = load(1), load(2)
    one.set_ip_adapter_scale(0.7)
    two_images = run(one, ip_adapter_image_embeds=[both(first, second)])
    two.set_ip_adapter_scale([0.7, 0.3])
    two_adapters = run(two, ip_adapter_image_embeds=[both(first), both(second)])
    left = numpy.zeros((RUN["height"], RUN["width"]), numpy.uint8)
    left[:, : RUN["width"] // 2] = 255
    masks = IPAdapterMaskProcessor().preprocess(
        [Image.fromarray(left), Image.fromarray(255 - left)], height=RUN["height"], width=RUN["width"]
    )
    one.set_ip_adapter_scale([[0.7, 0.5]])
    regions = run(
        one,
        ip_adapter_image_embeds=[both(first, second)],
        cross_attention_kwargs={"ip_adapter_masks": [masks.reshape(1, 2, *masks.shape[-2:])]},
    )
    return {"two_images": two_images, "two_adapters": two_adapters, "regions": regions}


@torch.inference_mode()
def main(fixtures, output):
    fixtures = Path(fixtures)
    reference = fixtures / "reference"
    latents = {
        **instant_style(reference),
        "two_controlnets": two_controlnets(fixtures),
        **several_conditions(reference),
    }
    save_file(latents, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
