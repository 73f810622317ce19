"""Writes pytorch.bin: losses, gradients and trained parameters as PyTorch computes them.

Inputs and weights are f32. Everything that follows from them is computed in float64 and rounded to
f32 only when it is stored, so the error of a reference is half an f32 ulp, and what a test measures
is the error of the code under test.

The inputs come from Python's Mersenne Twister, whose `random()` never changes for a given seed.
Some seeds are looked for: no ReLU of the `mlp` case comes near its kink, and no gradient that Adam
normalizes comes near zero unless it is zero, on any of the ten steps. Float32 code therefore takes
the branches that float64 took. The script fails rather than write a file where that does not hold.
"""

import argparse
import random
import struct
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

MAGIC = b"MOTEGOLD"
VERSION = 1
STEPS = 10
# Float32 code is off by about 1e-6 after ten steps, so these margins leave room to spare.
KINK_MARGIN = 1e-4
GRADIENT_MARGIN = 1e-6

OPTIMIZERS = {
    "sgd10": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum10": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov10": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "sgd_decay10": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01),
    "adam10": lambda p: torch.optim.Adam(p, lr=0.01, eps=1e-8),
    "adam_decay10": lambda p: torch.optim.Adam(p, lr=0.01, eps=1e-8, weight_decay=0.01),
    "adamw10": lambda p: torch.optim.AdamW(p, lr=0.01, eps=1e-8, weight_decay=0.01),
    "clipped10": lambda p: torch.optim.SGD(p, lr=0.1),
}

ACTIVATIONS = {
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(0.01),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "gelu": nn.GELU(approximate="tanh"),
    "softmax": nn.Softmax(dim=-1),
}


class Margin(Exception):
    """These inputs come too near to a branch."""


class Source:
    """f32 values, the same on every machine and with every version of PyTorch."""

    def __init__(self, seed, dtype):
        self.random = random.Random(seed).random
        self.dtype = dtype

    def uniform(self, *shape, limit=1.0):
        count = torch.Size(shape).numel()
        values = [limit * (2 * self.random() - 1) for _ in range(count)]
        return torch.tensor(values, dtype=torch.float32).reshape(shape).to(self.dtype)

    def labels(self, count, classes):
        return torch.tensor([int(self.random() * classes) for _ in range(count)])

    def network(self, inputs, hidden, outputs, activation):
        first = nn.Linear(inputs, hidden, dtype=self.dtype)
        last = nn.Linear(hidden, outputs, dtype=self.dtype)
        for layer in (first, last):
            limit = (3 / layer.in_features) ** 0.5
            layer.weight.data = self.uniform(*layer.weight.shape, limit=limit)
            layer.bias.data = self.uniform(*layer.bias.shape, limit=0.3)
        return nn.Sequential(first, activation, last)


def flat(network, of=lambda p: p):
    """The layers in order, each its weights input-major `[IN][OUT]` and then its bias."""
    dense = [layer for layer in network if isinstance(layer, nn.Linear)]
    parts = [part for layer in dense for part in (of(layer.weight).T, of(layer.bias))]
    return torch.cat([part.detach().reshape(-1) for part in parts])


def gradient(parameter):
    return parameter.grad


def mlp(seed, dtype):
    def start():
        source = Source(seed, dtype)
        network = source.network(17, 9, 5, nn.ReLU())
        return network, source.uniform(7, 17), source.labels(7, 5)

    network, x, labels = start()
    logits = network(x)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    case = {"params": flat(network), "x": x, "labels": labels, "logits": logits, "loss": loss,
            "grad": flat(network, gradient)}

    for name, make in OPTIMIZERS.items():
        network, x, labels = start()
        opt = make(network.parameters())
        for step in range(STEPS):
            opt.zero_grad()
            hidden = network[0](x)
            if hidden.abs().min() < KINK_MARGIN:
                raise Margin(f"{name}: a hidden unit comes too near to zero in step {step}")
            F.cross_entropy(network(x), labels).backward()
            if name.startswith("adam"):
                grad = flat(network, gradient)
                if not (grad == 0).logical_or(grad.abs() > GRADIENT_MARGIN).all():
                    raise Margin(f"{name}: a gradient comes too near to zero in step {step}")
            if name == "clipped10":
                norm = nn.utils.clip_grad_norm_(network.parameters(), 0.5)
                if norm < 0.55:
                    raise Margin(f"{name}: the gradient is not clipped in step {step}")
            opt.step()
        case[name] = flat(network)

    network, x, labels = start()
    loss = F.cross_entropy(network(x), labels, label_smoothing=0.1)
    loss.backward()
    return case | {"smooth_loss": loss, "smooth_grad": flat(network, gradient)}


