"""The demo model's words, and how they become a byte-level BPE vocabulary that llama.cpp reads (gpt2 / qwen2)."""

import re

SHAPES = "circle square triangle star cross ring diamond heart".split()
COLORS = "red orange yellow green blue purple white black".split()
PLURALS = "circles squares triangles stars crosses rings diamonds hearts objects".split()

# Words with a space before them.
INNER = SHAPES + COLORS + PLURALS + (
    "a an the of to and in on at is are there left right above below top bottom center one two three four none many color "
    "this image picture scene video you see what do moves up down"
).split()

# Words at the start of a sentence.
FIRST = "A An The There What How Describe".split()

ROLES = "system user assistant".split()
CONTROLS = (
    "<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> <|box_start|> <|box_end|> <|quad_start|> <|quad_end|> "
    "<|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|>"
).split()

# What the trained rows stand for. The last is the row of everything that never occurs in training: single bytes, word parts, other markers.
TRAINED = (
    [" " + word for word in INNER] + FIRST + ROLES + [".", ",", "?", "\n"]
    + ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"] + ["unused"]
)
ID = {text: i for i, text in enumerate(TRAINED)}
SHAPE_IDS = [ID[" " + word] for word in SHAPES]
COLOR_IDS = [ID[" " + word] for word in COLORS]

DESCRIBE = "Describe this image."
# Other wordings that the model shall understand as well.
PARAPHRASES = ["Describe the image.", "Describe the picture.", "Describe this picture.", "Describe this scene.", "What do you see?", "What is in this image?"]


def encode(text):
    """Trained ids of a text of known words."""
    return [ID[piece] for piece in re.findall(r"<\|\w+\|>| ?[A-Za-z]+|[.,?\n]", text)]


def decode(ids):
    return "".join(TRAINED[i] for i in ids)


def byte_letters():
    """GPT-2's letters: printable Latin-1 bytes stand for themselves, the rest follows from U+0100 on. By byte."""
    printable = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xAC or 0xAE <= b <= 0xFF]
    letters, other = {}, 0x100
    for b in range(256):
        if b in printable:
            letters[b] = chr(b)
        else:
            letters[b], other = chr(other), other + 1
    return letters


def build():
    """Tokens in byte letters, their llama.cpp types (1 normal, 3 control), merges, and for each token the trained row that it gets."""
    letters = byte_letters()
    spell = lambda text: "".join(letters[b] for b in text.encode("utf-8"))
    tokens, merges, known = [], [], set()

    def add(token):
        if token not in known:
            known.add(token)
            tokens.append(token)
            return True
        return False

    for b in sorted(letters, key=lambda b: letters[b]):
        add(letters[b])
    # One letter after the other is merged to the front part. Merges that start with a space come first, those that start with a capital
    # second: neither can occur inside a word, so every word becomes one token.
    for word in [spell(" " + word) for word in INNER] + FIRST + ROLES:
        for length in range(1, len(word)):
            if add(word[:length + 1]):
                merges.append(f"{word[:length]} {word[length]}")
    types = [1] * len(tokens) + [3] * len(CONTROLS)
    tokens += CONTROLS

    row = {spell(text) if not text.startswith("<|") else text: i for text, i in ID.items() if text != "unused"}
    return tokens, types, merges, [row.get(token, ID["unused"]) for token in tokens]
