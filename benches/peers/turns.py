"""Asks programs for the same work in turn and prints their times and the ratio to the first.

Each program answers a line that names a work with the seconds it took (`benches/examples/turns.rs`, `c/blas.c`).
A program stands still while another one works.

    python turns.py --works epoch one batch 'motenet=../../target/release/examples/turns' 'C + MKL=./blas …'
"""

import argparse
import os
import shlex
import signal
import statistics
import subprocess


class Program:
    def __init__(self, text, cpus):
        self.name, command = text.split("=", 1)
        self.process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        self.ask("one")  # ready, and warm
        self.process.send_signal(signal.SIGSTOP)

    def ask(self, work):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(work + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: it ended early, with status {self.process.wait()}")
        self.process.send_signal(signal.SIGSTOP)
        return float(line)

    def end(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("programs", nargs="+", metavar="NAME=COMMAND")
    p.add_argument("--works", nargs="+", default=["epoch", "one", "batch"])
    p.add_argument("--repeats", type=int, default=15)
    p.add_argument("--cpus", type=int, default=1, help="how many each program may use")
    args = p.parse_args()
    cpus = set(sorted(os.sched_getaffinity(0))[-args.cpus:])
    programs = [Program(text, cpus) for text in args.programs]
    print("| | | median | fastest | times as long |\n|---|---|---|---|---|")
    for work in args.works:
        times = [[program.ask(work) for program in programs] for _ in range(args.repeats)]
        for program, own in zip(programs, zip(*times)):
            ratio = statistics.median(time / row[0] for time, row in zip(own, times))
            print(f"| {work} | {program.name} | {1e6 * statistics.median(own):.4g} µs | {1e6 * min(own):.4g} µs"
                  f" | {ratio:.2f} |")
    for program in programs:
        program.end()


if __name__ == "__main__":
    main()
