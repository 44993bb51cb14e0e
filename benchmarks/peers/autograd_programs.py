"""The samples as a user of HIPS autograd writes them. Each takes the data and gives the function to differentiate."""

from __future__ import annotations

import itertools
import math

import autograd.numpy as np
from autograd import grad, hessian, jacobian
from autograd.scipy.special import erf, gammaln, logsumexp


def gaussian_mixture(data):
    x, gamma, m = data["x"], data["wishart_gamma"], data["wishart_m"]
    n, d = x.shape
    columns, rows = np.triu_indices(d, 1)
    spread = np.zeros((len(rows), d, d))  # writing into an array has no derivative: below is a product
    spread[np.arange(len(rows)), rows, columns] = 1

    def posterior(alphas, means, icf):
        k = len(alphas)
        logs = icf[:, :d]
        below = np.einsum("ks,sij->kij", icf[:, d:], spread)
        centred = x[:, None, :] - means
        turned = centred * np.exp(logs) + np.einsum("kij,nkj->nki", below, centred)
        inner = alphas + np.sum(logs, axis=1) - np.sum(turned**2, axis=2) / 2
        likelihood = np.sum(logsumexp(inner, axis=1)) - n * (logsumexp(alphas) + d / 2 * math.log(2 * math.pi))
        freedom = d + m + 1
        gammas = d * (d - 1) / 4 * math.log(math.pi) + sum(gammaln(freedom / 2 - j / 2) for j in range(d))
        constant = freedom * d * (np.log(gamma) - math.log(2) / 2) - gammas
        squares = np.sum(np.exp(2 * logs)) + np.sum(icf[:, d:] ** 2)
        return likelihood + gamma**2 / 2 * squares - m * np.sum(logs) - k * constant

    return posterior


def lstm(data):
    text, start = data["text"], data["memory"]

    def sigmoid(x):
        return (np.tanh(x / 2) + 1) / 2

    def loss(weights, biases, embed, scale, shift):
        b = len(embed)
        letters = np.eye(b)[text]
        state = [(s[0], s[1]) for s in start]
        total = 0
        for now, following in itertools.pairwise(letters):
            x, after = now * embed, []
            for i, (hidden, memory) in enumerate(state):
                w, bias = weights[i], biases[i]
                forget = sigmoid(x * w[0] + bias[0])
                into = sigmoid(hidden * w[1] + bias[1])
                out = sigmoid(x * w[2] + bias[2])
                change = np.tanh(hidden * w[3] + bias[3])
                memory = memory * forget + into * change
                x = out * np.tanh(memory)
                after.append((x, memory))
            state = after
            y = x * scale + shift
            total = total + np.dot(following, y - np.log(2 + np.sum(np.exp(y))))
        return -total / ((len(text) - 1) * b)

    return loss


def log_sum_exp(data):
    def online(x):
        top, total = x[0], 1
        for i in range(1, len(x)):
            number = x[i]
            if number > top:
                total, top = total * np.exp(top - number) + 1, number
            else:
                total = total + np.exp(number - top)
        return top + np.log(total)

    return online


def polynomial(data):
    x, y = data["x"], data["y"]

    def misfit(c):
        value = 0
        for i in reversed(range(len(c))):
            value = value * x + c[i]
        return np.sum((value - y) ** 2) / 2

    return misfit


def runge_kutta(data):
    forcing, h, steps = data["forcing"], data["h"], int(data["steps"])

    def slope(x):
        return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + forcing

    def last(x):
        for _ in range(steps):
            k1 = slope(x)
            k2 = slope(x + h / 2 * k1)
            k3 = slope(x + h / 2 * k2)
            k4 = slope(x + h * k3)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return x

    return last


def saddle(data):
    rate, steps, climbs = data["rate"], int(data["steps"]), int(data["climbs"])

    def f(x, y, twist):
        return (
            np.sum(x**2) / 2 + np.sum(x**4) / 8 - np.sum(y**2) / 2 - np.sum(np.cosh(y)) / 4
            + twist * np.sin(x[0] - 1) * y[1] + x[1] * y[0]
        )  # fmt: skip

    def descend(gradient, x, steps):
        for _ in range(steps):
            x = x - rate * gradient(x)
        return x

    def answer(start, twist):
        def highest(x):
            y = descend(grad(lambda y: -f(x, y, twist)), np.zeros(2), climbs)
            return f(x, y, twist)

        return highest(descend(grad(highest), start, steps))

    return answer


