"""Figures on held-out scenes: exact answers, and how well raw maps, relu(state . row of the word), point at the objects."""

import numpy as np
import torch

import scenes
from model import AFTER_CELLS, ANSWER_START, END, FIRST_CELL, SIDE, embed, prefix_positions
from vocabulary import ID, decode, encode

HELD_OUT_SEED = 9001
KINDS = ["describe", "relation", "count", "color"]


def otsu(values):
    """Otsu's threshold on 256 levels, as OpenCV's: the level that parts the histogram with the largest variance between the parts."""
    counts = np.bincount(values.ravel(), minlength=256).astype(np.float64)
    weight, total = np.cumsum(counts), counts.sum()
    mean = np.cumsum(counts * np.arange(256))
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean[-1] * weight / total - mean) ** 2 / (weight * (total - weight))
    return int(np.argmax(np.nan_to_num(between, posinf=0)))


def measure(map_, mask):
    """IoU at Otsu's threshold, hit of the maximum, share of the mass inside. map_ [SIDE, SIDE] is enlarged to the mask's size (bilinear)."""
    if map_.max() <= 0:
        return 0.0, 0.0, 0.0
    big = torch.nn.functional.interpolate(torch.from_numpy(map_)[None, None], mask.shape, mode="bilinear", align_corners=False)[0, 0].numpy()
    levels = np.clip(big / big.max() * 255, 0, 255).astype(np.uint8)
    found = levels > otsu(levels)
    iou = (found & mask).sum() / max(1, (found | mask).sum())
    hit = mask[np.unravel_index(np.argmax(big), big.shape)]
    return float(iou), float(hit), float(big[mask].sum() / big.sum())


def least_squares_eci(states, table, sequence, text_positions, target_position):
    """The map of the token at target_position with what the text before it explains taken out (the method's ECI)."""
    token = sequence[target_position]
    cells = states[FIRST_CELL:AFTER_CELLS]
    row = np.maximum(cells @ table[token], 0)
    context = [p for p in text_positions if p < target_position and sequence[p] != token]
    if not context:
        return row
    weights = np.array([max(0.0, states[p] @ table[token]) for p in context])
    weights = weights / weights.sum() if weights.sum() > 1e-8 else np.full(len(context), 1 / len(context))
    interference = sum(w * np.maximum(cells @ table[sequence[p]], 0) for w, p in zip(weights, context))
    energy = interference @ interference
    return np.maximum(row - (row @ interference / energy if energy > 1e-12 else 0) * interference, 0)


@torch.no_grad()
def run(text, tower, scene, question):
    """States [S, WIDTH], the whole sequence, and where the expected answer starts."""
    device = text.token_embd.device
    head = encode(question["prompt"]) + ANSWER_START
    ids = head + encode(question["answer"]) + [END]
    pixels = torch.from_numpy(scene.rgb.copy()).to(device).float()[None] / 127.5 - 1
    tokens = torch.tensor([ids], device=device)
    after = torch.arange(len(ids))[:, None].expand(-1, 3) + FIRST_CELL + SIDE + 1
    positions = torch.cat([prefix_positions(), after])[None].to(device)
    total = positions.shape[1]
    mask = torch.full((total, total), -1e9, device=device).triu(1)[None, None]
    states = text(embed(text, tower(pixels), tokens), positions, mask)[0]
    sequence = [ID["unused"]] * (AFTER_CELLS + 1) + ids
    return states, sequence, AFTER_CELLS + 1 + len(head)


def evaluate(text, tower, count, start=0, show=False):
    table = text.token_embd.detach().float().cpu().numpy()
    exact = {kind: [] for kind in KINDS}
    figures = {}
    for scene in scenes.stream(HELD_OUT_SEED, start, count):
        for question in scene.questions:
            states, sequence, first = run(text, tower, scene, question)
            said = (states[first - 1:len(sequence) - 1] @ text.token_embd.T).argmax(-1).tolist()
            right = said == sequence[first:]
            exact[KINDS[question["kind"]]].append(right)
            if show and not right:
                print(f"expected {question['answer']!r}, said {decode(said)!r}")
            if question["kind"] == 0:
                states = states.cpu().numpy()
                prompt_end = first - len(ANSWER_START)
                text_positions = [*range(AFTER_CELLS + 1, prompt_end), *range(first, len(sequence))]
                for word in question["words"]:
                    kind = {0: "noun", 1: "color"}.get(word["kind"])
                    if kind:
                        token = ID[" " + word["text"]]
                        at = [p for p in range(first, len(sequence)) if sequence[p] == token][0]
                        mask = np.isin(scene.labels, [i + 1 for i in word["objectIds"]])
                        raw = np.maximum(states[FIRST_CELL:AFTER_CELLS] @ table[token], 0).reshape(SIDE, SIDE)
                        figures.setdefault(kind, []).append(measure(raw, mask))
                        eci = least_squares_eci(states, table, sequence, text_positions, at).astype(np.float32).reshape(SIDE, SIDE)
                        figures.setdefault(kind + "+eci", []).append(measure(eci, mask))
                        figures.setdefault(kind + " area", []).append((mask.mean(),) * 3)
    line = "exact " + " ".join(f"{kind} {np.mean(values):.3f}" for kind, values in exact.items())
    for kind in ("noun", "noun+eci", "color", "color+eci"):
        line += f" | {kind} IoU {np.mean(figures[kind], 0)[0]:.3f} pointing {np.mean(figures[kind], 0)[1]:.3f} mass {np.mean(figures[kind], 0)[2]:.3f}"
    return line + f" | area {np.mean(figures['noun area']):.3f}"


if __name__ == "__main__":
    import argparse

    from train import load

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("--scenes", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(evaluate(*load(arguments.checkpoint), arguments.scenes, show=True))
