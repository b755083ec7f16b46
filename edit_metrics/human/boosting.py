"""Monotone gradient boosting, fitted by scikit-learn and stored as plain trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from edit_metrics.errors import RunError
from edit_metrics.types import Float64

_SETTINGS: Final = {
    "learning_rate": 0.08,
    "max_iter": 80,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": 0,
}


@dataclass(frozen=True, slots=True)
class Tree:
    """A regression tree; node 0 is the root, a leaf points at itself."""

    feature: NDArray[np.intp]
    threshold: Float64
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    value: Float64

    def predict(self, features: Float64) -> Float64:
        """Leaf values, N."""
        node = np.zeros(len(features), dtype=np.intp)
        rows = np.arange(len(features))
        while True:
            goes_left = features[rows, self.feature[node]] <= self.threshold[node]
            following = np.where(goes_left, self.left[node], self.right[node])
            if (following == node).all():
                return np.asarray(self.value[node])
            node = following

    def to_json(self) -> dict[str, Any]:
        """A JSON record; a leaf's infinite threshold is written as 0, since it decides nothing."""
        return {name: getattr(self, name).tolist() for name in self.__slots__}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Tree:
        """The inverse of :meth:`to_json`."""
        whole = {name: np.asarray(record[name], dtype=np.intp) for name in ("feature", "left", "right")}
        return cls(
            threshold=np.asarray(record["threshold"], dtype=np.float64),
            value=np.asarray(record["value"], dtype=np.float64),
            **whole,
        )

    @classmethod
    def from_nodes(cls, nodes: NDArray[Any]) -> Tree:
        """From the node array of one of scikit-learn's histogram trees."""
        own = np.arange(len(nodes))
        leaf = nodes["is_leaf"].astype(bool)
        return cls(
            np.where(leaf, 0, nodes["feature_idx"]).astype(np.intp),
            np.where(leaf, 0.0, nodes["num_threshold"]),
            np.where(leaf, own, nodes["left"]).astype(np.intp),
            np.where(leaf, own, nodes["right"]).astype(np.intp),
            nodes["value"].astype(np.float64),
        )


@dataclass(frozen=True, slots=True)
class BoostedHead:
    """Sum of trees that rise with every feature; through a logistic when it predicts P(pass).

    Attributes:
        low: predictions are clipped to the target's range, which squared-error trees may leave.
        high: its upper end.
    """

    kind: ClassVar[str] = "boosting"
    baseline: float
    logistic: bool
    low: float
    high: float
    trees: tuple[Tree, ...]

    @classmethod
    def fit(cls, features: Float64, target: Float64, low: float, high: float, *, binary: bool) -> BoostedHead:
        """Fit with every feature constrained to rise.

        Raises:
            RunError: this scikit-learn stores trees in another way, so that the copy does not predict what it does.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        maker = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
        # One thread: the tables are small, and threads that wait for each other on a busy machine cost far more.
        with threadpool_limits(1):
            model = maker(monotonic_cst=[1] * features.shape[1], **_SETTINGS).fit(features, target)
        trees = tuple(Tree.from_nodes(stage[0].nodes) for stage in model._predictors)
        head = cls(float(np.ravel(model._baseline_prediction)[0]), binary, low, high, trees)
        own = model.predict_proba(features)[:, 1] if binary else model.predict(features)
        if not np.allclose(head.predict(features), np.clip(own, low, high), atol=1e-9):
            raise RunError("trees that predict what scikit-learn predicts", "other values", "calibrate --boosting")
        return head

    def predict(self, features: Float64) -> Float64:
        """See :class:`edit_metrics.human.heads.Head`."""
        total = np.full(len(features), self.baseline)
        for tree in self.trees:
            total += tree.predict(features)
        bounded: Float64 = np.clip(expit(total) if self.logistic else total, self.low, self.high)
        return bounded

    def to_json(self) -> dict[str, Any]:
        """See :class:`edit_metrics.human.heads.Head`."""
        trees = [tree.to_json() for tree in self.trees]
        numbers = {name: getattr(self, name) for name in ("baseline", "logistic", "low", "high")}
        return {"kind": self.kind, **numbers, "trees": trees}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> BoostedHead:
        """The inverse of :meth:`to_json`."""
        trees = tuple(Tree.from_json(tree) for tree in record["trees"])
        numbers = {name: float(record[name]) for name in ("baseline", "low", "high")}
        return cls(logistic=bool(record["logistic"]), trees=trees, **numbers)
