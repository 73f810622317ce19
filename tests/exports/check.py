"""Loads what `cargo xtask export` wrote with onnxruntime and PyTorch and compares the two.

    python tests/exports/check.py runs/0001-mlp/export

Needs `numpy onnx onnxruntime safetensors` from PyPI, and `torch` unless told `--without-torch`: then
NumPy computes the layers as PyTorch defines them, which spares a download of gigabytes. Reads the
sizes from the file, feeds 1,000 random images, and fails where a logit of the two differs by more
than 1e-5 of the largest.
"""

import argparse
import pathlib

import numpy
import onnx
import onnxruntime
import safetensors.numpy


def with_torch(weights, x):
    """The network of the file, loaded as PyTorch loads one."""
    import torch
    from safetensors.torch import load_file

    state = load_file(weights)
    numbers = layer_numbers(state)
    layers = {}
    for number in numbers:
        rows, columns = state[f"{number}.weight"].shape
        layers[number] = torch.nn.Linear(columns, rows, bias=f"{number}.bias" in state)
    network = torch.nn.Sequential(
        *(layers.get(number, torch.nn.ReLU()) for number in range(numbers[-1] + 1)))
    network.load_state_dict(state)
    return network(torch.from_numpy(x)).detach().numpy()


def with_numpy(weights, x):
    """The same by the formulas of `torch.nn.Linear` and `torch.nn.ReLU`."""
    state = safetensors.numpy.load_file(weights)
    numbers = layer_numbers(state)
    for number in range(numbers[-1] + 1):
        if number in numbers:
            x = x @ state[f"{number}.weight"].T + state.get(f"{number}.bias", 0)
        else:
            x = numpy.maximum(x, 0)
    return x


def layer_numbers(state):
    """The places of the layers with weights in their row."""
    return sorted(int(name.split(".")[0]) for name in state if name.endswith(".weight"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--without-torch", action="store_true")
    arguments = parser.parse_args()
    [weights] = arguments.folder.glob("*.safetensors")
    model = weights.with_suffix(".onnx")
    onnx.checker.check_model(onnx.load(model), full_check=True)

    session = onnxruntime.InferenceSession(model)
    inputs = session.get_inputs()[0].shape[-1]
    x = numpy.random.default_rng(1).random((1000, inputs), dtype=numpy.float32)
    [found] = session.run(None, {"input": x})
    name, network = ("NumPy", with_numpy) if arguments.without_torch else ("PyTorch", with_torch)
    expected = network(weights, x)
    difference = abs(found - expected).max() / abs(expected).max()
    print(f"{weights.stem}: onnxruntime and {name} differ by {difference:.1e} of the largest logit")
    if not difference <= 1e-5:
        raise SystemExit(f"expected at most 1e-5, found {difference:.1e}")


if __name__ == "__main__":
    main()
