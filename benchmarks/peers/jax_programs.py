"""The samples as a JAX user writes them, loops as scans. Each takes the data and gives what to differentiate."""

from __future__ import annotations

import math
import time

import jax
import jax.numpy as jnp
from jax import grad, hessian, jacfwd, jacrev, lax, vmap
from jax.scipy.special import logsumexp, multigammaln

jax.config.update("jax_enable_x64", True)


def gaussian_mixture(data):
    x, gamma, m = data["x"], data["wishart_gamma"], data["wishart_m"]
    n, d = x.shape
    columns, rows = jnp.triu_indices(d, 1)

    def posterior(alphas, means, icf):
        k = len(alphas)
        logs = icf[:, :d]
        below = jnp.zeros((k, d, d)).at[:, rows, columns].set(icf[:, d:])
        centred = x[:, None, :] - means
        turned = centred * jnp.exp(logs) + jnp.einsum("kij,nkj->nki", below, centred)
        inner = alphas + logs.sum(1) - (turned**2).sum(2) / 2
        likelihood = logsumexp(inner, 1).sum() - n * (logsumexp(alphas) + d / 2 * math.log(2 * math.pi))
        freedom = d + m + 1
        constant = freedom * d * (jnp.log(gamma) - math.log(2) / 2) - multigammaln(freedom / 2, d)
        squares = jnp.exp(2 * logs).sum() + (icf[:, d:] ** 2).sum()
        return likelihood + gamma**2 / 2 * squares - m * logs.sum() - k * constant

    return posterior


def lstm(data):
    text, start = data["text"], data["memory"]

    def loss(weights, biases, embed, scale, shift):
        b = len(embed)
        letters = jnp.eye(b)[text]

        def predict(state, pair):
            now, following = pair
            x, after = now * embed, []
            for i in range(len(weights)):
                w, bias = weights[i], biases[i]
                hidden, memory = state[i]
                forget = jax.nn.sigmoid(x * w[0] + bias[0])
                into = jax.nn.sigmoid(hidden * w[1] + bias[1])
                out = jax.nn.sigmoid(x * w[2] + bias[2])
                change = jnp.tanh(hidden * w[3] + bias[3])
                memory = memory * forget + into * change
                x = out * jnp.tanh(memory)
                after.append(jnp.stack([x, memory]))
            y = x * scale + shift
            return jnp.stack(after), following @ (y - jnp.log(2 + jnp.exp(y).sum()))

        _, costs = lax.scan(predict, start, (letters[:-1], letters[1:]))
        return -costs.sum() / ((len(text) - 1) * b)

    return loss


def log_sum_exp(data):
    def step(carry, number):
        top, total = carry
        higher = jnp.maximum(top, number)
        grown = jnp.where(number > top, total * jnp.exp(top - higher) + 1, total + jnp.exp(number - higher))
        return (higher, grown), None

    def online(x):
        (top, total), _ = lax.scan(step, (x[0], 1.0), x[1:])
        return top + jnp.log(total)

    return online


def polynomial(data):
    x, y = data["x"], data["y"]
    return lambda c: ((jnp.polyval(c[::-1], x) - y) ** 2).sum() / 2


def runge_kutta(data):
    forcing, h, steps = data["forcing"], data["h"], int(data["steps"])

    def slope(x):
        return (jnp.roll(x, -1) - jnp.roll(x, 2)) * jnp.roll(x, 1) - x + forcing

    def step(x, _):
        k1 = slope(x)
        k2 = slope(x + h / 2 * k1)
        k3 = slope(x + h / 2 * k2)
        k4 = slope(x + h * k3)
        return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

    return lambda x: lax.scan(step, x, length=steps)[0]


def saddle(data):
    rate, steps, climbs = data["rate"], int(data["steps"]), int(data["climbs"])

    def f(x, y, twist):
        return (
            (x**2).sum() / 2 + (x**4).sum() / 8 - (y**2).sum() / 2 - jnp.cosh(y).sum() / 4
            + twist * jnp.sin(x[0] - 1) * y[1] + x[1] * y[0]
        )  # fmt: skip

    def descend(gradient, x, steps):
        return lax.scan(lambda x, _: (x - rate * gradient(x), None), x, length=steps)[0]

    def answer(start, twist):
        def highest(x):
            y = descend(grad(lambda y: -f(x, y, twist)), jnp.zeros(2), climbs)
            return f(x, y, twist)

        return highest(descend(grad(highest), start, steps))

    return answer


