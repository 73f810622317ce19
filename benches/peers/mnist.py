"""MNIST as tensors, and what the peer scripts share: flags, seeds, the initial weights."""

import argparse
import gzip
import json
import math
import os
import struct
import sys
from pathlib import Path

import torch

FILES = {
    "train_images": ("train-images-idx3-ubyte.gz", (60_000, 28, 28)),
    "train_labels": ("train-labels-idx1-ubyte.gz", (60_000,)),
    "test_images": ("t10k-images-idx3-ubyte.gz", (10_000, 28, 28)),
    "test_labels": ("t10k-labels-idx1-ubyte.gz", (10_000,)),
}


def read_idx(path, shape):
    """Reads one gzip-compressed IDX file of unsigned bytes and checks its shape."""
    with gzip.open(path, "rb") as file:
        data = file.read()
    rank = len(shape)
    magic, *found = struct.unpack_from(f">{1 + rank}I", data)
    if magic != 0x800 + rank or tuple(found) != shape:
        raise ValueError(f"{path}: magic {magic:#x} shape {tuple(found)}, "
                         f"expected {0x800 + rank:#x} {shape}")
    body = data[4 + 4 * rank :]
    if len(body) != math.prod(shape):
        raise ValueError(f"{path}: {len(body)} data bytes, expected {math.prod(shape)}")
    return torch.frombuffer(bytearray(body), dtype=torch.uint8).reshape(shape)


def load(data_dir):
    """Images as f32 rows of 784 pixels in 0..=1 and labels as int64:
    `(train_x, train_y, test_x, test_y)`."""
    parts = {name: read_idx(Path(data_dir) / file, shape) for name, (file, shape) in FILES.items()}
    images = lambda x: x.reshape(len(x), 784).float() / 255
    return (
        images(parts["train_images"]),
        parts["train_labels"].long(),
        images(parts["test_images"]),
        parts["test_labels"].long(),
    )


def seed_range(text):
    """`3`, `1,4,9` or the inclusive range `1..5`."""
    if ".." in text:
        first, last = text.split("..")
        return list(range(int(first), int(last) + 1))
    return [int(part) for part in text.split(",")]


def parser(description):
    """An argument parser with the flags every script has."""
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--data-dir", default=os.environ.get("MNIST_DIR"),
                   help="folder of the four gzip IDX files (default: $MNIST_DIR)")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--json", action="store_true", help="print a JSON object as the last line")
    return p


def parse(p, argv=None):
    args = p.parse_args(argv)
    if not args.data_dir:
        p.error("no data: give --data-dir or set MNIST_DIR")
    torch.set_num_threads(args.threads)
    return args


def kaiming_normal(inputs, outputs, gain, generator):
    """Weights `[inputs][outputs]` with standard deviation gain / sqrt(inputs)."""
    return torch.randn(inputs, outputs, generator=generator) * (gain / math.sqrt(inputs))


def mean_sd(values):
    """Mean and sample standard deviation (0 for one value)."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, 0.0
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


def emit(args, result):
    sys.stdout.flush()
    if args.json:
        print(json.dumps(result), flush=True)
