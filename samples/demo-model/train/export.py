"""Writes a checkpoint as GGUF: the text model, and the mmproj. Matrices are F16 (or F32); norms, biases and positions are F32."""

import argparse
import json
import os
import struct

import numpy as np
import torch

import model as m
from train import load
from vocabulary import build

CHAT_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.content is string -%}{{- message.content -}}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'text' -%}{{- part.text -}}
{%- elif part.type == 'video' -%}{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
{%- else -%}{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"""

ALIGNMENT = 32


class Gguf:
    """A GGUF file (version 3) in the making."""

    def __init__(self, wide=False):
        self.fields, self.tensors, self.wide = [], [], wide

    def add(self, key, value):
        """A Python bool, int (as uint32), float (float32), str, or a list of int (int32), float or str."""
        self.fields.append(self._string(key) + self._value(value))

    def tensor(self, name, weight, wide=False):
        """The last axis of the array is GGUF's first."""
        array = weight.detach().float().numpy()
        data = array.astype("<f4" if wide or self.wide or array.ndim == 1 else "<f2")
        self.tensors.append((name, array.shape[::-1], 0 if data.dtype.itemsize == 4 else 1, data.tobytes()))

    def save(self, path):
        infos, data = b"", b""
        for name, shape, kind, raw in self.tensors:
            infos += self._string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, len(data))
            data += raw + bytes(-len(raw) % ALIGNMENT)
        head = struct.pack("<4sIQQ", b"GGUF", 3, len(self.tensors), len(self.fields)) + b"".join(self.fields) + infos
        with open(path + ".part", "wb") as file:
            file.write(head + bytes(-len(head) % ALIGNMENT) + data)
        os.replace(path + ".part", path)
        print(f"{path}: {os.path.getsize(path) / 1e6:.2f} MB")

    @staticmethod
    def _string(text):
        raw = text.encode("utf-8")
        return struct.pack("<Q", len(raw)) + raw

    def _value(self, value):
        if isinstance(value, bool):
            return struct.pack("<I?", 7, value)
        if isinstance(value, int):
            return struct.pack("<II", 4, value)
        if isinstance(value, float):
            return struct.pack("<If", 6, value)
        if isinstance(value, str):
            return struct.pack("<I", 8) + self._string(value)
        kind, pack = {int: (5, lambda v: struct.pack("<i", v)), float: (6, lambda v: struct.pack("<f", v)), str: (8, self._string)}[type(value[0])]
        return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(pack(item) for item in value)


def describe(file, name, text):
    file.add("general.name", name)
    file.add("general.description", text)
    file.add("general.license", "apache-2.0")
    file.add("general.file_type", 0 if file.wide else 1)


def text_file(text, name, description, wide=False):
    tokens, types, merges, rows = build()
    file = Gguf(wide)
    file.add("general.architecture", "qwen3vl")
    describe(file, name, description)
    for key, value in {
        "context_length": 4096, "embedding_length": m.WIDTH, "block_count": m.LAYERS, "feed_forward_length": m.FFN,
        "attention.head_count": m.HEADS, "attention.head_count_kv": m.KV_HEADS, "attention.key_length": m.HEAD, "attention.value_length": m.HEAD,
        "attention.layer_norm_rms_epsilon": m.EPS, "rope.freq_base": m.BASE, "rope.dimension_sections": m.SECTIONS, "n_deepstack_layers": 0,
    }.items():
        file.add(f"qwen3vl.{key}", value)
    file.add("tokenizer.ggml.model", "gpt2")
    file.add("tokenizer.ggml.pre", "qwen2")
    file.add("tokenizer.ggml.tokens", tokens)
    file.add("tokenizer.ggml.token_type", types)
    file.add("tokenizer.ggml.merges", merges)
    file.add("tokenizer.ggml.eos_token_id", tokens.index("<|im_end|>"))
    file.add("tokenizer.ggml.padding_token_id", tokens.index("<|endoftext|>"))
    file.add("tokenizer.ggml.bos_token_id", tokens.index("<|endoftext|>"))
    file.add("tokenizer.ggml.add_bos_token", False)
    file.add("tokenizer.chat_template", CHAT_TEMPLATE)

    # Tokens that never occur in training share one trained row: a zero row would have logit 0, and win.
    file.tensor("token_embd.weight", text.token_embd[rows])
    file.tensor("output_norm.weight", text.output_norm.weight)
    for i, layer in enumerate(text.blk):
        for part, weight in layer.state_dict().items():
            file.tensor(f"blk.{i}.{part}", weight)
    return file


def projector_file(tower, name, description):
    file = Gguf()
    file.add("general.architecture", "clip")
    describe(file, name, description)
    file.add("clip.has_vision_encoder", True)
    file.add("clip.projector_type", "qwen3vl_merger")
    file.add("clip.use_gelu", True)
    for key, value in {
        # A larger picture is scaled to what the tower was trained on.
        "image_max_pixels": (m.SIDE * m.MERGE * m.PATCH) ** 2,
        "image_size": m.SIDE * m.MERGE * m.PATCH, "patch_size": m.PATCH, "spatial_merge_size": m.MERGE, "embedding_length": m.V_WIDTH,
        "feed_forward_length": m.V_FFN, "block_count": m.V_LAYERS, "projection_dim": m.WIDTH, "attention.head_count": m.V_HEADS,
        "attention.layer_norm_epsilon": m.EPS, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
    }.items():
        file.add(f"clip.vision.{key}", value)

    # An image's two temporal halves see the same pixels and are summed.
    patch = tower.patch_embd.weight.view(m.V_WIDTH, 3, m.PATCH, m.PATCH) / 2
    file.tensor("v.patch_embd.weight", patch)
    file.tensor("v.patch_embd.weight.1", patch)
    file.tensor("v.patch_embd.bias", tower.patch_embd.bias)
    file.tensor("v.position_embd.weight", tower.position_embd.flatten(0, 1), wide=True)
    for i, layer in enumerate(tower.blk):
        for part, weight in layer.state_dict().items():
            file.tensor(f"v.blk.{i}.{part}", weight)
    for name_there, module in (("v.post_ln", tower.post_ln), ("mm.0", tower.mm_0), ("mm.2", tower.mm_2)):
        file.tensor(f"{name_there}.weight", module.weight)
        file.tensor(f"{name_there}.bias", module.bias)
    return file


def expectations(text, tower, count):
    """What llama.cpp must say and compute for the first held-out scenes: answers, and states after the final norm at some positions."""
    from evaluate import HELD_OUT_SEED, run
    import scenes
    from vocabulary import decode

    with torch.no_grad():
        # The files hold halves; so must the model that they are compared with.
        for parameter in list(text.parameters()) + list(tower.parameters()):
            if parameter.ndim > 1 and parameter is not tower.position_embd:
                parameter.data = parameter.data.half().float()
    cases = []
    for index, scene in enumerate(scenes.stream(HELD_OUT_SEED, 0, count)):
        for question in scene.questions:
            states, sequence, first = run(text, tower, scene, question)
            said = (states[first - 1:len(sequence) - 1] @ text.token_embd.T).argmax(-1).tolist()
            case = {"scene": index, "prompt": question["prompt"], "expected": question["answer"], "answer": decode(said[:-1])}
            if question["kind"] == 0:
                positions = [m.FIRST_CELL, m.FIRST_CELL + 65, m.AFTER_CELLS - 1, m.AFTER_CELLS, first - 1]
                case["positions"] = positions
                case["states"] = [[round(value, 4) for value in states[p].tolist()] for p in positions]
            # A wrong answer is no expectation: what follows the first wrong word depends on what was to be said.
            if said == sequence[first:]:
                cases.append(case)
    return {"seed": HELD_OUT_SEED, "cases": cases}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("folder")
    parser.add_argument("--name", required=True, help="tamx-demo-grounded, for example")
    parser.add_argument("--float32", action="store_true", help="the text model in F32 instead (to see what rounding costs)")
    parser.add_argument("--expectations", help="JSON file for the test that llama.cpp agrees")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    text, tower = load(arguments.checkpoint)
    description = "Demo model: it knows eight shapes in eight colours, and nothing else"
    kind = "f32" if arguments.float32 else "f16"
    text_file(text, arguments.name, description, arguments.float32).save(os.path.join(arguments.folder, f"{arguments.name}-{kind}.gguf"))
    projector_file(tower, arguments.name, description).save(os.path.join(arguments.folder, f"mmproj-{arguments.name}-f16.gguf"))
    if arguments.expectations:
        with open(arguments.expectations, "w") as file:
            json.dump(expectations(text, tower, 8), file)