def rotated(r, X):
    square = (r**2).sum(-1, keepdims=True)
    still = square == 0
    t = jnp.sqrt(jnp.where(still, 1.0, square))
    a = jnp.where(still, 1.0, jnp.sin(t) / t)
    b = jnp.where(still, 0.5, (1 - jnp.cos(t)) / t**2)
    rX = jnp.cross(r, X)
    return X + a * rX + b * jnp.cross(r, rX)


def project(cam, X):
    Y = rotated(cam[..., 0:3], X - cam[..., 3:6])
    q = Y[..., 0:2] / Y[..., 2:3]
    square = (q**2).sum(-1, keepdims=True)
    return q * (1 + cam[..., 9:10] * square + cam[..., 10:11] * square**2) * cam[..., 6:7] + cam[..., 7:9]


def bundle_adjustment(data):
    camera, point, features = data["camera"], data["point"], data["features"]

    def residuals(cams, points, weights):
        reprojection = weights[:, None] * (project(cams[camera], points[point]) - features)
        return jnp.concatenate([reprojection.reshape(-1), 1 - weights**2])

    return residuals


def blocks(cam, X, w, feature):
    """Of one observation, the derivatives of its residuals by its camera, point and weight."""
    J = jacrev(lambda cam, X, w: w * (project(cam, X) - feature), (0, 1, 2))(cam, X, w)
    return (*J, grad(lambda w: 1 - w**2)(w))


def newton(data):
    rest, passed = data["rest"], data["passed"]

    def fitted(ridge, hours):
        X = jnp.stack([hours, rest, jnp.ones_like(rest)], 1)

        def loss(w):
            score = X @ w
            return (jnp.logaddexp(0, score) - passed * score).mean() + ridge / 2 * (w @ w)

        def step(w, _):
            return w - jnp.linalg.solve(hessian(loss)(w), grad(loss)(w)), None

        return lax.scan(step, jnp.zeros(3), length=8)[0]  # reverse mode needs a number of steps

    return fitted


def fixed_point(data):
    tolerance = data["tolerance"]

    def solved(W, b):
        def step(state):
            z = jnp.tanh(W @ state[0] + b)
            return z, jnp.abs(z - state[0]).max()

        return lax.while_loop(lambda state: state[1] > tolerance, step, (jnp.zeros_like(b), jnp.inf))[0]

    return solved


def neural_ode(data):
    path, between, substeps = data["path"], data["between"], int(data["substeps"])
    h = between / substeps

    def loss(W1, b1, W2, b2):
        def slope(z):
            return W2 @ jnp.tanh(W1 @ z**3 + b1) + b2

        def substep(z, _):
            return z + h * slope(z + h / 2 * slope(z)), None

        def advance(z, seen):
            z = lax.scan(substep, z, length=substeps)[0]
            return z, ((z - seen) ** 2).sum()

        return lax.scan(advance, path[0], path[1:])[1].mean()

    return loss


def hmc(data):
    momenta, uniforms, leaps = data["momenta"], data["uniforms"], int(data["leaps"])

    def potential(q):
        return q[0] ** 2 / 18 + (q[1:] ** 2).sum() * jnp.exp(-q[0]) / 2 + (len(q) - 1) * q[0] / 2

    slope = grad(potential)

    def statistic(start, step):
        def leap(state, _):
            new = state[0] + step * state[1]
            return (new, state[1] - step * slope(new)), None

        def proposal(q, pair):
            p, u = pair
            (new, momentum), _ = lax.scan(leap, (q, p - step / 2 * slope(q)), length=leaps)
            momentum = momentum + step / 2 * slope(new)
            change = potential(q) + (p**2).sum() / 2 - potential(new) - (momentum**2).sum() / 2
            q = jnp.where(jnp.log(u) < change, new, q)
            return q, q

        _, chain = lax.scan(proposal, start, (momenta, uniforms))
        return (chain[:, 1:] ** 2).mean()

    return statistic


