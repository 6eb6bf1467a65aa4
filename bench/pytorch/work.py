"""What can be timed: each function takes a case's settings and a dtype and returns a call without arguments."""

import torch
import torch.nn.functional as F
from attention import attention, decoupled_attention
from autoencoder import AutoencoderDecoder
from clip import ClipText, ClipVision
from pipeline import Pipeline
from projections import InstructResampler
from random_weights import build
from training import TrainingStep
from unet import UNet


def unet(dtype, batch, height, width, textTokens, imageTokens):
    model = build(UNet, dtype)
    sample = torch.randn(batch, 4, height, width, dtype=dtype)
    timestep = torch.full((batch,), 500.0)
    text = torch.randn(batch, textTokens, 768, dtype=dtype)
    image = torch.randn(batch, imageTokens, 768, dtype=dtype)
    return lambda: model(sample, timestep, text, image, 0.7)


def vaeDecode(dtype, batch, height, width):
    model = build(AutoencoderDecoder, dtype)
    latents = torch.randn(batch, 4, height, width, dtype=dtype)
    return lambda: model(latents)


def clipVision(dtype, batch):
    model = build(ClipVision, dtype)
    pixels = torch.randn(batch, 3, 224, 224, dtype=dtype)
    return lambda: model(pixels)


def clipText(dtype, batch, tokens):
    model = build(ClipText, dtype)
    ids = torch.randint(49408, (batch, tokens))
    return lambda: model(ids)


def instructProjection(dtype, batch, textTokens):
    model = build(InstructResampler, dtype)
    image = torch.randn(batch, 257, 1280, dtype=dtype)
    prompt = torch.randn(batch, textTokens, 768, dtype=dtype)
    instruction = torch.randn(batch, textTokens, 768, dtype=dtype)
    return lambda: model(image, prompt, instruction)


def selfAttention(dtype, batch, tokens, heads, headSize, calls):
    q, k, v = (torch.randn(batch, tokens, heads * headSize, dtype=dtype) for _ in range(3))
    return chained(q, calls, lambda x: attention(x, k, v, heads))


def decoupledAttention(dtype, batch, tokens, heads, headSize, textTokens, imageTokens, calls):
    def of_length(length):
        return torch.randn(batch, length, heads * headSize, dtype=dtype)

    q, k, v = of_length(tokens), of_length(textTokens), of_length(textTokens)
    image_k, image_v = of_length(imageTokens), of_length(imageTokens)
    return chained(q, calls, lambda x: decoupled_attention(x, k, v, image_k, image_v, 0.7, heads))


def chained(x, calls, call):
    """So many calls, each with the result of the one before."""

    def run():
        result = x
        for _ in range(calls):
            result = call(result)
        return result

    return run


def linear(dtype, rows, inFeatures, outFeatures):
    x = torch.randn(rows, inFeatures, dtype=dtype)
    weight = torch.randn(outFeatures, inFeatures, dtype=dtype)
    bias = torch.randn(outFeatures, dtype=dtype)
    return lambda: F.linear(x, weight, bias)


def conv2d(dtype, batch, size, inChannels, outChannels, kernelSize, stride):
    def channels_last(*shape):
        return torch.randn(*shape, dtype=dtype).contiguous(memory_format=torch.channels_last)

    x = channels_last(batch, inChannels, size, size)
    weight = channels_last(outChannels, inChannels, kernelSize, kernelSize)
    bias = torch.randn(outChannels, dtype=dtype)
    return lambda: F.conv2d(x, weight, bias, stride=stride, padding=kernelSize // 2)


def pipeline(dtype, height, width, steps, batch, branches):
    model = Pipeline(dtype, branches)
    pixels = torch.randn(batch, 3, 224, 224, dtype=dtype)
    prompts, instructions = (torch.randint(49408, (branches * batch, 77)) for _ in range(2))
    latents = torch.randn(batch, 4, height // 8, width // 8)
    model(pixels, prompts, instructions, latents, steps=1)
    return lambda: model(pixels, prompts, instructions, latents, steps)


@torch.inference_mode(False)
def train(dtype, batch, height, width, textTokens, imageStates, learningRate, recompute):
    step = TrainingStep(dtype, learningRate, recompute)
    noisy, target = (torch.randn(batch, 4, height, width) for _ in range(2))
    timesteps = torch.full((batch,), 500.0)
    texts = [torch.randn(batch, textTokens, 768) for _ in range(3)]
    image = torch.randn(batch, imageStates, 1280)
    text, prompt, instruction = texts
    return torch.inference_mode(False)(lambda: step(noisy, target, timesteps, text, image, prompt, instruction))


KINDS = {
    function.__name__: function
    for function in (
        unet,
        vaeDecode,
        clipVision,
        clipText,
        instructProjection,
        selfAttention,
        decoupledAttention,
        linear,
        conv2d,
        pipeline,
        train,
    )
}
