"""The samples as a PyTorch user writes them. Each takes the data and gives the function to differentiate."""

from __future__ import annotations

import itertools
import math

import torch
from torch.func import grad, hessian, jacfwd, jacrev, vmap


def gaussian_mixture(data):
    x, gamma, m = data["x"], data["wishart_gamma"], data["wishart_m"]
    n, d = x.shape
    rows, columns = zip(*[(i, j) for j in range(d) for i in range(j + 1, d)], strict=True)

    def posterior(alphas, means, icf):
        k = len(alphas)
        logs = icf[:, :d]
        below = torch.zeros(k, d, d, dtype=x.dtype).index_put(
            (torch.arange(k)[:, None], torch.tensor(rows), torch.tensor(columns)), icf[:, d:]
        )
        centred = x[:, None, :] - means
        turned = centred * torch.exp(logs) + torch.einsum("kij,nkj->nki", below, centred)
        inner = alphas + logs.sum(1) - (turned**2).sum(2) / 2
        likelihood = torch.logsumexp(inner, 1).sum() - n * (torch.logsumexp(alphas, 0) + d / 2 * math.log(2 * math.pi))
        freedom = d + m + 1
        constant = freedom * d * (torch.log(gamma) - math.log(2) / 2) - torch.special.multigammaln(freedom / 2, d)
        squares = torch.exp(2 * logs).sum() + (icf[:, d:] ** 2).sum()
        return likelihood + gamma**2 / 2 * squares - m * logs.sum() - k * constant

    return posterior


def lstm(data):
    text, start = data["text"], data["memory"]

    def loss(weights, biases, embed, scale, shift):
        b = len(embed)
        letters = torch.eye(b, dtype=embed.dtype)[text]
        state = [(s[0], s[1]) for s in start]
        total = 0
        for now, following in itertools.pairwise(letters):
            x, after = now * embed, []
            for w, bias, (hidden, memory) in zip(weights, biases, state, strict=True):
                forget = torch.sigmoid(x * w[0] + bias[0])
                into = torch.sigmoid(hidden * w[1] + bias[1])
                out = torch.sigmoid(x * w[2] + bias[2])
                change = torch.tanh(hidden * w[3] + bias[3])
                memory = memory * forget + into * change
                x = out * torch.tanh(memory)
                after.append((x, memory))
            state = after
            y = x * scale + shift
            total = total + following @ (y - torch.log(2 + torch.exp(y).sum()))
        return -total / ((len(text) - 1) * b)

    return loss


def log_sum_exp(data):
    def online(x):
        top, total = x[0], 1
        for number in x[1:]:
            if number > top:
                total, top = total * torch.exp(top - number) + 1, number
            else:
                total = total + torch.exp(number - top)
        return top + torch.log(total)

    return online


def polynomial(data):
    x, y = data["x"], data["y"]

    def misfit(c):
        value = 0
        for coefficient in c.flip(0):
            value = value * x + coefficient
        return ((value - y) ** 2).sum() / 2

    return misfit


def runge_kutta(data):
    forcing, h, steps = data["forcing"], data["h"], int(data["steps"])

    def slope(x):
        return (torch.roll(x, -1) - torch.roll(x, 2)) * torch.roll(x, 1) - x + forcing

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
            (x**2).sum() / 2 + (x**4).sum() / 8 - (y**2).sum() / 2 - torch.cosh(y).sum() / 4
            + twist * torch.sin(x[0] - 1) * y[1] + x[1] * y[0]
        )  # fmt: skip

    def descend(gradient, x, steps):
        for _ in range(steps):
            x = x - rate * gradient(x)
        return x

    def answer(start, twist):
        def highest(x):
            y = descend(grad(lambda y: -f(x, y, twist)), torch.zeros(2, dtype=x.dtype), climbs)
            return f(x, y, twist)

        return highest(descend(grad(highest), start, steps))

    return answer


def bundle_adjustment(data):
    camera, point, features = data["camera"], data["point"], data["features"]

    def turn(r, X):
        square = (r**2).sum(1, keepdim=True)
        still = square == 0
        t = torch.sqrt(torch.where(still, 1.0, square))
        a = torch.where(still, 1.0, torch.sin(t) / t)
        b = torch.where(still, 0.5, (1 - torch.cos(t)) / t**2)
        rX = torch.linalg.cross(r, X)
        return X + a * rX + b * torch.linalg.cross(r, rX)

    def project(cam, X):
        Y = turn(cam[:, 0:3], X - cam[:, 3:6])
        q = Y[:, 0:2] / Y[:, 2:3]
        square = (q**2).sum(1, keepdim=True)
        return q * (1 + cam[:, 9:10] * square + cam[:, 10:11] * square**2) * cam[:, 6:7] + cam[:, 7:9]

    def residuals(cams, points, weights):
        reprojection = weights[:, None] * (project(cams[camera], points[point]) - features)
        return torch.cat([reprojection.reshape(-1), 1 - weights**2])

    return residuals