def kalman(data):
    seen = jnp.stack([data["east"], data["north"]], 1)
    eye = jnp.eye(2)
    F = jnp.kron(jnp.array([[1.0, 1], [0, 1]]), eye)
    Q1 = jnp.kron(jnp.array([[1 / 3, 1 / 2], [1 / 2, 1]]), eye)
    H = jnp.hstack([eye, 0 * eye])

    def likelihood(jolt, noise):
        def step(state, y):
            m, P = F @ state[0], F @ state[1] @ F.T + jolt**2 * Q1
            hidden = jnp.isnan(y).any()
            v = jnp.where(hidden, 0, y - H @ m)
            S = H @ P @ H.T + noise**2 * eye
            K = jnp.linalg.solve(S, H @ P).T
            cost = (v @ jnp.linalg.solve(S, v) + jnp.linalg.slogdet(2 * math.pi * S)[1]) / 2
            after = (jnp.where(hidden, m, m + K @ v), jnp.where(hidden, P, P - K @ S @ K.T))
            return after, jnp.where(hidden, 0, cost)

        return lax.scan(step, (jnp.zeros(4), 10 * jnp.eye(4)), seen)[1].sum()

    return likelihood


def attention(data):
    x = data["x"]
    length = len(x)

    def normalised(x, gain):
        centred = x - x.mean(-1, keepdims=True)
        return gain * centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)

    def loss(Wq, Wk, Wv, Wo, W1, b1, W2, b2, gain):
        n = normalised(x, gain[0])
        q, k, v = n @ Wq, n @ Wk, n @ Wv
        scores = q @ jnp.swapaxes(k, -1, -2) / Wq.shape[-1] ** 0.5
        scores = jnp.where(jnp.tril(jnp.ones((length, length))) == 1, scores, -jnp.inf)
        z = x + (jax.nn.softmax(scores, -1) @ v @ Wo).sum(0)
        y = z + jax.nn.gelu(normalised(z, gain[1]) @ W1 + b1, approximate=False) @ W2 + b2
        return ((y[:-1] - x[1:]) ** 2).mean()

    return loss


def pinn(data):
    nu, points = data["nu"], int(data["points"])

    def loss(W1, b1, W2, b2, w3):
        def u(x):
            return w3 @ jnp.tanh(W2 @ jnp.tanh(W1 * x + b1) + b2)

        def residual(x):
            return u(x) * grad(u)(x) - nu * grad(grad(u))(x)

        inside = (vmap(residual)(jnp.linspace(-1, 1, points)) ** 2).mean()
        return inside + (u(-1.0) - 1) ** 2 + (u(1.0) + 1) ** 2

    return loss


def skinning(data):
    parent, offset, skin, share, match, seen = (
        data[name] for name in ("parent", "offset", "skin", "share", "match", "seen")
    )

    def rotation(angles):
        (cx, cy, cz), (sx, sy, sz) = jnp.cos(angles), jnp.sin(angles)
        about_x = jnp.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        about_y = jnp.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        about_z = jnp.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
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
    if name == "bundle_adjustment_sparse":
        xs = [jnp.asarray(arrays[key]) for key in ("cams", "points", "weights", "camera", "point", "features")]
        start = time.perf_counter()
        whole = jax.jit(lambda cams, points, w, c, p, features: vmap(blocks)(cams[c], points[p], w, features))
        compiled = whole.lower(*xs).compile()
        return time.perf_counter() - start, lambda: list(jax.block_until_ready(compiled(*xs)))
    f, places = globals()[name](arrays), tuple(range(len(wrt)))
    xs = [jnp.asarray(arrays[key]) for key in wrt]
    # A while_loop has no reverse mode, and few inputs ask for forward mode.
    forward = name == "fixed_point" or sum(x.size for x in xs) < 54
    engine = {"grad": grad, "jacobian": jacfwd if forward else jacrev, "hessian": hessian}[command]
    start = time.perf_counter()
    compiled = jax.jit(engine(f, places)).lower(*xs).compile()
    seconds = time.perf_counter() - start
    return seconds, lambda: jax.tree.leaves(jax.block_until_ready(compiled(*xs)))
