"""Softmax, and its own derivative."""

from __future__ import annotations

import numpy as np


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def test_value_and_gradient(data, answer, agree) -> None:
    x = data("log_sum_exp")["x"]
    found = answer("grad", "log_sum_exp")
    agree(found.value, np.log(np.sum(np.exp(x))))
    agree(found.by, {"x": softmax(x)})


def test_hessian(data, answer, agree) -> None:
    s = softmax(data("log_sum_exp")["x"])
    agree(answer("hessian", "log_sum_exp").by, {"x": {"x": np.diag(s) - np.outer(s, s)}})


def test_nothing_overflows_however_large(answer, agree) -> None:
    found = answer("grad", "log_sum_exp", "x=-1e5,1e5,99999")
    agree(found.value, 1e5 + np.log1p(np.exp(-1)))
    agree(found.by, {"x": softmax(np.array([-1e5, 1e5, 99999]))})
