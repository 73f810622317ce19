#!/bin/sh
# Runs the GPU's tests and bench: `sh run.sh`, in a folder that `cargo xtask gpu-bundle` has made. Options go
# to `gpu-bench` (`sh run.sh --samples 10000`; `./gpu-bench --help` has them all). Everything is said on
# standard output, and kept in results.txt. Where there is a Python with PyTorch, it trains in turn with motenet;
# PYTHON names another than python3. A whole run is `MNIST_DIR=mnist ./host train --device gpu`.

# Where files can be written: beside this one, or where the caller is.
caller=$(pwd)
cd "$(dirname "$0")" || exit 1
out=$(pwd)
[ -w "$out" ] || out=$caller
if ! [ -w "$out" ]; then
    echo "error: no file can be written to $(pwd) nor to $out: call run.sh from a folder where one can" >&2
    exit 1
fi

if [ -d mnist ]; then
    MNIST_DIR=$(pwd)/mnist
    export MNIST_DIR
fi
# The machine's own loader of Vulkan where there is one.
if ! { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -q 'libvulkan\.so\.1'; then
    LD_LIBRARY_PATH=$(pwd)/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
fi
# A layer of Mesa's that complains about a missing screen; nothing here draws.
export NODEVICE_SELECT=1
# Containers have NVIDIA's driver in a place that the loader does not know: name all there are.
if [ -z "$VK_DRIVER_FILES$VK_ICD_FILENAMES" ] && [ -d /usr/local/nvidia/share/vulkan/icd.d ]; then
    for file in /usr/local/nvidia/share/vulkan/icd.d/*.json /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json; do
        [ -f "$file" ] && VK_DRIVER_FILES=${VK_DRIVER_FILES:+$VK_DRIVER_FILES:}$file
    done
    [ -n "$VK_DRIVER_FILES" ] && export VK_DRIVER_FILES
fi

{
    echo '== tests'
    # Without a GPU they say `skipped`; MOTENET_REQUIRE_GPU=1 turns that into a failure.
    ./gpu-tests --nocapture --test-threads 1 2>&1 || echo 'THE TESTS FAILED'
    echo
    echo '== bench'
    python=${PYTHON:-python3}
    if command -v "$python" >/dev/null; then
        set -- --peer "$python gpu.py" "$@"
    else
        echo "Peer: skipped (there is no $python)"
    fi
    ./gpu-bench --svg "$out/throughput.svg" "$@" 2>&1 || echo 'THE BENCH FAILED'
} | tee "$out/results.txt"
# A pipe hides what failed in it.
! grep -q '^THE .* FAILED$' "$out/results.txt"
