"""Epochs of 784-64-10, 784-512-10 and 784-1024-1024-10 in PyTorch: eager, and as a CUDA graph.

The same work as `gpu-bench`: digits on the device as bytes, a fresh order each epoch, batches gathered
there, ReLU, softmax with cross-entropy, plain gradient descent at 0.01, the sum of the losses kept on the
device, 32-bit floats throughout (no TF32). Without a GPU it trains on the CPU's threads, eagerly.

`gpu-bench --peer 'python gpu.py'` starts it and asks for one epoch at a time (`benches/src/gpu/peer.rs` has
the protocol), so that its epochs alternate with motenet's.
"""

import argparse
import gzip
import os
import signal
import struct
import sys
import time
from pathlib import Path

SHAPES = {
    "784-64-10": [784, 64, 10],
    "784-512-10": [784, 512, 10],
    "784-1024-1024-10": [784, 1024, 1024, 10],
}
RATE = 0.01

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as error:
    print(f"{sys.executable}: {error}")  # the answer to whoever has started it
    sys.exit(1)

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


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


class Eager:
    """A network in training, a step at a time."""

    def __init__(self, sizes, images, labels, batch):
        torch.manual_seed(1)
        layers = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            layer = nn.Linear(inputs, outputs)
            # From motenet's distribution: its losses are then the same but for chance.
            kind = "linear" if outputs == sizes[-1] else "relu"
            nn.init.kaiming_normal_(layer.weight, nonlinearity=kind)
            nn.init.zeros_(layer.bias)
            layers += [layer, nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1]).to(DEVICE)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=RATE)
        self.images, self.labels, self.batch = images, labels, batch
        self.total = torch.zeros((), device=DEVICE)

    def step(self, index):
        x = self.images.index_select(0, index).float() / 255
        loss = F.cross_entropy(self.model(x), self.labels.index_select(0, index))
        self.optimizer.zero_grad(set_to_none=False)
        loss.backward()
        self.optimizer.step()
        self.total += loss.detach() * len(index)

    def epoch(self):
        """Seconds, and the mean loss."""
        start = time.perf_counter()
        self.total.zero_()
        for index in torch.randperm(len(self.images), device=DEVICE).split(self.batch):
            self.step(index)
        loss = self.total.item() / len(self.images)  # waits for the device
        return time.perf_counter() - start, loss


class Graph(Eager):
    """One step as a graph that is replayed; the short last batch is taken eagerly."""

    def __init__(self, sizes, images, labels, batch):
        super().__init__(sizes, images, labels, min(batch, len(images)))
        self.index = torch.zeros(self.batch, dtype=torch.long, device=DEVICE)
        before = [weight.detach().clone() for weight in self.model.parameters()]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                super().step(self.index)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            super().step(self.index)
        with torch.no_grad():  # getting warm was no training
            for weight, saved in zip(self.model.parameters(), before):
                weight.copy_(saved)

    def step(self, index):
        if len(index) == self.batch:
            self.index.copy_(index)
            self.graph.replay()
        else:
            super().step(index)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=60_000)
    args = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks for epochs says when to end
    torch.backends.cuda.matmul.allow_tf32 = False
    images, labels = (part.to(DEVICE) for part in digits(args.samples))
    if DEVICE == "cuda":
        name, ways = torch.cuda.get_device_name(), {"torch eager": Eager, "torch graph": Graph}
    else:
        name, ways = f"{torch.get_num_threads()} threads of the CPU", {"torch, CPU": Eager}
    print(f"PyTorch {torch.__version__} on {name}", *ways, sep="\t", flush=True)
    asked, training = None, None
    for line in sys.stdin:
        shape, batch, way = line.rstrip("\n").split("\t")
        try:
            # Each way of the same width and batch stays until the next width or batch.
            if asked != (shape, batch):
                asked, training = (shape, batch), {}
            if way not in training:
                training[way] = ways[way](SHAPES[shape], images, labels, int(batch))
            print(*training[way].epoch(), sep="\t", flush=True)
        except (RuntimeError, KeyError) as error:
            print("error", str(error).splitlines()[0], sep="\t", flush=True)


if __name__ == "__main__":
    main()