def bundle_adjustment(data):
    camera, point, features = data["camera"], data["point"], data["features"]

    def turn(r, X):
        square = np.sum(r**2, axis=1, keepdims=True)
        still = square == 0
        t = np.sqrt(np.where(still, 1.0, square))
        a = np.where(still, 1.0, np.sin(t) / t)
        b = np.where(still, 0.5, (1 - np.cos(t)) / t**2)
        rX = np.cross(r, X)
        return X + a * rX + b * np.cross(r, rX)

    def project(cam, X):
        Y = turn(cam[:, 0:3], X - cam[:, 3:6])
        q = Y[:, 0:2] / Y[:, 2:3]
        square = np.sum(q**2, axis=1, keepdims=True)
        return q * (1 + cam[:, 9:10] * square + cam[:, 10:11] * square**2) * cam[:, 6:7] + cam[:, 7:9]

    def residuals(cams, points, weights):
        reprojection = weights[:, None] * (project(cams[camera], points[point]) - features)
        return np.concatenate([np.reshape(reprojection, -1), 1 - weights**2])

    return residuals


def bundle_adjustment_blocks(data):
    """Of every observation, the derivatives of its residuals by its camera, point and weight."""
    cams, points = data["cams"][data["camera"]], data["points"][data["point"]]
    everyone = np.arange(len(cams))
    residuals = bundle_adjustment({**data, "camera": everyone, "point": everyone})
    n = 2 * len(cams)
    # An observation's residuals depend on its own parameters alone, so that the sum's gradient is all of theirs.
    by_x, by_y, of_weights = (
        grad(lambda *xs, part=part: np.sum(residuals(*xs)[part]), (0, 1, 2))
        for part in (slice(0, n, 2), slice(1, n, 2), slice(n, None))
    )

    def blocks():
        xs = (cams, points, data["weights"])
        return [*(np.stack(pair, axis=1) for pair in zip(by_x(*xs), by_y(*xs), strict=True)), of_weights(*xs)[2]]

    return blocks


def newton(data):
    rest, passed = data["rest"], data["passed"]

    def fitted(ridge, hours):
        X = np.stack([hours, rest, np.ones(len(rest))], axis=1)

        def loss(w):
            score = np.dot(X, w)
            return np.mean(np.logaddexp(0, score) - passed * score) + ridge / 2 * np.dot(w, w)

        w = np.zeros(3)
        for _ in range(50):
            g = grad(loss)(w)
            w = w - np.linalg.solve(hessian(loss)(w), g)
            if np.max(np.abs(g)) < 1e-9:
                break
        return w

    return fitted


def fixed_point(data):
    tolerance = data["tolerance"]

    def solved(W, b):
        z, moved = np.zeros(len(b)), math.inf
        while moved > tolerance:
            before, z = z, np.tanh(np.dot(W, z) + b)
            moved = np.max(np.abs(z - before))
        return z

    return solved


def neural_ode(data):
    path, between, substeps = data["path"], data["between"], int(data["substeps"])
    h = between / substeps

    def loss(W1, b1, W2, b2):
        def slope(z):
            return np.dot(W2, np.tanh(np.dot(W1, z**3) + b1)) + b2

        z, total = path[0], 0
        for seen in path[1:]:
            for _ in range(substeps):
                z = z + h * slope(z + h / 2 * slope(z))
            total = total + np.sum((z - seen) ** 2)
        return total / (len(path) - 1)

    return loss


def hmc(data):
    momenta, uniforms, leaps = data["momenta"], data["uniforms"], int(data["leaps"])

    def potential(q):
        return q[0] ** 2 / 18 + np.sum(q[1:] ** 2) * np.exp(-q[0]) / 2 + (len(q) - 1) * q[0] / 2

    slope = grad(potential)

    def statistic(start, step):
        q, chain = start, []
        for p, u in zip(momenta, uniforms, strict=True):
            new, momentum = q, p - step / 2 * slope(q)
            for leap in range(leaps):
                new = new + step * momentum
                momentum = momentum - (step if leap < leaps - 1 else step / 2) * slope(new)
            change = potential(q) + np.sum(p**2) / 2 - potential(new) - np.sum(momentum**2) / 2
            if np.log(u) < change:
                q = new
            chain.append(q)
        return np.mean(np.stack(chain)[:, 1:] ** 2)

    return statistic


