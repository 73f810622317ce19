"""An epoch of 784-64-10 in motenet, PyTorch (eager and compiled) and JAX, in turn.

The same work for all: 60,000 images as 784 numbers in 0..=1, a fresh order, batches of 64 and a last one
of 32, ReLU, softmax with cross-entropy, plain gradient descent at 0.01. PyTorch compiles the forward pass
and the loss; JAX compiles a whole epoch into one function. Each framework lives in a process of its own,
bound to as many CPUs as it has threads, as motenet is; one epoch of each (which compiles) comes before
and is not timed. A framework that is not installed is left out, and said to be.

    python compare.py --command '../../target/release/host' --repeats 7
"""

import argparse
import gzip
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

BATCH, RATE = 64, 0.01
PEERS = ("PyTorch eager", "PyTorch compiled", "JAX")


def torch_epoch(compiled, args):
    """A function that trains an epoch, and the version."""
    import torch
    import torch.nn.functional as F

    import framework
    import mnist

    torch.set_num_threads(args.threads)
    x, y, _, _ = mnist.load(args.data_dir)
    generator = torch.Generator().manual_seed(1)
    model = framework.network("relu", generator)
    opt = torch.optim.SGD(model.parameters(), lr=RATE)
    if not compiled:
        def epoch():
            framework.train_epoch(model, opt, x, y, BATCH, generator)
    else:
        # Both lengths of a batch get code of their own.
        loss = torch.compile(lambda x, y: F.cross_entropy(model(x), y), dynamic=False)

        def epoch():
            for index in torch.randperm(len(x), generator=generator).split(BATCH):
                opt.zero_grad()
                loss(x.index_select(0, index), y.index_select(0, index)).backward()
                opt.step()

    def accuracy():
        return framework.accuracy(model, x, y)
    return epoch, accuracy, torch.__version__