def bundle_adjustment_blocks(data):
    """Of every observation, the derivatives of its residuals by its camera, point and weight."""
    cams, points = data["cams"][data["camera"]], data["points"][data["point"]]
    everyone = torch.arange(len(cams))
    residuals = bundle_adjustment({**data, "camera": everyone, "point": everyone})

    def blocks():
        leaves = [x.clone().requires_grad_() for x in (cams, points, data["weights"])]
        out = residuals(*leaves)
        # An observation's residuals depend on its own parameters alone, so that the sum's gradient is all of theirs.
        parts = [out[0 : 2 * len(cams) : 2], out[1 : 2 * len(cams) : 2], out[2 * len(cams) :]]
        found = [torch.autograd.grad(part.sum(), leaves, retain_graph=True, allow_unused=True) for part in parts]
        stacked = [torch.stack([found[0][i], found[1][i]], 1).numpy() for i in range(3)]
        return [*stacked, found[2][2].numpy()]

    return blocks


def newton(data):
    rest, passed = data["rest"], data["passed"]

    def fitted(ridge, hours):
        X = torch.stack([hours, rest, torch.ones_like(rest)], 1)

        def loss(w):
            score = X @ w
            return (torch.logaddexp(torch.zeros_like(score), score) - passed * score).mean() + ridge / 2 * (w @ w)

        w = torch.zeros(3, dtype=hours.dtype)
        for _ in range(8):  # a test of the gradient's size is no option under torch.func's jacobians
            w = w - torch.linalg.solve(hessian(loss)(w), grad(loss)(w))
        return w

    return fitted


def fixed_point(data):
    tolerance = data["tolerance"]

    def solved(W, b):
        z, moved = torch.zeros_like(b), math.inf
        while moved > tolerance:
            before, z = z, torch.tanh(W @ z + b)
            moved = (z - before).abs().max()
        return z

    return solved


def neural_ode(data):
    path, between, substeps = data["path"], data["between"], int(data["substeps"])
    h = between / substeps

    def loss(W1, b1, W2, b2):
        def slope(z):
            return W2 @ torch.tanh(W1 @ z**3 + b1) + b2

        z, total = path[0], 0
        for seen in path[1:]:
            for _ in range(substeps):
                z = z + h * slope(z + h / 2 * slope(z))
            total = total + ((z - seen) ** 2).sum()
        return total / (len(path) - 1)

    return loss


def hmc(data):
    momenta, uniforms, leaps = data["momenta"], data["uniforms"], int(data["leaps"])

    def potential(q):
        return q[0] ** 2 / 18 + (q[1:] ** 2).sum() * torch.exp(-q[0]) / 2 + (len(q) - 1) * q[0] / 2

    slope = grad(potential)

    def statistic(start, step):
        q, chain = start, []
        for p, u in zip(momenta, uniforms, strict=True):
            new, momentum = q, p - step / 2 * slope(q)
            for leap in range(leaps):
                new = new + step * momentum
                momentum = momentum - (step if leap < leaps - 1 else step / 2) * slope(new)
            change = potential(q) + (p**2).sum() / 2 - potential(new) - (momentum**2).sum() / 2
            if torch.log(u) < change:
                q = new
            chain.append(q)
        return (torch.stack(chain)[:, 1:] ** 2).mean()

    return statistic


def kalman(data):
    seen = torch.stack([data["east"], data["north"]], 1)
    eye = torch.eye(2, dtype=seen.dtype)
    F = torch.kron(torch.tensor([[1.0, 1], [0, 1]], dtype=seen.dtype), eye)
    Q1 = torch.kron(torch.tensor([[1 / 3, 1 / 2], [1 / 2, 1]], dtype=seen.dtype), eye)
    H = torch.hstack([eye, 0 * eye])

    def likelihood(jolt, noise):
        Q, R = jolt**2 * Q1, noise**2 * eye
        m, P = torch.zeros(4, dtype=seen.dtype), 10 * torch.eye(4, dtype=seen.dtype)
        total = 0
        for y in seen:
            m, P = F @ m, F @ P @ F.T + Q
            if not torch.isnan(y).any():
                v = y - H @ m
                S = H @ P @ H.T + R
                K = torch.linalg.solve(S, H @ P).T
                m, P = m + K @ v, P - K @ S @ K.T
                total = total + (v @ torch.linalg.solve(S, v) + torch.linalg.slogdet(2 * math.pi * S)[1]) / 2
        return total

    return likelihood


