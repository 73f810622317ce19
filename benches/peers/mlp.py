"""PyTorch training the `mlp` model: 784-64-10, ReLU, softmax with cross-entropy.

All seeds train side by side as one stack of networks (a batched matrix product, one slice a
seed), each with its own weights and its own shuffles. Nothing is shared between slices and
the optimizers work element by element, so every slice is, up to rounding, what a run of its own
would be; only the dispatch overhead is shared. Gradient clipping would mix the slices, so it is not
offered here.

Weights start Kaiming normal (gain sqrt 2, then 1), biases at zero. Schedules step every batch.
Weight decay also acts on biases. The last 60,000 - train-size training images are the
validation set: choose settings by it, report the test set. The defaults are what such a search
found.
"""

import math
import time

import torch
import torch.nn.functional as F

import mnist


def initial(seeds, hidden):
    """One stack of parameters, slice by slice from the seeds, and their generators."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    def stack(*shape):
        return torch.stack([mnist.kaiming_normal(*shape, g) for g in generators])

    w1 = stack(784, hidden, math.sqrt(2))
    w2 = stack(hidden, 10, 1.0)
    b1 = torch.zeros(len(seeds), 1, hidden)
    b2 = torch.zeros(len(seeds), 1, 10)
    return [p.requires_grad_() for p in (w1, b1, w2, b2)], generators


def optimizer(args, params):
    common = dict(lr=args.learning_rate, weight_decay=args.weight_decay, fused=True)
    match args.optimizer:
        case "sgd":
            return torch.optim.SGD(params, **common)
        case "momentum":
            return torch.optim.SGD(params, momentum=args.momentum, nesterov=args.nesterov, **common)
        case "adam":
            return torch.optim.Adam(params, betas=(0.9, args.beta2), **common)
        case "adamw":
            return torch.optim.AdamW(params, betas=(0.9, args.beta2), **common)


def schedule(args, opt, steps):
    match args.schedule:
        case "constant":
            return None
        case "cosine":
            return torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=steps)
        case "onecycle":
            return torch.optim.lr_scheduler.OneCycleLR(
                opt, max_lr=args.learning_rate, total_steps=steps, cycle_momentum=False,
                pct_start=args.pct_start)


def forward(params, x, dropout=0.0):
    w1, b1, w2, b2 = params
    hidden = F.relu(torch.baddbmm(b1, x, w1))
    if dropout:
        hidden = F.dropout(hidden, dropout)
    return torch.baddbmm(b2, hidden, w2)


@torch.no_grad()
def accuracies(params, x, y):
    """The percentage right, one number a slice."""
    right = torch.zeros(params[0].shape[0])
    for part, labels in zip(x.split(1000), y.split(1000)):
        logits = forward(params, part.expand(len(right), -1, -1))
        right += (logits.argmax(-1) == labels).sum(-1)
    return (100 * right.double() / len(y)).tolist()


def train(args, data, seeds):
    """Trains one stack; returns validation and test accuracies, one each a seed."""
    x, y, test_x, test_y = data
    valid_x, valid_y = x[args.train_size :], y[args.train_size :]
    x, y = x[: args.train_size], y[: args.train_size]
    torch.manual_seed(seeds[0])
    params, generators = initial(seeds, args.hidden)
    opt = optimizer(args, params)
    batches = math.ceil(args.train_size / args.batch_size)
    rate = schedule(args, opt, args.epochs * batches)
    for _ in range(args.epochs):
        order = torch.stack([torch.randperm(args.train_size, generator=g) for g in generators])
        for index in order.split(args.batch_size, dim=1):
            flat = index.reshape(-1)
            batch = x.index_select(0, flat).view(*index.shape, 784)
            logits = forward(params, batch, args.dropout)
            # The sum over slices of each slice's mean: slices do not see each other.
            loss = F.cross_entropy(logits.view(-1, 10), y.index_select(0, flat), reduction="sum",
                                   label_smoothing=args.label_smoothing) / index.shape[1]
            for p in params:
                p.grad = None
            loss.backward()
            opt.step()
            if rate is not None:
                rate.step()
    valid = accuracies(params, valid_x, valid_y) if len(valid_y) else None
    return valid, accuracies(params, test_x, test_y)


def flags():
    p = mnist.parser(__doc__.splitlines()[0])
    p.add_argument("--epochs", type=int, default=15)
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--optimizer", choices=["sgd", "momentum", "adam", "adamw"], default="adamw")
    p.add_argument("--learning-rate", type=float, default=0.01)
    p.add_argument("--momentum", type=float, default=0.9)
    p.add_argument("--nesterov", action="store_true")
    p.add_argument("--beta2", type=float, default=0.999)
    p.add_argument("--weight-decay", type=float, default=0.1)
    p.add_argument("--schedule", choices=["constant", "cosine", "onecycle"], default="onecycle")
    p.add_argument("--pct-start", type=float, default=0.3, help="one-cycle: share of rising steps")
    p.add_argument("--label-smoothing", type=float, default=0.05)
    p.add_argument("--dropout", type=float, default=0.0, help="of the hidden layer")
    p.add_argument("--hidden", type=int, default=64)
    p.add_argument("--seeds", type=mnist.seed_range, default=[1, 2, 3, 4, 5])
    p.add_argument("--train-size", type=int, default=55_000)
    return p


def main():
    args = mnist.parse(flags())
    data = mnist.load(args.data_dir)
    start = time.perf_counter()
    valid, test = train(args, data, args.seeds)
    seconds = time.perf_counter() - start
    result = {"seconds": seconds, "test": test}
    for name, values in (("validation", valid), ("test", test)):
        if values:
            mean, sd = mnist.mean_sd(values)
            result |= {name: values, f"{name}_mean": mean, f"{name}_sd": sd}
            print(f"{name}: {mean:.3f} % (sd {sd:.3f}) ", " ".join(f"{v:.2f}" for v in values))
    mnist.emit(args, result)


if __name__ == "__main__":
    main()
