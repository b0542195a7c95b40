"""The architecture that llama.cpp runs as qwen3vl with a qwen3vl_merger projector, without deepstack, in PyTorch."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from vocabulary import COLOR_IDS, ID, SHAPE_IDS, TRAINED

SIDE = 12                 # cells across a picture of 384 pixels
PATCH, MERGE = 16, 2
WIDTH, LAYERS, HEADS, KV_HEADS, HEAD, FFN = 256, 3, 8, 2, 32, 256
SECTIONS = [6, 5, 5, 0]   # time, height, width: interleaved M-RoPE
V_WIDTH, V_LAYERS, V_HEADS, V_HEAD, V_FFN = 64, 3, 2, 32, 256
BASE, EPS = 10000.0, 1e-6


def rotate(x, cosine, sine):
    """NeoX pairs: element i turns with element i + half."""
    first, second = x.chunk(2, -1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)


class Gelu(torch.autograd.Function):
    """GELU by tanh, as ggml computes it, written with a sigmoid; several times faster on a CPU than torch's own (as of 1.13)."""

    SCALE, CUBE = 2 * math.sqrt(2 / math.pi), 0.044715

    @staticmethod
    def forward(context, x):
        wide = x.float()
        gate = torch.sigmoid(Gelu.SCALE * wide * (1 + Gelu.CUBE * wide * wide))
        context.save_for_backward(x, gate.to(x.dtype))
        return (wide * gate).to(x.dtype)

    @staticmethod
    def backward(context, gradient):
        x, gate = context.saved_tensors
        slope = Gelu.SCALE * (1 + 3 * Gelu.CUBE * x * x)
        return gradient * gate * (1 + x * (1 - gate) * slope)


gelu = Gelu.apply


class RmsNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * self.weight


class TextLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn_norm, self.ffn_norm = RmsNorm(WIDTH), RmsNorm(WIDTH)
        self.attn_q = nn.Linear(WIDTH, HEADS * HEAD, bias=False)
        self.attn_k = nn.Linear(WIDTH, KV_HEADS * HEAD, bias=False)
        self.attn_v = nn.Linear(WIDTH, KV_HEADS * HEAD, bias=False)
        self.attn_output = nn.Linear(HEADS * HEAD, WIDTH, bias=False)
        self.attn_q_norm, self.attn_k_norm = RmsNorm(HEAD), RmsNorm(HEAD)
        self.ffn_gate = nn.Linear(WIDTH, FFN, bias=False)
        self.ffn_up = nn.Linear(WIDTH, FFN, bias=False)
        self.ffn_down = nn.Linear(FFN, WIDTH, bias=False)

    def forward(self, x, cosine, sine, mask):
        batch, length, _ = x.shape
        n = self.attn_norm(x)
        q = self.attn_q_norm(self.attn_q(n).view(batch, length, HEADS, HEAD)).transpose(1, 2)
        k = self.attn_k_norm(self.attn_k(n).view(batch, length, KV_HEADS, HEAD)).transpose(1, 2)
        v = self.attn_v(n).view(batch, length, KV_HEADS, HEAD).transpose(1, 2)
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        group = HEADS // KV_HEADS
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        weights = torch.softmax((q * HEAD ** -0.5 @ k.transpose(-1, -2)).float() + mask, -1)
        x = x + self.attn_output((weights @ v.to(weights.dtype)).transpose(1, 2).reshape(batch, length, HEADS * HEAD))
        n = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(n)) * self.ffn_up(n))