def attention(data):
    x = data["x"]
    length = len(x)

    def normalised(x, gain):
        centred = x - x.mean(-1, keepdim=True)
        return gain * centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5)

    def loss(Wq, Wk, Wv, Wo, W1, b1, W2, b2, gain):
        n = normalised(x, gain[0])
        q, k, v = n @ Wq, n @ Wk, n @ Wv
        scores = q @ k.mT / Wq.shape[-1] ** 0.5
        scores = scores.masked_fill(torch.ones(length, length, dtype=torch.bool).triu(1), -math.inf)
        z = x + (torch.softmax(scores, -1) @ v @ Wo).sum(0)
        y = z + torch.nn.functional.gelu(normalised(z, gain[1]) @ W1 + b1) @ W2 + b2
        return ((y[:-1] - x[1:]) ** 2).mean()

    return loss


def pinn(data):
    nu, points = data["nu"], int(data["points"])

    def loss(W1, b1, W2, b2, w3):
        def u(x):
            return w3 @ torch.tanh(W2 @ torch.tanh(W1 * x + b1) + b2)

        def residual(x):
            return u(x) * grad(u)(x) - nu * grad(grad(u))(x)

        ends = torch.tensor([-1.0, 1.0], dtype=W1.dtype)
        inside = (vmap(residual)(torch.linspace(-1, 1, points, dtype=W1.dtype)) ** 2).mean()
        return inside + (u(ends[0]) - 1) ** 2 + (u(ends[1]) + 1) ** 2

    return loss


def skinning(data):
    parent, offset, skin, share, match, seen = (
        data[name] for name in ("parent", "offset", "skin", "share", "match", "seen")
    )

    def rotation(angles):
        (cx, cy, cz), (sx, sy, sz) = torch.cos(angles), torch.sin(angles)
        o, i = torch.zeros_like(cx), torch.ones_like(cx)
        about_x = torch.stack([i, o, o, o, cx, -sx, o, sx, cx]).reshape(3, 3)
        about_y = torch.stack([cy, o, sy, o, i, o, -sy, o, cy]).reshape(3, 3)
        about_z = torch.stack([cz, -sz, o, sz, cz, o, o, o, i]).reshape(3, 3)
        return about_z @ about_y @ about_x

    def residuals(pose):
        turned, placed, resting = [], [], []
        for j, above in enumerate(parent.tolist()):
            here = rotation(pose[2 + j])
            if above < 0:
                turned.append(here)
                placed.append(offset[j])
                resting.append(offset[j])
            else:
                turned.append(turned[above] @ here)
                placed.append(placed[above] + turned[above] @ offset[j])
                resting.append(resting[above] + offset[j])
        moved = 0
        for j in range(len(parent)):
            moved = moved + share[:, j : j + 1] * ((skin - resting[j]) @ turned[j].T + placed[j])
        hand = moved @ rotation(pose[0]).T + pose[1]
        return (seen - hand[match]).reshape(-1)

    return residuals


# --- what the worker asks for ---------------------------------------------------------------------------------------


def prepared(name, command, wrt, arrays):
    """Seconds spent on compiling, and a function without arguments that gives the derivative, a list of arrays."""
    torch.set_num_threads(1)
    data = {key: torch.from_numpy(value) for key, value in arrays.items()}
    if name == "bundle_adjustment_sparse":
        return 0.0, bundle_adjustment_blocks(data)
    f, xs, places = globals()[name](data), [data[key] for key in wrt], tuple(range(len(wrt)))

    def gradient():
        leaves = [x.clone().requires_grad_() for x in xs]
        return [g.numpy() for g in torch.autograd.grad(f(*leaves), leaves)]

    def jacobian():
        if name == "fixed_point":  # its loop ends on data, which torch.func's jacobians refuse
            return [J.numpy() for J in torch.autograd.functional.jacobian(f, tuple(xs))]
        wide = sum(x.numel() for x in xs) < 54
        return [J.numpy() for J in (jacfwd if wide else jacrev)(f, places)(*xs)]

    def second():
        return [block.numpy() for row in hessian(f, places)(*xs) for block in row]

    return 0.0, {"grad": gradient, "jacobian": jacobian, "hessian": second}[command]
