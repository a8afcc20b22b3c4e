#!/usr/bin/python3
"""Test accuracy of a reference network trained in PyTorch by the recipe of the accuracy suite, f32.

Prints {"test_accuracy": ..., "train_seconds": ...}. The recipe is that of `frontier-engine-bench
accuracy`: see the constants there and worker/engine/training_plan.h (InitialModel), schedule.h.
"""
import argparse
import gzip
import json
import math
import os
import time

BATCH, PEAK, MOMENTUM, DECAY, WARMUP_EPOCHS = 128, 0.1, 0.9, 5e-4, 0.5


def read_idx(folder, name):
    import numpy
    path = os.path.join(folder, name)
    opened = gzip.open(path + '.gz') if os.path.exists(path + '.gz') else open(path, 'rb')
    with opened as file:
        content = file.read()
    rank = content[3]
    shape = [int.from_bytes(content[4 + 4 * i:8 + 4 * i], 'big') for i in range(rank)]
    return numpy.frombuffer(content, numpy.uint8, offset=4 + 4 * rank).reshape(shape)


def rate(step, steps, warmup):
    """Linear warm-up, then half a cosine down to 0."""
    warmup = min(warmup, steps)
    if step < warmup:
        return PEAK * min(1, (step + 1) / warmup)
    part = min(1, (step - warmup) / max(1, steps - warmup))
    return PEAK * 0.5 * (1 + math.cos(math.pi * part))


def initialize(net):
    from torch import nn
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            area = module.kernel_size[0] * module.kernel_size[1]
            fan_out = area * module.out_channels // module.groups
            nn.init.normal_(module.weight, 0, math.sqrt(2 / fan_out))
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, math.sqrt(1 / module.in_features))
            nn.init.zeros_(module.bias)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--network', required=True)
    parser.add_argument('--dataset', required=True)
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--epochs', type=int, required=True)
    parser.add_argument('--training_images', type=int, default=0)
    parser.add_argument('--threads', type=int, required=True)
    args = parser.parse_args()

    import torch
    import torch.nn.functional as F
    from torch_networks import NETWORKS

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    def tensors(part):
        images = torch.tensor(read_idx(args.dataset, f'{part}-images-idx3-ubyte')).float() / 255
        labels = torch.tensor(read_idx(args.dataset, f'{part}-labels-idx1-ubyte')).long()
        return images.unsqueeze(1), labels

    images, labels = tensors('train')
    if args.training_images:
        images, labels = images[:args.training_images], labels[:args.training_images]
    mean, deviation = images.double().mean(), images.double().std(unbiased=False)
    images = ((images - mean) / deviation).float()

    net = NETWORKS[args.network](1, 10)
    initialize(net)
    net = net.to(memory_format=torch.channels_last)
    decayed = [p for p in net.parameters() if p.dim() > 1]
    others = [p for p in net.parameters() if p.dim() <= 1]
    optimizer = torch.optim.SGD([{'params': decayed, 'weight_decay': DECAY},
                                 {'params': others, 'weight_decay': 0}],
                                PEAK, momentum=MOMENTUM, nesterov=True)
    per_epoch = len(images) // BATCH
    steps, step = per_epoch * args.epochs, 0
    begin = time.perf_counter()
    for _ in range(args.epochs):
        order = torch.randperm(len(images))
        for i in range(per_epoch):
            chosen = order[i * BATCH:(i + 1) * BATCH]
            for group in optimizer.param_groups:
                group['lr'] = rate(step, steps, WARMUP_EPOCHS * per_epoch)
            optimizer.zero_grad(set_to_none=True)
            batch = images[chosen].contiguous(memory_format=torch.channels_last)
            F.cross_entropy(net(batch), labels[chosen]).backward()
            optimizer.step()
            step += 1
    seconds = time.perf_counter() - begin

    images, labels = tensors('t10k')
    images = ((images - mean) / deviation).float()
    net.eval()
    correct = 0
    with torch.inference_mode():
        for i in range(0, len(images), 500):
            correct += (net(images[i:i + 500]).argmax(1) == labels[i:i + 500]).sum().item()
    print(json.dumps({'test_accuracy': correct / len(images), 'train_seconds': seconds}))


if __name__ == '__main__':
    main()
