"""The hand by products of 4 x 4 matrices, vertex by vertex, and its Jacobian by complex steps."""

from __future__ import annotations

import numpy as np


def turn(axis, angle):
    """A rotation about a coordinate axis."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    R = np.eye(4, dtype=complex)
    R[i, i] = R[j, j] = np.cos(angle)
    R[j, i] = np.sin(angle)
    R[i, j] = -np.sin(angle)
    return R


def moved_by(angles, offset):
    R = turn(2, angles[2]) @ turn(1, angles[1]) @ turn(0, angles[0])
    R[:3, 3] = offset
    return R


def residuals(pose, parent, offset, skin, share, match, seen):
    bones, rest = [], []
    for j, above in enumerate(parent):
        here = moved_by(pose[2 + j], offset[j])
        bones.append(here if above < 0 else bones[above] @ here)
        rest.append(offset[j] + (0 if above < 0 else rest[above]))
    whole = moved_by(pose[0], pose[1])
    errors = []
    for point, vertex in zip(seen, match, strict=True):
        place = sum(
            share[vertex, j] * bones[j] @ np.append(skin[vertex] - rest[j], 1) for j in range(len(parent))
        )  # fmt: skip
        errors.append(point - (whole[:3, :3] @ place[:3] + whole[:3, 3]))
    return np.concatenate(errors)


def test_jacobian(data, answer, complex_step, agree) -> None:
    given = data("skinning")
    found = answer("jacobian", "skinning", "--wrt", "pose,skin,share")
    agree(found.value, residuals(**given).real)
    agree(found.by, complex_step(residuals, given, "pose", "skin", "share"))
