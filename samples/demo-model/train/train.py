"""Trains the demo model. Stages: language, tower, joint, grounded (see train.sh and the README beside this folder)."""

import argparse
import math
import os
import queue
import threading
import time

import numpy as np
import torch
import torch.nn.functional as F

import restore
import scenes
from evaluate import evaluate
from model import (AFTER_CELLS, ANSWER_START, CELLS, END, FIRST_CELL, HEAD, SIDE, WIDTH, TextModel, Tower, embed, prefix_positions)
from vocabulary import COLOR_IDS, COLORS, DESCRIBE, PARAPHRASES, SHAPE_IDS, SHAPES, encode

# Streams of scenes; the held-out scenes of evaluate.py come from another one.
LANGUAGE_SEED, TOWER_SEED, JOINT_SEED = 101, 102, 103
PARAPHRASE_SHARE = 0.3
MAP_WEIGHT = 0.5
MAP_SCALE = 6
KEPT_CELLS = 56
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def kinds(scene):
    """[CELLS, 8] twice: the share of each cell that each shape, and each colour, covers."""
    coverage = scene.coverage().reshape(len(scene.objects), -1)
    by_shape, by_color = np.zeros((coverage.shape[1], len(SHAPES)), np.float32), np.zeros((coverage.shape[1], len(COLORS)), np.float32)
    for item, cover in zip(scene.objects, coverage):
        by_shape[:, item["shape"]] += cover
        by_color[:, item["color"]] += cover
    return by_shape, by_color


def write_segments(questions, random):
    """All questions of a scene in one row: each sees the picture and itself. Returns ids, positions, segment numbers and targets (-1: no loss)."""
    ids, positions, segments, targets = [], [], [], []
    for number, question in enumerate(questions, 1):
        prompt = question["prompt"]
        if prompt == DESCRIBE and random.random() < PARAPHRASE_SHARE:
            prompt = PARAPHRASES[random.integers(len(PARAPHRASES))]
        head = encode(prompt) + ANSWER_START
        row = head + encode(question["answer"]) + [END]
        ids += row
        positions += range(FIRST_CELL + SIDE + 1, FIRST_CELL + SIDE + 1 + len(row))
        segments += [number] * len(row)
        targets += [-1] * (len(head) - 1) + row[len(head):] + [-1]
    return ids, positions, segments, targets


