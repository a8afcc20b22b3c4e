"""The reference networks of the engine benchmark in PyTorch, layer for layer as in common/architecture."""
import torch
from torch import nn


def conv_norm(inputs, outputs, kernel, stride=1, groups=1, relu=True):
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if relu:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            conv_norm(inputs, outputs, 3, stride), conv_norm(outputs, outputs, 3, relu=False))
        changes = stride != 1 or inputs != outputs
        self.shortcut = conv_norm(inputs, outputs, 1, stride, relu=False) if changes else None
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.body(x) + (x if self.shortcut is None else self.shortcut(x)))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        hidden = 4 * inputs
        self.body = nn.Sequential(
            conv_norm(inputs, hidden, 1), conv_norm(hidden, hidden, 3, stride, groups=hidden),
            conv_norm(hidden, outputs, 1, relu=False))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


class Fire(nn.Module):
    def __init__(self, inputs, squeeze, expand):
        super().__init__()
        self.squeeze = conv_norm(inputs, squeeze, 1)
        self.narrow = conv_norm(squeeze, expand, 1)
        self.wide = conv_norm(squeeze, expand, 3)

    def forward(self, x):
        x = self.squeeze(x)
        return torch.cat([self.narrow(x), self.wide(x)], 1)


def head(channels, classes):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


def resnet20(channels, classes):
    layers, inputs = [conv_norm(channels, 16, 3)], 16
    for outputs, first_stride in ((16, 1), (32, 2), (64, 2)):
        for block in range(3):
            layers.append(BasicBlock(inputs, outputs, first_stride if block == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, *head(64, classes))


def mobilenetv2_like(channels, classes):
    layers, inputs = [conv_norm(channels, 16, 3)], 16
    for outputs, blocks, first_stride in ((24, 2, 2), (40, 3, 2), (80, 2, 1)):
        for block in range(blocks):
            layers.append(InvertedResidual(inputs, outputs, first_stride if block == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, *head(80, classes))


def vgg_like(channels, classes):
    layers, inputs = [], channels
    for outputs in (32, 64, 128):
        layers += [conv_norm(inputs, outputs, 3), conv_norm(outputs, outputs, 3), nn.MaxPool2d(2)]
        inputs = outputs
    return nn.Sequential(*layers, *head(128, classes))


def squeezenet_like(channels, classes):
    return nn.Sequential(
        conv_norm(channels, 32, 3), nn.MaxPool2d(2), Fire(32, 16, 32), Fire(64, 16, 32),
        nn.MaxPool2d(2), Fire(64, 32, 64), Fire(128, 32, 64), *head(128, classes))


NETWORKS = {
    'resnet20': resnet20,
    'mobilenetv2-like': mobilenetv2_like,
    'vgg-like': vgg_like,
    'squeezenet-like': squeezenet_like,
}
