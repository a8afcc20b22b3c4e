#!/usr/bin/python3
"""Trains a reference network in PyTorch for some seconds and prints one JSON line a round.

For each line "SECONDS" on standard input: trains that long and answers {"images_per_second": ...}; at the
end of input: {"peak_rss_bytes": ...}. Nesterov SGD, batch 128, random images.
"""
import argparse
import json
import resource
import sys
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--network', required=True)
    parser.add_argument('--size', type=int, required=True)
    parser.add_argument('--channels', type=int, required=True)
    parser.add_argument('--precision', choices=['f32', 'bf16'], required=True)
    parser.add_argument('--layout', choices=['nchw', 'channels_last'], required=True)
    parser.add_argument('--threads', type=int, required=True)
    args = parser.parse_args()

    import torch
    import torch.nn.functional as F
    from torch_networks import NETWORKS

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    layout = torch.channels_last if args.layout == 'channels_last' else torch.contiguous_format
    net = NETWORKS[args.network](args.channels, 10).to(memory_format=layout)
    optimizer = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, nesterov=True,
                                weight_decay=5e-4)
    images = torch.randn(128, args.channels, args.size, args.size).contiguous(memory_format=layout)
    labels = torch.randint(0, 10, (128,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=args.precision == 'bf16'):
            logits = net(images)
        F.cross_entropy(logits.float(), labels).backward()
        optimizer.step()

    for _ in range(3):
        step()
    for line in sys.stdin:
        begin, steps = time.perf_counter(), 0
        while time.perf_counter() - begin < float(line):
            step()
            steps += 1
        rate = steps * 128 / (time.perf_counter() - begin)
        print(json.dumps({'images_per_second': rate}), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({'peak_rss_bytes': peak}), flush=True)


if __name__ == '__main__':
    main()
