"""The residuals one observation at a time, with a rotation matrix from the matrix exponential; complex steps."""

from __future__ import annotations

import json

import numpy as np


def cross_matrix(r):
    return np.array([[0, -r[2], r[1]], [r[2], 0, -r[0]], [-r[1], r[0], 0]])


def rotation(r):
    """exp of the cross matrix, by its power series."""
    K = cross_matrix(r)
    term = total = np.eye(3, dtype=complex)
    for i in range(1, 40):
        term = term @ K / i
        total = total + term
    return total


def residuals(cams, points, weights, camera, point, features):
    errors = []
    for c, q, w, seen in zip(camera, point, weights, features, strict=True):
        cam = cams[c]
        X = rotation(cam[:3]) @ (points[q] - cam[3:6])
        u, v = X[0] / X[2], X[1] / X[2]
        square = u * u + v * v
        distortion = 1 + cam[9] * square + cam[10] * square * square
        errors.append(w * (cam[6] * u * distortion + cam[7] - seen[0]))
        errors.append(w * (cam[6] * v * distortion + cam[8] - seen[1]))
    return np.array([*errors, *(1 - w * w for w in weights)])


def test_jacobian(data, answer, complex_step, agree) -> None:
    given = data("bundle_adjustment")
    assert not given["cams"][0, :3].any()  # the rotation's formula has 0/0 there
    found = answer("jacobian", "bundle_adjustment", "--wrt", "cams,points,weights")
    agree(found.value, residuals(**given).real)
    agree(found.by, complex_step(residuals, given, "cams", "points", "weights"))


def test_sparse_jacobian(data, gradcli, complex_step, agree) -> None:
    given = data("bundle_adjustment")
    names = ("cams", "points", "weights")
    blocks = complex_step(residuals, given, *names)
    words = ["samples/programs/bundle_adjustment.grad", "--data", "samples/programs/bundle_adjustment.npz"]
    code, out, _ = gradcli("jacobian", *words, "--sparse", "--wrt", ",".join(names), "--format", "json")
    assert code == 0
    found = json.loads(out)["jacobian"]
    for name in names:
        dense = np.zeros(found[name]["shape"])
        dense[tuple(np.array([found[name]["row"], found[name]["column"]]))] = found[name]["value"]
        agree(dense, blocks[name].reshape(dense.shape))
        assert len(found[name]["row"]) == np.count_nonzero(blocks[name])