class Batch:
    """Scenes of a batch as tensors."""

    def __init__(self, items, random):
        rows = [write_segments(scene.questions, random) for scene in items]
        length = -(-max(len(row[0]) for row in rows) // 8) * 8
        pad = lambda i, value: torch.tensor([row[i] + [value] * (length - len(row[i])) for row in rows], device=DEVICE)
        self.ids, self.targets = pad(0, END), pad(3, -1)
        start = prefix_positions().to(DEVICE)
        self.positions = torch.cat([start.expand(len(rows), -1, -1), pad(1, 0)[..., None].expand(-1, -1, 3)], 1)
        segments = torch.cat([torch.zeros(len(rows), AFTER_CELLS + 1, dtype=torch.long, device=DEVICE), pad(2, 99)], 1)
        total = segments.shape[1]
        sees = (segments[:, None, :] == 0) | (segments[:, None, :] == segments[:, :, None])
        sees &= torch.ones(total, total, dtype=torch.bool, device=DEVICE).tril()
        self.mask = torch.zeros(len(rows), 1, total, total, device=DEVICE).masked_fill_(~sees[:, None], -1e9)
        both = [scene.kinds or kinds(scene) for scene in items]
        self.shapes = torch.tensor(np.stack([pair[0] for pair in both]), device=DEVICE)
        self.colors = torch.tensor(np.stack([pair[1] for pair in both]), device=DEVICE)
        self.pixels = to_pixels(np.stack([scene.rgb for scene in items])) if items[0].rgb is not None else None


def to_pixels(rgb):
    return torch.from_numpy(rgb).to(DEVICE).float() / 127.5 - 1


def cell_target(table, ground, places, shapes, colors, gain=1.0):
    """What a cell's embedding should be: its noun's row (times a gain) and its colour's, the ground's where nothing stands, and where it is."""
    # An object's edge cells show its shape best; were they to hold the noun as fully as its inner cells, maps would peak there.
    fill = lambda cover: ((cover - 0.3) / 0.6).clamp(0, 1)
    objects = gain * fill(shapes) @ table[SHAPE_IDS] + fill(colors) @ table[COLOR_IDS]
    return objects + (1 - fill(shapes.sum(-1, keepdim=True))) * ground + places


def place_directions():
    return F.normalize(torch.randn(2, 4, WIDTH, generator=torch.Generator().manual_seed(8)), dim=-1).to(DEVICE)


def place_codes():
    """[CELLS, WIDTH]: row and column of each cell as waves along fixed directions; the longest wave grows all the way across."""
    waves = torch.cos(math.pi * torch.arange(1, 5) * (torch.arange(SIDE)[:, None] + 0.5) / SIDE).to(DEVICE)
    directions = place_directions()
    rows, columns = 0.4 * waves @ directions[0], 0.4 * waves @ directions[1]
    return (rows[:, None] + columns).view(CELLS, WIDTH).to(DEVICE)


def attend_alike(text):
    """Makes one head of the first layer start by attending from a noun or a colour to the cells that hold it, and by copying what they hold.

    The pairs that M-RoPE hardly turns take the 16 rows in query and key. Without this start the look-up is found late.
    """
    layer, half = text.blk[0], HEAD // 4
    rows = text.token_embd.data[SHAPE_IDS + COLOR_IDS]
    dims = list(range(HEAD // 2 - half, HEAD // 2)) + list(range(HEAD - half, HEAD))
    rest = [i for i in range(HEAD) if i not in dims]
    for weight in (layer.attn_q.weight.data, layer.attn_k.weight.data):
        weight[rest] *= 0.3
        weight[dims] = 0.5 * rows
    directions = place_directions().view(8, WIDTH)
    copied = torch.cat([rows, directions])
    layer.attn_v.weight.data[:len(copied)] = 0.25 * copied
    layer.attn_output.weight.data[:, :len(copied)] = 0.5 * copied.T


def ground_row(text):
    """Where nothing stands: a fixed direction of its own."""
    return 0.5 * F.normalize(torch.randn(text.token_embd.shape[1], generator=torch.Generator().manual_seed(7)), dim=0).to(DEVICE)


def answer_loss(text, states, batch):
    """Cross-entropy of the answers; states are those of the questions and answers, after <|vision_end|>."""
    rows = batch.targets >= 0
    logits = states[rows] @ text.token_embd.T
    return F.cross_entropy(logits, batch.targets[rows])


def map_loss(text, states, batch):
    """Supervised maps: at every cell each noun's logit shall grow with the share of the cell that its objects cover, and be below 0 elsewhere.

    Linear in the share, and not a sigmoid's log-odds: the map is enlarged to the picture's size by interpolation, and only values in
    proportion to the share put its contour where the object's edge is (a perfect map has an IoU of .85 so, and of .70 with log-odds).
    """
    logits = states[:, FIRST_CELL:AFTER_CELLS] @ text.token_embd[SHAPE_IDS].T
    target = MAP_SCALE * (batch.shapes.clamp(0, 1) - 0.25) / 0.75
    covered = batch.shapes > 0.1
    error = torch.where(covered, F.smooth_l1_loss(logits, target, reduction="none"), F.smooth_l1_loss(F.relu(logits + 1), torch.zeros_like(logits), reduction="none"))
    return error.sum(-1).mean()


def align_loss(text, vision, batch_shapes, batch_colors, ground, places, weight=None, gain=1.0):
    """The tower's cells against the embedding table: distance to the target, and which noun and colour is nearest."""
    table = text.token_embd.detach()
    distance = (vision.float() - cell_target(table, ground, places, batch_shapes, batch_colors, gain)).pow(2).sum(-1)
    loss = distance.mean() if weight is None else (distance * weight).sum() / weight.sum()
    for rows, cover in ((SHAPE_IDS, batch_shapes), (COLOR_IDS, batch_colors)):
        best, kind = cover.max(-1)
        inside = best > 0.8
        if inside.any():
            loss = loss + F.cross_entropy(4 * vision.float()[inside] @ table[rows].T, kind[inside])
    return loss


def prefetch(make, depth=4):
    """Runs a generator of batches in a thread of its own."""
    ready = queue.Queue(depth)

    def fill():
        for item in make():
            ready.put(item)
        ready.put(None)

    threading.Thread(target=fill, daemon=True).start()
    while (item := ready.get()) is not None:
        yield item


class Progress:
    """Learning rate (warm-up, then half a cosine), one optimizer step, log lines, checkpoints."""

    def __init__(self, parameters, rate, steps, final=0.05, warmup=100):
        self.optimizer = torch.optim.AdamW(parameters, rate, betas=(0.9, 0.98), weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: min(1, (step + 1) / warmup) * (
            final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(1, step / steps)))))
        self.parameters, self.steps, self.step, self.started, self.sums = parameters, steps, 0, time.time(), {}

    def take(self, objective, **figures):
        self.optimizer.zero_grad(set_to_none=True)
        objective.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        for name, value in figures.items():
            self.sums[name] = self.sums.get(name, 0) + float(value)
        if self.step % 50 == 0:
            line = "  ".join(f"{name} {total / 50:.4f}" for name, total in self.sums.items())
            print(f"step {self.step}/{self.steps}  {line}  {time.time() - self.started:.0f} s", flush=True)
            self.sums = {}


def autocast():
    return torch.autocast(DEVICE, torch.bfloat16)


def save(path, text, tower):
    torch.save({"text": text and text.state_dict(), "tower": tower and tower.state_dict()}, path + ".part")
    os.replace(path + ".part", path)


def load(path):
    """A checkpoint of ours, or an exported text model with its mmproj beside it."""
    if path.endswith(".gguf"):
        state = {"text": restore.text_state(path), "tower": restore.tower_state(restore.projector_beside(path))}
    else:
        state = torch.load(path, map_location=DEVICE)
    text, tower = TextModel().to(DEVICE), Tower().to(DEVICE)
    for model, part in ((text, "text"), (tower, "tower")):
        if state[part]:
            model.load_state_dict(state[part])
    return text, tower


def make_text():
    """The language model before training; the tower's stage knows its embedding table without waiting for it."""
    torch.manual_seed(1)
    return TextModel().to(DEVICE)


def train_language(arguments):
    """Captions and answers from cells that hold word embeddings instead of pixels; most of the empty cells are left out."""
    if arguments.input:
        text = load(arguments.input[0])[0]
    else:
        text = make_text()
        attend_alike(text)
    ground, places = ground_row(text), place_codes()
    pool = []
    for scene in scenes.stream(LANGUAGE_SEED, arguments.start, arguments.pool):
        scene.kinds = kinds(scene)
        scene.rgb = scene.labels = None
        pool.append(scene)
    frozen = text.token_embd.data[SHAPE_IDS + COLOR_IDS].clone()
    random = np.random.default_rng(1)
    steps = arguments.samples // arguments.batch
    progress = Progress(list(text.parameters()), arguments.rate, steps)
    for _ in range(steps):
        batch = Batch([pool[i] for i in random.integers(len(pool), size=arguments.batch)], random)
        with torch.no_grad():
            cells = cell_target(text.token_embd, ground, places, batch.shapes, batch.colors)
            cells = cells + 0.03 * torch.randn_like(cells)
            # Cells of objects come first, then empty ones by chance; positions tell where each is from.
            rank = (batch.shapes.sum(-1) > 0.1).float() + torch.rand(cells.shape[:2], device=DEVICE)
            kept = rank.topk(KEPT_CELLS, 1).indices.sort(1).values
            rows = torch.arange(arguments.batch, device=DEVICE)[:, None]
            cells, place = cells[rows, kept], batch.positions[rows, FIRST_CELL + kept]
            positions = torch.cat([batch.positions[:, :FIRST_CELL], place, batch.positions[:, AFTER_CELLS:]], 1)
            # All cells are seen by all that follows, so leaving some out leaves the mask's pattern as it is.
            left = torch.cat([torch.arange(FIRST_CELL + KEPT_CELLS), torch.arange(AFTER_CELLS, batch.mask.shape[-1])])
            mask = batch.mask[:, :, left][:, :, :, left]
        with autocast():
            states = text(embed(text, cells, batch.ids), positions, mask)
        loss = answer_loss(text, states[:, FIRST_CELL + KEPT_CELLS + 1:], batch)
        progress.take(loss, loss=loss)
        # The nouns' and colours' rows stay, so that the tower can be aligned to them at the same time.
        text.token_embd.data[SHAPE_IDS + COLOR_IDS] = frozen
        if progress.step % 200 == 0:
            save(arguments.output, text, None)
    save(arguments.output, text, None)


def train_tower(arguments):
    """The tower's cells are aligned to the embedding table on crops of 5 x 5 cells of crowded scenes."""
    crop = 5
    text = make_text()
    ground, places = ground_row(text), place_codes()
    torch.manual_seed(2)
    tower = load(arguments.input[0])[1] if arguments.input else Tower().to(DEVICE)
    random = np.random.default_rng(2)
    pool = []
    for scene in scenes.stream(TOWER_SEED, 0, arguments.pool, 6, 8):
        by_shape, by_color = kinds(scene)
        pool.append((scene.rgb, by_shape.reshape(SIDE, SIDE, -1), by_color.reshape(SIDE, SIDE, -1)))
    # Cells at the crop's border see too little of their object; they count less.
    weight = torch.full((crop, crop), 0.2)
    weight[1:-1, 1:-1] = 1
    weight = weight.flatten().to(DEVICE)
    steps = arguments.samples // arguments.batch
    progress = Progress(list(tower.parameters()), arguments.rate, steps)
    inner = weight == 1
    for _ in range(steps):
        # One place for the whole batch: it shares the part of the position table.
        top, left = random.integers(SIDE - crop + 1, size=2)
        rgb, shapes, colors = [], [], []
        for i in random.integers(len(pool), size=arguments.batch):
            picture, by_shape, by_color = pool[i]
            y, x = random.integers(SIDE - crop + 1, size=2)
            flip = slice(None, None, -1 if random.random() < 0.5 else 1)
            rgb.append(picture[y * 32:(y + crop) * 32, x * 32:(x + crop) * 32][:, flip])
            shapes.append(by_shape[y:y + crop, x:x + crop][:, flip].reshape(crop * crop, -1))
            colors.append(by_color[y:y + crop, x:x + crop][:, flip].reshape(crop * crop, -1))
        shapes, colors = (torch.from_numpy(np.stack(part)).to(DEVICE) for part in (shapes, colors))
        with autocast():
            vision = tower(to_pixels(np.stack(rgb)), 2 * top, 2 * left)
        here = places.view(SIDE, SIDE, -1)[top:top + crop, left:left + crop].flatten(0, 1)
        loss = align_loss(text, vision, shapes, colors, ground, here, weight.expand(arguments.batch, -1))
        with torch.no_grad():
            full = (shapes.max(-1)[0] > 0.4) & inner
            right = lambda rows, cover: ((vision.float() @ text.token_embd[rows].T).argmax(-1) == cover.argmax(-1))[full].float().mean()
            shape, color = right(SHAPE_IDS, shapes), right(COLOR_IDS, colors)
        progress.take(loss, loss=loss, shape=shape, color=color)
        if progress.step % 500 == 0:
            save(arguments.output, None, tower)
    save(arguments.output, None, tower)


def train_joint(arguments):
    """Both together on pictures. aligned: answers only (the first part keeps the tower near the table); grounded: maps of the nouns too."""
    torch.manual_seed(3)
    text, tower = load(arguments.input[0])
    if len(arguments.input) > 1:
        tower = load(arguments.input[1])[1]
    ground, places = ground_row(text), place_codes()
    random = np.random.default_rng(3)
    steps = arguments.samples // arguments.batch

    def batches():
        items = []
        for scene in scenes.stream(JOINT_SEED, arguments.start, steps * arguments.batch):
            items.append(scene)
            if len(items) == arguments.batch:
                yield Batch(items, random)
                items = []

    progress = Progress(list(text.parameters()) + list(tower.parameters()), arguments.rate, steps, warmup=50)
    for batch in prefetch(batches):
        with autocast():
            vision = tower(batch.pixels)
            states = text(embed(text, vision, batch.ids), batch.positions, batch.mask)
        answers = answer_loss(text, states[:, AFTER_CELLS + 1:], batch)
        if arguments.maps:
            maps = map_loss(text, states, batch)
            progress.take(answers + MAP_WEIGHT * maps, answers=answers, maps=maps)
        else:
            # Alignment fades to what is to stay: it helps the tower from crops to whole pictures, and what stays keeps it from drifting.
            share = max(arguments.align, 1 - progress.step / (0.3 * steps))
            align = align_loss(text, vision, batch.shapes, batch.colors, ground, places, gain=arguments.gain) if share > 0 else torch.zeros(())
            progress.take(answers + 0.5 * share * align, answers=answers, align=align)
        if progress.step % 100 == 0:
            save(arguments.output, text, tower)
        if progress.step % 500 == 0:
            print(evaluate(text, tower, 40), flush=True)
    save(arguments.output, text, tower)
    print(evaluate(text, tower, arguments.held_out), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=["language", "tower", "joint"])
    parser.add_argument("--output", required=True)
    parser.add_argument("--input", nargs="+", default=[])
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--start", type=int, default=0, help="first scene of the joint stream")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--pool", type=int, default=3000)
    parser.add_argument("--maps", action="store_true", help="joint: add the supervised loss on the nouns' maps")
    parser.add_argument("--align", type=float, default=0.0, help="joint: share of the tower's alignment that stays to the end")
    parser.add_argument("--gain", type=float, default=1.0, help="joint: how much louder a cell's noun is than its colour in the alignment")
    parser.add_argument("--held-out", type=int, default=200, help="joint: scenes to measure on in the end")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    {"language": train_language, "tower": train_tower, "joint": train_joint}[arguments.stage](arguments)


if __name__ == "__main__":
    main()
