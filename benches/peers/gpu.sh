#!/bin/sh
# Runs the GPU's tests and bench: `sh run.sh`, in a folder that `cargo xtask gpu-bundle` has made. Options go
# to `gpu-bench` (`sh run.sh --samples 10000`). The table is on standard output and in results.txt.
cd "$(dirname "$0")" || exit 1

if [ -d mnist ]; then
    MNIST_DIR=$(pwd)/mnist
    export MNIST_DIR
fi
# The machine's own loader of Vulkan where there is one.
if ! ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1'; then
    LD_LIBRARY_PATH=$(pwd)/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
fi
# Containers have drivers in places that the loader does not know: name all there are.
if [ -z "$VK_DRIVER_FILES" ]; then
    for file in /usr/local/nvidia/share/vulkan/icd.d/*.json /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json; do
        [ -f "$file" ] && VK_DRIVER_FILES=${VK_DRIVER_FILES:+$VK_DRIVER_FILES:}$file
    done
    [ -n "$VK_DRIVER_FILES" ] && export VK_DRIVER_FILES
fi

{
    echo '== tests'
    # Without a GPU they say `skipped`; MOTENET_REQUIRE_GPU=1 turns that into a failure.
    ./gpu-tests --nocapture 2>&1 || echo 'THE TESTS FAILED'
    beside=
    if python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
        echo '== PyTorch'
        python3 gpu.py "$@" >beside.tsv && beside='--beside beside.tsv'
    else
        echo '== PyTorch: skipped (no Python with torch that sees a GPU)'
    fi
    echo '== bench'
    # shellcheck disable=SC2086 # two words or none
    ./gpu-bench --svg throughput.svg $beside "$@" 2>&1 || echo 'THE BENCH FAILED'
} | tee results.txt
# A pipe hides what failed in it.
! grep -q '^THE .* FAILED$' results.txt
