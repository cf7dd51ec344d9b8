"""A logistic rule with squares, of a few numbers a picture: what the rules in `quality` that were fitted are fitted with."""

import numpy as np
from scipy.optimize import minimize

PENALTY = 0.002

Fitted = tuple[np.ndarray, ...]
"""Means, spreads, coefficients of the scaled values and of their squares, and the constant."""


def fit(values: np.ndarray, is_true: np.ndarray, sets: np.ndarray) -> Fitted:
    """Of (n, k) values and (n,) answers; both answers weigh equally, and so do the sets within an answer."""
    means, spreads = values.mean(axis=0), values.std(axis=0) + 1e-6
    design = _design(values, means, spreads)
    weights = np.zeros(len(sets))
    for side in (True, False):
        names = np.unique(sets[is_true == side])
        for name in names:
            mine = (sets == name) & (is_true == side)
            weights[mine] = 0.5 / len(names) / mine.sum()

    def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
        z = design @ b
        slope = weights * (1 / (1 + np.exp(-z)) - is_true)
        return float(weights @ (np.logaddexp(0, z) - is_true * z) + PENALTY * b @ b), design.T @ slope + 2 * PENALTY * b

    found = minimize(loss, np.zeros(design.shape[1]), jac=True).x
    count = values.shape[1]
    return means, spreads, found[:count], found[count:-1], found[-1]


def applied(fitted: Fitted, values: np.ndarray) -> np.ndarray:
    """Log odds of (n, k) values."""
    means, spreads, *coefficients = fitted
    return _design(values, means, spreads) @ np.concatenate([np.atleast_1d(c) for c in coefficients])


def constants(fitted: Fitted) -> str:
    """The lines of Python that a module of `quality` holds."""
    names = ("MEANS", "SPREADS", "LINEAR", "SQUARE", "CONSTANT")
    return "\n".join(f"{what} = {np.round(numbers, 4).tolist()}" for what, numbers in zip(names, fitted, strict=True))


def _design(values: np.ndarray, means: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    z = np.clip((values - means) / spreads, -3, 3)
    return np.concatenate([z, z * z, np.ones((len(z), 1))], axis=1)
