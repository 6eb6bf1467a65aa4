"""What diffusers' community pipeline for long weighted prompts makes of some: what test/pipelines/weighted-prompts.test.ts
and test/tokenizer/weighted-prompt.test.ts compare with.

    python weighted_prompts.py LPW FIXTURES

LPW is `examples/community/lpw_stable_diffusion.py` of diffusers, of which only the functions on prompts are run; FIXTURES
is test/fixtures. The parser gets random strings without white space, which the web UI allows around a weight and diffusers
does not. The embeddings are made with the reference's text encoder.
"""

import ast
import json
import random
import re
import sys
import typing
from pathlib import Path
from types import SimpleNamespace

import torch
from clip import ClipText
from safetensors.torch import load_file, save_file

# Token ids of CLIP's vocabulary.
BEGIN, END = 49406, 49407
WORDS = {"a": 320, "red": 736, "fox": 3240, "in": 530, "the": 518, "snow": 2583, "at": 536, "dusk": 19708, ",": 267}
PROMPTS = {
    "short": "a ( red fox :1.4) in [the snow] at (( dusk ))",
    "negative_weight": "a ( red :-0.5) fox",
    # The weight of 1.3 reaches over the end of the first chunk.
    "long": "a red fox , " * 15 + "( in the snow at dusk , :1.3) " * 6 + "[ a fox ]",
    "padded": "the snow",
}


def functions(path):
    """Those of the file that have to do with prompts, and the expression that its parser uses."""
    wanted = {
        "re_attention",
        "parse_prompt_attention",
        "get_prompts_with_weights",
        "pad_tokens_and_weights",
        "get_unweighted_text_embeddings",
        "get_weighted_text_embeddings",
    }

    def name(node):
        return node.targets[0].id if isinstance(node, ast.Assign) else getattr(node, "name", None)

    tree = ast.parse(Path(path).read_text())
    tree.body = [node for node in tree.body if name(node) in wanted]
    scope = {**vars(typing), "re": re, "torch": torch}
    scope |= {"DiffusionPipeline": object, "StableDiffusionLoraLoaderMixin": ()}
    exec(compile(tree, path, "exec"), scope)
    return scope


class Tokenizer:
    """Of words between blanks."""

    bos_token_id, eos_token_id, pad_token_id, model_max_length = BEGIN, END, END, 77

    def __call__(self, text):
        return SimpleNamespace(input_ids=[BEGIN, *(WORDS[word] for word in text.split()), END])


class TextEncoder:
    """With the one layer of hidden states that is read, normalised already."""

    text_model = SimpleNamespace(final_layer_norm=torch.nn.Identity())

    def __init__(self, tower):
        self.tower = tower

    def __call__(self, token_ids, output_hidden_states=False):
        states = self.tower(token_ids)
        return states, [states]


def text_encoder(folder):
    config = json.loads((folder / "config.json").read_text())
    sizes = ("hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers")
    tower = ClipText(*(config[size] for size in sizes))
    renamed = {
        re.sub(r"^text_model\.(embeddings\.|encoder\.)?|self_attn\.|mlp\.", "", name): weight
        for name, weight in load_file(folder / "model.safetensors").items()
        if not name.endswith("position_ids")
    }
    tower.load_state_dict(renamed)
    return TextEncoder(tower)


def random_strings(count):
    generator = random.Random(1)
    pieces = ["(", ")", "[", "]", ":", "\\", ":1.3)", ":.5)", ":+2)", ":-1.)", "a", "b", "cd", "7", "."]
    return ["".join(generator.choices(pieces, k=generator.randint(0, 16))) for _ in range(count)]


def parsed(parse, texts):
    for text in texts:
        try:
            yield {"text": text, "parts": parse(text)}
        except ValueError:  # A weight such as "1..3" is none.
            continue


@torch.inference_mode()
def main(lpw, fixtures):
    fixtures = Path(fixtures)
    lpw = functions(lpw)
    encoder = text_encoder(fixtures / "reference" / "model" / "text_encoder")
    pipe = SimpleNamespace(tokenizer=Tokenizer(), text_encoder=encoder, device="cpu")
    embeddings = {
        name: lpw["get_weighted_text_embeddings"](pipe, prompt, PROMPTS["long"] if name == "padded" else None)[0]
        for name, prompt in PROMPTS.items()
    }
    save_file(embeddings, fixtures / "pipelines" / "weighted-prompts.safetensors")
    lines = ",\n".join(json.dumps(case) for case in parsed(lpw["parse_prompt_attention"], random_strings(400)))
    text = f'{{"prompts": {json.dumps(PROMPTS)},\n"parsed": [\n{lines}\n]}}\n'
    (fixtures / "tokenizer" / "weighted-prompts.json").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