class TextModel(nn.Module):
    def __init__(self):
        super().__init__()
        embedding = torch.randn(len(TRAINED), WIDTH) / math.sqrt(WIDTH)
        # The nouns and colours start orthonormal, so that a cell can hold one of each without mixing them up.
        embedding[SHAPE_IDS + COLOR_IDS] = torch.linalg.qr(torch.randn(WIDTH, 16))[0].T
        self.token_embd = nn.Parameter(embedding)
        self.output_norm = RmsNorm(WIDTH)
        self.blk = nn.ModuleList(TextLayer() for _ in range(LAYERS))
        for name, weight in self.named_parameters():
            if "attn_output" in name or "ffn_down" in name:
                weight.data *= 0.5
        # Which of time, height and width turns each of the 16 pairs: 0 1 2 0 1 2 ... 0.
        self.register_buffer("axis", torch.tensor([i % 3 if i < 15 else 0 for i in range(HEAD // 2)]), persistent=False)
        self.register_buffer("speed", BASE ** (-torch.arange(HEAD // 2) * 2.0 / HEAD), persistent=False)

    def forward(self, x, positions, mask):
        """x [B, L, WIDTH]; positions [B, L, 3]; mask [B, 1, L, L] added to the scores. Returns states after the final norm."""
        angles = (positions.float()[..., self.axis] * self.speed).unsqueeze(1)
        cosine, sine = angles.cos(), angles.sin()
        for layer in self.blk:
            x = layer(x, cosine, sine, mask)
        return self.output_norm(x)


class VisionLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(V_WIDTH, EPS), nn.LayerNorm(V_WIDTH, EPS)
        self.attn_qkv, self.attn_out = nn.Linear(V_WIDTH, 3 * V_WIDTH), nn.Linear(V_WIDTH, V_WIDTH)
        self.ffn_up, self.ffn_down = nn.Linear(V_WIDTH, V_FFN), nn.Linear(V_FFN, V_WIDTH)

    def forward(self, x, cosine, sine):
        batch, length, _ = x.shape
        q, k, v = self.attn_qkv(self.ln1(x)).view(batch, length, 3, V_HEADS, V_HEAD).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        weights = torch.softmax(q * V_HEAD ** -0.5 @ k.transpose(-1, -2), -1)
        x = x + self.attn_out((weights @ v).transpose(1, 2).reshape(batch, length, V_WIDTH))
        return x + self.ffn_down(gelu(self.ffn_up(self.ln2(x))))


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch_embd = nn.Linear(3 * PATCH * PATCH, V_WIDTH)
        self.position_embd = nn.Parameter(torch.randn(SIDE * MERGE, SIDE * MERGE, V_WIDTH) * 0.02)
        self.blk = nn.ModuleList(VisionLayer() for _ in range(V_LAYERS))
        self.post_ln = nn.LayerNorm(V_WIDTH, EPS)
        self.mm_0 = nn.Linear(4 * V_WIDTH, 4 * V_WIDTH)
        self.mm_2 = nn.Linear(4 * V_WIDTH, WIDTH)
        self.register_buffer("speed", BASE ** (-torch.arange(V_HEAD // 4) * 4.0 / V_HEAD), persistent=False)
        self._start_local()

    def _start_local(self):
        """Biases that make the 2D rope act as a window: every head starts by looking about 2 patches into a direction of its own."""
        strength = [10.0, 16.0, 10.0]
        for number, layer in enumerate(self.blk):
            nn.init.normal_(layer.attn_qkv.weight[:2 * V_WIDTH], 0, 0.02)
            nn.init.zeros_(layer.attn_qkv.bias)
            query = layer.attn_qkv.bias.data[:V_WIDTH].view(V_HEADS, 2, 2, V_HEAD // 4)  # head, half of the pair, axis, speed
            key = layer.attn_qkv.bias.data[V_WIDTH:2 * V_WIDTH].view(V_HEADS, 2, 2, V_HEAD // 4)
            for head in range(V_HEADS):
                turn = 2 * math.pi * (head / V_HEADS + number / (3 * V_HEADS) + 0.25)
                distance = 1.5 + 0.75 * number
                for axis, offset in enumerate((distance * math.sin(turn), distance * math.cos(turn))):
                    for i, square in enumerate(strength):
                        angle = self.speed[i].item() * offset
                        key[head, 0, axis, i] = math.sqrt(square)
                        query[head, 0, axis, i] = math.sqrt(square) * math.cos(angle)
                        query[head, 1, axis, i] = -math.sqrt(square) * math.sin(angle)

    def forward(self, pixels, top=0, left=0):
        """pixels [B, H, W, 3] from -1 to 1; top and left: the first patch's place in the position table. Returns [B, cells, WIDTH]."""
        batch, height, width = pixels.shape[0], pixels.shape[1] // PATCH, pixels.shape[2] // PATCH
        # Patches in the order of the 2 x 2 blocks that are merged in the end.
        x = pixels.view(batch, height // 2, 2, PATCH, width // 2, 2, PATCH, 3).permute(0, 1, 4, 2, 5, 7, 3, 6)
        x = self.patch_embd(x.reshape(batch, height * width, 3 * PATCH * PATCH))
        blocks = lambda grid: grid.view(height // 2, 2, width // 2, 2, -1).transpose(1, 2).reshape(height * width, -1)
        x = x + blocks(self.position_embd[top:top + height, left:left + width].contiguous())
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        place = blocks(torch.stack([rows, columns], -1).to(x.device).contiguous()).float()
        angles = (place[:, :, None] * self.speed).flatten(1)
        cosine, sine = angles.cos(), angles.sin()
        for layer in self.blk:
            x = layer(x, cosine, sine)
        x = self.post_ln(x).reshape(batch, height * width // 4, 4 * V_WIDTH)
        return self.mm_2(gelu(self.mm_0(x)))


PREFIX = [ID[text] for text in ("<|im_start|>", "user", "\n", "<|vision_start|>")]
ANSWER_START = [ID[text] for text in ("<|im_end|>", "\n", "<|im_start|>", "assistant", "\n")]
FIRST_CELL, CELLS = len(PREFIX), SIDE * SIDE
AFTER_CELLS = FIRST_CELL + CELLS
END = ID["<|im_end|>"]


def prefix_positions():
    """[prefix + cells + 1, 3]: a cell has the block's start as time, and start + row, start + column; the block takes SIDE positions."""
    cells = torch.stack(torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij"), -1).view(-1, 2) + FIRST_CELL
    cells = torch.cat([torch.full((CELLS, 1), FIRST_CELL), cells], 1)
    before = torch.arange(FIRST_CELL)[:, None].expand(-1, 3)
    return torch.cat([before, cells, torch.full((1, 3), FIRST_CELL + SIDE)])


def embed(text, vision, ids):
    """Embeddings of <prefix> <vision [B, CELLS, WIDTH]> <|vision_end|> <ids [B, L]>."""
    batch = vision.shape[0]
    table = text.token_embd
    start = table[torch.tensor(PREFIX, device=ids.device)].expand(batch, -1, -1)
    end = table[ID["<|vision_end|>"]].expand(batch, 1, -1)
    return torch.cat([start, vision.to(table.dtype), end, table[ids]], 1)