def activation(module, seed, dtype):
    source = Source(seed, dtype)
    network = source.network(6, 5, 3, module)
    x, target = source.uniform(4, 6, limit=2.0).requires_grad_(), source.uniform(4, 3)
    if network[0](x).abs().min() < KINK_MARGIN:
        raise Margin("a hidden unit comes too near to zero")
    y = network(x)
    loss = F.mse_loss(y, target)
    loss.backward()
    return {"params": flat(network), "x": x, "target": target, "y": y, "loss": loss,
            "grad": flat(network, gradient), "dx": x.grad}


def loss_alone(loss_of, y, target):
    y = y.clone().requires_grad_()
    loss = loss_of(y, target)
    loss.backward()
    return {"y": y, "target": target, "loss": loss, "dy": y.grad}


def bce(dtype):
    source = Source(31, dtype)
    # Hard targets 0 and 1, soft ones, and logits far out on the right and on the wrong side.
    y = source.uniform(4, 3, limit=6.0)
    y[1, 0], y[1, 1], y[2, 2] = 40.0, -40.0, 0.0
    target = torch.tensor([[0, 1, 0.25], [1, 1, 0.5], [0.9, 0.1, 0.75], [0, 1, 0.0625]],
                          dtype=torch.float32).to(dtype)
    return loss_alone(F.binary_cross_entropy_with_logits, y, target)


def extreme(dtype):
    rows = [
        [0.0] * 10,
        [80.0] * 10,
        [80.0] + [-80.0] * 9,
        [-80.0, 80.0] + [0.0] * 8,
        [80.0, 80.0, 79.5, -80.0, 0.5, -0.5, 40.0, -40.0, 60.0, 79.0],
    ]
    logits = torch.tensor(rows, dtype=dtype, requires_grad=True)
    # Right and certain, wrong and certain (a loss of 160), undecided.
    labels = torch.tensor([3, 9, 0, 0, 2])
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    return {"logits": logits, "labels": labels, "loss": loss, "dlogits": logits.grad}


def schedule(make):
    """The learning rate of each of 50 steps, the first one before any `step()`."""
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    rate = make(opt)
    values = []
    for step in range(50):
        values.append(opt.param_groups[0]["lr"])
        opt.step()
        if step < 49:
            rate.step()
    return {"values": torch.tensor(values, dtype=torch.float64)}


def searched(make):
    """The first seed whose inputs keep their distance from every branch."""
    for seed in range(1, 10_000):
        try:
            make(seed, torch.float64)
            return seed
        except Margin:
            continue
    raise SystemExit("no seed keeps its distance from every branch")


def cases(dtype=torch.float64):
    """Every case by its name, computed in `dtype` from the same f32 inputs."""
    found = {"mlp": mlp(searched(mlp), dtype)}
    for name, module in ACTIVATIONS.items():
        make = lambda seed, dtype: activation(module, seed, dtype)
        found[name] = make(searched(make), dtype)
    source = Source(30, dtype)
    found["mse"] = loss_alone(F.mse_loss, source.uniform(4, 3, limit=3.0), source.uniform(4, 3))
    found["bce"] = bce(dtype)
    found["extreme"] = extreme(dtype)
    rates = torch.optim.lr_scheduler
    found["schedule_step"] = schedule(lambda opt: rates.StepLR(opt, step_size=10, gamma=0.5))
    found["schedule_cosine"] = schedule(lambda opt: rates.CosineAnnealingLR(opt, T_max=50))
    found["schedule_onecycle"] = schedule(
        lambda opt: rates.OneCycleLR(opt, max_lr=0.1, total_steps=50, pct_start=0.3,
                                     anneal_strategy="cos", div_factor=25, final_div_factor=1e4))
    return found


def records(found):
    return {f"{case}/{what}": value.detach().reshape(-1)
            for case, values in found.items() for what, value in values.items()}


def encode(found):
    parts = [MAGIC, struct.pack("<I", VERSION)]
    for name, value in records(found).items():
        values = value.to(torch.float32).tolist()
        raw = name.encode()
        parts += [struct.pack("<H", len(raw)), raw, struct.pack("<I", len(values)),
                  struct.pack(f"<{len(values)}f", *values)]
    return b"".join(parts)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--output", type=Path, default=Path(__file__).with_name("pytorch.bin"))
    p.add_argument("--check", action="store_true",
                   help="write nothing; fail unless the file holds exactly these bytes")
    p.add_argument("--float32", action="store_true",
                   help="write nothing; print how far PyTorch's own float32 is from each record")
    args = p.parse_args()
    torch.set_num_threads(1)
    if args.float32:
        exact, single = records(cases()), records(cases(torch.float32))
        for name, value in exact.items():
            off = (single[name].double() - value.double()).abs().max()
            print(f"{name:30} {value.numel():5} largest {value.abs().max():.3e} off {off:.1e}")
        return
    data = encode(cases())
    if args.check:
        if args.output.read_bytes() != data:
            raise SystemExit(f"{args.output} differs from what this script makes: run it again")
    else:
        args.output.write_bytes(data)
    print(f"{args.output}: {len(data)} bytes")


if __name__ == "__main__":
    main()