def jax_epoch(args):
    """The same in JAX, which takes as many threads as it may use CPUs."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    def read(name, skip):
        with gzip.open(Path(args.data_dir) / name) as file:
            return np.frombuffer(file.read()[skip:], np.uint8)

    images = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    x = jnp.asarray(images.astype(np.float32) / 255)
    y = jnp.asarray(read("train-labels-idx1-ubyte.gz", 8).astype(np.int32))
    rng = np.random.default_rng(1)
    weights = [(rng.normal(0, (2 / 784) ** 0.5, (784, 64)), 64), (rng.normal(0, 64**-0.5, (64, 10)), 10)]
    params = [(jnp.asarray(w, jnp.float32), jnp.zeros(n)) for w, n in weights]

    def logits(params, x):
        (w1, b1), (w2, b2) = params
        return jax.nn.relu(x @ w1 + b1) @ w2 + b2

    def loss(params, x, y):
        return -jnp.take_along_axis(jax.nn.log_softmax(logits(params, x)), y[:, None], 1).mean()

    def step(params, index):
        grad = jax.grad(loss)(params, x[index], y[index])
        return jax.tree.map(lambda p, g: p - RATE * g, params, grad), None

    @jax.jit
    def train(params, batches, last):
        params, _ = jax.lax.scan(step, params, batches)
        return step(params, last)[0]

    full = len(x) // BATCH * BATCH

    def epoch():
        nonlocal params
        order = rng.permutation(len(x)).astype(np.int32)
        params = train(params, order[:full].reshape(-1, BATCH), order[full:])
        jax.block_until_ready(params)

    def accuracy():
        return 100 * float((logits(params, x).argmax(1) == y).mean())
    return epoch, accuracy, jax.__version__


def serve(args):
    """A worker: one epoch a line of input, and its seconds as a line of output."""
    make = {"PyTorch eager": lambda: torch_epoch(False, args),
            "PyTorch compiled": lambda: torch_epoch(True, args), "JAX": lambda: jax_epoch(args)}
    epoch, accuracy, version = make[args.worker]()
    epoch()
    print(version, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        epoch()
        print(time.perf_counter() - start, flush=True)
    print(accuracy(), flush=True)


class Peer:
    def __init__(self, name, python, args, cpus):
        command = [python, __file__, "--worker", name, "--threads", str(len(cpus)), "--data-dir",
                   str(args.data_dir)]
        self.name, self.seconds = name, []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        self.version = self.line()
        self.process.send_signal(signal.SIGSTOP)

    def line(self):
        line = self.process.stdout.readline().strip()
        if not line:
            raise SystemExit(f"{self.name}: it ended early, with status {self.process.wait()}")
        return line

    def epoch(self):
        # Threads that wait awake for their next turn would take the CPUs from the others.
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.seconds.append(float(self.line()))
        self.process.send_signal(signal.SIGSTOP)

    def finish(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.accuracy = float(self.line())
        self.process.wait()


def motenet(args, cpus):
    """Seconds of an epoch: the median of three after one to get warm."""
    command = [*shlex.split(args.command), "train", "--model", "framework", "--validation", "0",
               "--epochs", "4", "--no-save", "--json", "--data-dir", str(args.data_dir), "--threads",
               str(len(cpus))]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    if done.returncode != 0:
        raise SystemExit(f"{args.command}: exit status {done.returncode}\n{done.stderr}")
    return float(json.loads(done.stdout.strip().splitlines()[-1])["seconds_per_epoch"])


def has(python, module):
    probe = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", probe]).returncode == 0


def compare(args, threads, cpus):
    pythons = {"JAX": (args.jax_python, "jax")}
    peers = []
    for name in PEERS:
        python, module = pythons.get(name, (args.torch_python, "torch"))
        if has(python, module):
            peers.append(Peer(name, python, args, cpus))
        else:
            print(f"{name}: left out, {python} has no module {module}", file=sys.stderr)
    ours = []
    for repeat in range(args.repeats):
        ours.append(motenet(args, cpus))
        for peer in peers:
            peer.epoch()
        times = ", ".join(f"{peer.name} {peer.seconds[-1]:.4f}" for peer in peers)
        print(f"{threads} thread(s), {repeat + 1}: motenet {ours[-1]:.4f}, {times}", file=sys.stderr)
    rows = [{"name": "motenet", "version": "", "threads": threads, "seconds": statistics.median(ours),
             "fastest": min(ours), "slowest": max(ours), "ratio": 1.0}]
    for peer in peers:
        peer.finish()
        rows.append({
            "name": peer.name, "version": peer.version, "threads": threads,
            "seconds": statistics.median(peer.seconds), "fastest": min(peer.seconds),
            "slowest": max(peer.seconds), "accuracy": peer.accuracy,
            "ratio": statistics.median(theirs / our for theirs, our in zip(peer.seconds, ours))})
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--data-dir", default=os.environ.get("MNIST_DIR"),
                   help="folder of the four gzip IDX files (default: $MNIST_DIR)")
    p.add_argument("--command", default="target/release/host", help="motenet's program")
    p.add_argument("--repeats", type=int, default=7)
    p.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    p.add_argument("--torch-python", default=sys.executable, help="a Python that has PyTorch")
    p.add_argument("--jax-python", default=sys.executable, help="a Python that has JAX")
    p.add_argument("--out", type=Path, help="a JSON file, for `cargo xtask bench-report`")
    p.add_argument("--worker", choices=PEERS, help=argparse.SUPPRESS)
    args = p.parse_args()
    if not args.data_dir:
        p.error("no data: give --data-dir or set MNIST_DIR")
    if args.worker:
        args.threads = args.threads[0]
        return serve(args)
    if args.repeats < 1 or min(args.threads) < 1:
        p.error("--repeats, --threads: expected at least 1")
    available = sorted(os.sched_getaffinity(0))
    rows = []
    for threads in args.threads:
        if threads > len(available):
            print(f"{threads} threads: left out, there are {len(available)} CPUs", file=sys.stderr)
        else:
            rows += compare(args, threads, set(available[-threads:]))
    print("| | threads | an epoch | times as long |\n|---|---|---|---|")
    for row in rows:
        name = f"{row['name']} {row['version']}".strip()
        print(f"| {name} | {row['threads']} | {1000 * row['seconds']:.0f} ms | {row['ratio']:.2f} |")
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps({"rows": rows, "repeats": args.repeats}, indent=1) + "\n")


if __name__ == "__main__":
    main()
