"""Activation maps of a trace the way TAMX computes them, by the same calls of torch, NumPy and SciPy: the baseline of the benchmarks.

maps.py TRACE.safetensors KERNEL THREADS ROUNDS prints the best seconds of a few rounds, and the sum of all normalised maps, so that
whoever compares can see that both computed the same. The trace is read before the clock starts.

One block of vision; text of control tokens is told by its id, which is not below FIRST_WORD and not above LAST_WORD for words.
"""

import json
import sys
import time

import numpy as np
import torch
from scipy.optimize import minimize_scalar

TYPES = {"F32": np.float32, "I64": np.int64}
FIRST_WORD, LAST_WORD = 1000, 50_999
SPATIAL_MERGE = 2


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], TYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
        if entry["dtype"] in TYPES
    }


class Trace:
    def __init__(self, path):
        tensors = read_safetensors(path)
        self.states = torch.from_numpy(tensors["hidden_state"][0].copy())
        self.ids = tensors["generated_ids"].reshape(-1).tolist()
        self.candidates = tensors["candidate_ids_per_step"].reshape(-1, tensors["candidate_ids_per_step"].shape[-1]).tolist()
        self.rows = torch.from_numpy(tensors["lm_head_rows"].copy())
        self.index = {token: i for i, token in enumerate(tensors["lm_head_ids"].tolist())}
        grid = tensors.get("image_grid_thw", tensors.get("video_grid_thw"))[0].tolist()
        self.grid = (grid[0], grid[1] // SPATIAL_MERGE, grid[2] // SPATIAL_MERGE)
        pad = max(set(self.ids), key=self.ids.count)
        self.cells = [p for p, token in enumerate(self.ids) if token == pad]
        self.text = [p for p, token in enumerate(self.ids) if FIRST_WORD <= token <= LAST_WORD]
        self.answer = list(range(len(self.ids) - len(self.candidates), len(self.ids)))


def interference_scale(activation, interference):
    if np.sum(interference**2) < 1e-12:
        return 0.0
    return minimize_scalar(lambda s: np.sum((activation - interference * s) ** 2)).x


def rank_filter(image, k):
    """Sorted windows of k x k, borders reflected, weighted by a Gaussian of the rank whose width is deviation / mean."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, k // 2, mode="reflect"), (k, k)).reshape(image.size, k * k)
    ordered = np.sort(windows, axis=1)
    mean, deviation = ordered.mean(axis=1), ordered.std(axis=1)
    varies = (mean > 0) & (deviation > 0)
    width = (deviation[varies] / mean[varies])[:, None]
    rank = np.arange(k * k, dtype=np.float32) - k * k // 2
    weights = np.exp(-(rank**2) / (2 * width**2))
    weights /= weights.sum(axis=1, keepdims=True)
    result = np.zeros_like(mean)
    result[varies] = (ordered[varies] * weights).sum(axis=1)
    return result


def compute(trace, kernel):
    activations = torch.relu(trace.states[trace.cells] @ trace.rows.T).numpy()
    context = [p for p in trace.text if p < len(trace.states)]
    context_states = trace.states[context]
    frames, rows, columns = trace.grid
    result = []
    for position, candidates in zip(trace.answer, trace.candidates):
        explained = [trace.index[token] for token in [trace.ids[position], *candidates]]
        relevance = torch.relu(context_states @ trace.rows[explained].T).numpy()
        before = [i for i, p in enumerate(context) if p < position]
        maps = [relevance[before, j] for j in range(len(explained))]
        for row in explained:
            others = [i for i in before if trace.index[trace.ids[context[i]]] != row]
            weights = relevance[others, 0]
            weights = weights / weights.sum()
            interference = np.dot(activations[:, [trace.index[trace.ids[context[i]]] for i in others]], weights)
            activation = activations[:, row]
            values = np.maximum(0, activation - interference_scale(activation, interference) * interference)
            if kernel > 1:
                values = np.concatenate([rank_filter(frame.reshape(rows, columns), kernel) for frame in np.array_split(values, frames)])
            maps.append(values)
        joined = np.concatenate(maps)
        low, high = joined.min(), joined.max()
        normalised = (joined - low) / (high - low)
        result.append(normalised[-len(explained) * len(trace.cells) :])
    return result


def main():
    path, kernel, threads, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    trace = Trace(path)
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        maps = compute(trace, kernel)
        best = min(best, time.perf_counter() - start)
    print(best, float(sum(m.sum(dtype=np.float64) for m in maps)))


if __name__ == "__main__":
    main()
