#!/usr/bin/python3
"""Batch-1 latency of a reference network in PyTorch, eager, f32, one thread.

For each line "SECONDS" on standard input: runs that long and answers {"call_us": median, "runs":
...}.
"""
import argparse
import json
import statistics
import sys
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--network', required=True)
    parser.add_argument('--input', required=True, help='channels x height x width')
    parser.add_argument('--layout', choices=['nchw', 'channels_last'], required=True)
    args = parser.parse_args()

    import torch
    from torch_networks import NETWORKS

    torch.set_num_threads(1)
    torch.manual_seed(1)
    layout = torch.channels_last if args.layout == 'channels_last' else torch.contiguous_format
    shape = [int(extent) for extent in args.input.split('x')]
    net = NETWORKS[args.network](shape[0], 10).eval().to(memory_format=layout)
    image = torch.randn(1, *shape).contiguous(memory_format=layout)
    with torch.inference_mode():
        for _ in range(20):
            net(image)
        for line in sys.stdin:
            times, end = [], time.perf_counter() + float(line)
            while time.perf_counter() < end or len(times) < 5:
                begin = time.perf_counter()
                net(image)
                times.append(1e6 * (time.perf_counter() - begin))
            print(json.dumps({'call_us': statistics.median(times), 'runs': len(times)}), flush=True)


if __name__ == '__main__':
    main()
