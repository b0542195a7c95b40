"""Scenes from the C# generator, read through a pipe: the trainer has no generator of its own."""

import json
import os
import struct
import subprocess

import numpy as np

CELL = 32
GENERATOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenes", "bin", "Release", "net10.0", "Scenes")


class Scene:
    """rgb [S, S, 3] uint8, labels [S, S] uint8, objects and questions as the generator describes them."""

    def __init__(self, facts, rgb, labels):
        self.objects, self.questions, self.rgb, self.labels = facts["objects"], facts["questions"], rgb, labels
        self.kinds = None

    def coverage(self):
        """[objects, S/32, S/32]: the share of each cell that each object covers."""
        cells = self.labels.shape[0] // CELL
        blocks = self.labels.reshape(cells, CELL, cells, CELL)
        return np.stack([(blocks == item["id"] + 1).mean((1, 3), dtype=np.float32) for item in self.objects])


def stream(seed, start, count, low=1, high=4):
    command = [GENERATOR, "stream", "--seed", seed, "--start", start, "--count", count, "--min", low, "--max", high]
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, bufsize=1 << 22) as process:
        read = process.stdout.read
        size = struct.unpack("<i", read(4))[0]
        for _ in range(count):
            facts = json.loads(read(struct.unpack("<i", read(4))[0]))
            rgb = np.frombuffer(read(size * size * 3), np.uint8).reshape(size, size, 3)
            labels = np.frombuffer(read(size * size), np.uint8).reshape(size, size)
            yield Scene(facts, rgb, labels)
