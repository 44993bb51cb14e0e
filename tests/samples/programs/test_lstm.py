"""The network's loss in plain NumPy, one number at a time, and its gradient by complex steps."""

from __future__ import annotations

import itertools

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def loss(weights, biases, embed, scale, shift, memory, text):
    layers, _, b = weights.shape
    hidden = np.array(memory[:, 0], dtype=complex)
    cell = np.array(memory[:, 1], dtype=complex)
    total = 0
    for now, following in itertools.pairwise(text):
        x = np.zeros(b, dtype=complex)
        x[now] = embed[now]
        for i in range(layers):
            for j in range(b):
                forget = sigmoid(x[j] * weights[i, 0, j] + biases[i, 0, j])
                into = sigmoid(hidden[i, j] * weights[i, 1, j] + biases[i, 1, j])
                out = sigmoid(x[j] * weights[i, 2, j] + biases[i, 2, j])
                change = np.tanh(hidden[i, j] * weights[i, 3, j] + biases[i, 3, j])
                cell[i, j] = cell[i, j] * forget + into * change
                hidden[i, j] = out * np.tanh(cell[i, j])
            x = hidden[i].copy()
        y = x * scale + shift
        total = total + y[following] - np.log(2 + np.sum(np.exp(y)))
    return -total / ((len(text) - 1) * b)


def test_gradient(data, answer, complex_step, agree) -> None:
    given = data("lstm")
    found = answer("grad", "lstm")
    agree(found.value, loss(**given).real)
    agree(found.by, complex_step(loss, given, "weights", "biases", "embed", "scale", "shift", "memory"))
