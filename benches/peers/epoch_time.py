"""Times one epoch of 784-64-10 in PyTorch eager on one thread, and beside it any command.

One epoch: a fresh permutation of 60,000 images, batches of 64 by `index_select`, an `nn.Module`,
plain SGD, all images in one tensor on the CPU. Reading the files and one untimed epoch come before.

With --command the two alternate, A B A B, so that a clock or a neighbour that changes meets both.
The command prints, as its last line on stdout, a JSON object with the key `seconds_per_epoch`.
"""

import json
import math
import shlex
import statistics
import subprocess
import time

import torch

import framework
import mnist


def command_seconds(command):
    """Runs `command` and returns the `seconds_per_epoch` of its last line."""
    done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"--command: exit status {done.returncode}, expected 0")
    lines = done.stdout.strip().splitlines()
    try:
        seconds = float(json.loads(lines[-1])["seconds_per_epoch"])
    except (IndexError, KeyError, TypeError, ValueError):
        last = lines[-1] if lines else "nothing"
        raise SystemExit(f"--command: its last line is {last!r}, expected a JSON object with "
                         "a number `seconds_per_epoch`") from None
    if not (math.isfinite(seconds) and seconds > 0):
        raise SystemExit(f"--command: seconds_per_epoch is {seconds}, expected a positive number")
    return seconds


def main():
    p = mnist.parser(__doc__.splitlines()[0])
    p.add_argument("--repeats", type=int, default=7)
    p.add_argument("--command", help="another program to time in turn, with its arguments")
    p.add_argument("--fused", action="store_true", help="PyTorch's fused SGD step")
    p.set_defaults(json=True)
    args = mnist.parse(p)
    if args.repeats < 1:
        p.error("--repeats: expected at least 1")

    x, y, test_x, test_y = mnist.load(args.data_dir)
    generator = torch.Generator().manual_seed(1)
    model = framework.network("relu", generator)
    opt = torch.optim.SGD(model.parameters(), lr=0.01, fused=args.fused or None)

    framework.train_epoch(model, opt, x, y, 64, generator)
    own, other = [], []
    for repeat in range(args.repeats):
        start = time.perf_counter()
        framework.train_epoch(model, opt, x, y, 64, generator)
        own.append(time.perf_counter() - start)
        line = f"{repeat + 1}: PyTorch {own[-1]:.4f} s"
        if args.command:
            other.append(command_seconds(args.command))
            line += f", command {other[-1]:.4f} s"
        print(line, flush=True)

    median = statistics.median(own)
    result = {"seconds_per_epoch": median, "fastest": min(own), "slowest": max(own),
              "test": framework.accuracy(model, test_x, test_y), "torch": torch.__version__,
              "threads": args.threads, "repeats": args.repeats}
    print(f"PyTorch {torch.__version__}, {args.threads} thread(s): "
          f"{median:.4f} s an epoch (median of {args.repeats})")
    if other:
        median_other = statistics.median(other)
        result |= {"command_seconds_per_epoch": median_other, "command_fastest": min(other),
                   "command_slowest": max(other), "ratio": median / median_other,
                   "ratio_fastest": min(own) / min(other)}
        print(f"command: {median_other:.4f} s an epoch; PyTorch takes {median / median_other:.2f} "
              f"times as long (ratio of medians; of the fastest {min(own) / min(other):.2f})")
    mnist.emit(args, result)


if __name__ == "__main__":
    main()