def kalman(data):
    seen = np.stack([data["east"], data["north"]], axis=1)
    eye = np.eye(2)
    F = np.kron(np.array([[1.0, 1], [0, 1]]), eye)
    Q1 = np.kron(np.array([[1 / 3, 1 / 2], [1 / 2, 1]]), eye)
    H = np.hstack([eye, 0 * eye])

    def likelihood(both):
        Q, R = both[0] ** 2 * Q1, both[1] ** 2 * eye
        m, P = np.zeros(4), 10 * np.eye(4)
        total = 0
        for y in seen:
            m, P = F @ m, F @ P @ F.T + Q
            if not np.isnan(y).any():
                v = y - H @ m
                S = H @ P @ H.T + R
                K = np.linalg.solve(S, H @ P).T
                m, P = m + K @ v, P - K @ S @ K.T
                total = total + (v @ np.linalg.solve(S, v) + np.linalg.slogdet(2 * math.pi * S)[1]) / 2
        return total

    return likelihood


def attention(data):
    x = data["x"]
    length = len(x)

    def normalised(x, gain):
        centred = x - np.mean(x, axis=-1, keepdims=True)
        return gain * centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5)

    def loss(Wq, Wk, Wv, Wo, W1, b1, W2, b2, gain):
        n = normalised(x, gain[0])
        q, k, v = np.matmul(n, Wq), np.matmul(n, Wk), np.matmul(n, Wv)
        scores = np.matmul(q, np.swapaxes(k, -1, -2)) / Wq.shape[-1] ** 0.5
        scores = np.where(np.tril(np.ones((length, length))) == 1, scores, -np.inf)
        weights = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
        weights = weights / np.sum(weights, axis=-1, keepdims=True)
        z = x + np.sum(np.matmul(np.matmul(weights, v), Wo), axis=0)
        before = np.dot(normalised(z, gain[1]), W1) + b1
        y = z + np.dot(before * (1 + erf(before / 2**0.5)) / 2, W2) + b2
        return np.mean((y[:-1] - x[1:]) ** 2)

    return loss


def pinn(data):
    nu, points = data["nu"], int(data["points"])

    def loss(W1, b1, W2, b2, w3):
        def u(x):
            return np.dot(w3, np.tanh(np.dot(W2, np.tanh(W1 * x + b1)) + b2))

        total = 0
        for x in np.linspace(-1, 1, points):
            total = total + (u(x) * grad(u)(x) - nu * grad(grad(u))(x)) ** 2
        return total / points + (u(-1.0) - 1) ** 2 + (u(1.0) + 1) ** 2

    return loss


def skinning(data):
    parent, offset, skin, share, match, seen = (
        data[name] for name in ("parent", "offset", "skin", "share", "match", "seen")
    )

    def rotation(angles):
        (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
        about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        return np.dot(about_z, np.dot(about_y, about_x))

    def residuals(pose):
        turned, placed, resting = [], [], []
        for j, above in enumerate(parent.tolist()):
            here = rotation(pose[2 + j])
            if above < 0:
                turned.append(here)
                placed.append(offset[j])
                resting.append(offset[j])
            else:
                turned.append(np.dot(turned[above], here))
                placed.append(placed[above] + np.dot(turned[above], offset[j]))
                resting.append(resting[above] + offset[j])
        moved = 0
        for j in range(len(parent)):
            moved = moved + share[:, j : j + 1] * (np.dot(skin - resting[j], turned[j].T) + placed[j])
        hand = np.dot(moved, rotation(pose[0]).T) + pose[1]
        return np.reshape(seen - hand[match], -1)

    return residuals


# --- what the worker asks for ---------------------------------------------------------------------------------------


def prepared(name, command, wrt, arrays):
    """Seconds spent on compiling, and a function without arguments that gives the derivative, a list of arrays."""
    if name == "bundle_adjustment_sparse":
        return 0.0, bundle_adjustment_blocks(arrays)
    f, places = globals()[name](arrays), range(len(wrt))
    xs = [arrays[key] if arrays[key].shape else float(arrays[key]) for key in wrt]
    if command == "grad":
        gradient = grad(f, tuple(places))
        return 0.0, lambda: [np.asarray(g) for g in gradient(*xs)]
    if command == "hessian":  # of all inputs as one vector, numbers here
        if name == "kalman":
            return 0.0, lambda: list(hessian(f)(np.array(xs)).reshape(-1))
        return 0.0, lambda: [hessian(f)(*xs)]
    engines = [jacobian(f, i) for i in places]
    return 0.0, lambda: [engine(*xs) for engine in engines]
