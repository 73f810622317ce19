"""Loads what `cargo xtask export` wrote with PyTorch and onnxruntime and compares the two.

    python tests/exports/check.py runs/0001-mlp/export

Needs `torch safetensors onnx onnxruntime numpy` from PyPI. Reads the sizes from the file, feeds 1,000
random images, and fails where a logit of the two differs by more than 1e-5 of the largest.
"""

import pathlib
import sys

import numpy
import onnx
import onnxruntime
import torch
from safetensors.torch import load_file


def main():
    folder = pathlib.Path(sys.argv[1])
    [weights] = folder.glob("*.safetensors")
    model = weights.with_suffix(".onnx")
    onnx.checker.check_model(onnx.load(model), full_check=True)

    state = load_file(weights)
    numbers = sorted(int(name.split(".")[0]) for name in state if name.endswith(".weight"))
    layers = {}
    for number in numbers:
        rows, columns = state[f"{number}.weight"].shape
        layers[number] = torch.nn.Linear(columns, rows, bias=f"{number}.bias" in state)
    network = torch.nn.Sequential(
        *(layers.get(number, torch.nn.ReLU()) for number in range(numbers[-1] + 1)))
    network.load_state_dict(state)

    inputs = network[0].in_features
    x = numpy.random.default_rng(1).random((1000, inputs), dtype=numpy.float32)
    session = onnxruntime.InferenceSession(model)
    [found] = session.run(None, {"input": x})
    expected = network(torch.from_numpy(x)).detach().numpy()
    difference = abs(found - expected).max() / abs(expected).max()
    print(f"{weights.stem}: onnxruntime and PyTorch differ by {difference:.1e} of the largest logit")
    if not difference <= 1e-5:
        raise SystemExit(f"expected at most 1e-5, found {difference:.1e}")


if __name__ == "__main__":
    main()
