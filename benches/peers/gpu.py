"""Epochs of 784-64-10, 784-512-10 and 784-1024-1024-10 in PyTorch on a GPU: eager, and as a CUDA graph.

The same work as `gpu-bench`: digits on the device as bytes, a fresh order each epoch, batches gathered
there, ReLU, softmax with cross-entropy, plain gradient descent at 0.01, 32-bit floats throughout (no
TF32). One line for each: model, batch, column, samples a second, with tabs between.

    MNIST_DIR=… python gpu.py --batches 64,1024 > beside.tsv
"""

import argparse
import gzip
import os
import struct
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

SHAPES = {
    "784-64-10": [784, 64, 10],
    "784-512-10": [784, 512, 10],
    "784-1024-1024-10": [784, 1024, 1024, 10],
}
RATE = 0.01


def digits(count):
    """Images as bytes and labels: MNIST, or noise where there is none (the time is the same)."""
    folder = os.environ.get("MNIST_DIR")
    if not folder:
        images = torch.randint(0, 256, (count, 784), dtype=torch.uint8)
        return images, torch.randint(0, 10, (count,))
    parts = []
    for name, header in [("train-images-idx3-ubyte.gz", 16), ("train-labels-idx1-ubyte.gz", 8)]:
        data = gzip.decompress((Path(folder) / name).read_bytes())
        assert struct.unpack_from(">I", data, 4)[0] == 60_000, name
        parts.append(torch.frombuffer(bytearray(data[header:]), dtype=torch.uint8))
    return parts[0].reshape(60_000, 784)[:count], parts[1][:count].long()


def network(sizes):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).cuda()


def step(model, optimizer, images, labels, index):
    x = images.index_select(0, index).float() / 255
    loss = F.cross_entropy(model(x), labels.index_select(0, index))
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()


def eager(sizes, images, labels, batch):
    model = network(sizes)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)

    def epoch():
        for index in torch.randperm(len(images), device="cuda").split(batch):
            step(model, optimizer, images, labels, index)
    return epoch


def graph(sizes, images, labels, batch):
    """One step as a graph that is replayed; the short last batch is taken eagerly."""
    model = network(sizes)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    index = torch.zeros(batch, dtype=torch.long, device="cuda")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step(model, optimizer, images, labels, index)
    torch.cuda.current_stream().wait_stream(stream)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        step(model, optimizer, images, labels, index)

    def epoch():
        for part in torch.randperm(len(images), device="cuda").split(batch):
            if len(part) == batch:
                index.copy_(part)
                captured.replay()
            else:
                step(model, optimizer, images, labels, part)
    return epoch


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--batches", default="64,256,1024,4096")
    parser.add_argument("--epochs", type=int, default=3)
    args, _ = parser.parse_known_args()  # others are `gpu-bench`'s own
    torch.backends.cuda.matmul.allow_tf32 = False
    images, labels = (part.cuda() for part in digits(args.samples))
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}", file=sys.stderr)
    for shape, sizes in SHAPES.items():
        for batch in map(int, args.batches.split(",")):
            for column, make in [("torch eager", eager), ("torch graph", graph)]:
                if column == "torch graph" and batch > len(images):
                    continue  # no whole batch to capture
                epoch = make(sizes, images, labels, batch)
                times = []
                for _ in range(max(args.epochs, 2)):
                    torch.cuda.synchronize()
                    start = time.perf_counter()
                    epoch()
                    torch.cuda.synchronize()
                    times.append(time.perf_counter() - start)
                speed = len(images) / min(times[1:])
                print(shape, batch, column, f"{speed:.0f}", sep="\t", flush=True)


if __name__ == "__main__":
    main()
