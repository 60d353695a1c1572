"""Linear estimators of what mastering did: data, observations, and one expert per kinship. `train.py` says how they are used.
"""
import json
import numpy as np

BANDS, SPECTRUM = 40, 80
CLIP = 25.0
KINSHIPS = ["same", "kin", "any"]
# An expert knows pairs of one kinship whose moments are at most, or at least, about so far apart, in dB.
NEAR = (2.9, 4.1)
EXPERTS = ["same_near", "same_far", "kin", "any"]
# Shrinkage and inflation of the songs' covariances, for curves and for the rest. `--tune` searches a coarse grid for the least cost on
# artists that were not fitted to; these were set by hand from there, for little harm on those artists and on music outside the data set.
TUNING = {"same_near": ((0.8, 1.0), (0.5, 4.0)), "same_far": ((0.8, 1.0), (0.5, 4.0)), "kin": ((0.8, 3.0), (0.5, 4.0)),
          "any": ((0.8, 4.0), (0.5, 4.0)), "norm": ((0.9, 7.0), (0.5, 4.0))}
SAME_ARTIST = {"el-corleo": "eliot-corley"}
# Ending further from the truth than doing nothing costs so much more than not coming closer: another song is a reason to be
# careful, another part of the same song is not. Ratios are told so badly that they always are.
HARM = {"same": 0.0, "kin": 0.5, "any": 0.5, "norm": 0.5}


def only(raw, files):
    """What is known of these songs alone."""
    missing = sorted(files - {x["file"] for x in raw["songs"]})
    if missing:
        raise SystemExit(f"{missing[0]} is not in the data set")
    if not files:
        raise SystemExit("the list of songs is empty")
    kept = [n for n, x in enumerate(raw["songs"]) if x["file"] in files]
    number = {n: k for k, n in enumerate(kept)}
    cases = [x | {"song": number[x["song"]], "pairs": [p | {"song": number[p["song"]]} for p in x["pairs"] if p["song"] in number]}
             for x in raw["cases"] if x["song"] in number]
    return raw | {"songs": [raw["songs"][n] for n in kept], "cases": cases}


class Data:
    def __init__(self, path, files=None):
        raw = json.load(open(path))
        if files is not None:
            raw = only(raw, files)
        self.names, self.outputs = raw["selected"], raw["outputs"]
        columns = [raw["features"].index(n) for n in self.names]
        s, c = raw["songs"], raw["cases"]
        self.artist = np.array([SAME_ARTIST.get(x["artist"], x["artist"]) for x in s])
        self.known = np.array([x["known_bands"] for x in s])
        self.loudness = np.array([x["loudness_lufs"] for x in s])
        self.whole, self.first, self.second = (np.array([x[k] for x in s])[:, columns] for k in ("whole", "first_half", "second_half"))
        self.song = np.array([x["song"] for x in c])
        self.seen = np.array([x["features"] for x in c])[:, columns]
        self.answer = np.array([x["answer"] for x in c])
        self.pairs = [x["pairs"] for x in c]
        self.median, self.spread = np.median(self.whole, axis=0), np.std(self.whole, axis=0)
        self.plr = self.names.index("plr_lu")


class Examples:
    """Cases beside references (or the norm), as arrays."""

    def __init__(self, data, songs, kinships=KINSHIPS, references=None):
        rows, references = [], songs if references is None else references
        for n in np.flatnonzero(np.isin(data.song, songs)):
            i = data.song[n]
            for p in data.pairs[n] if "norm" not in kinships else [{"kinship": "norm", "song": i, "registered": [0.0] * (SPECTRUM + 1)}]:
                j, kind = p["song"], p["kinship"]
                if kind not in kinships or j not in references:
                    continue
                known = BANDS if kind == "norm" else min(data.known[i], data.known[j])
                known = min(known, data.known[i])
                target = {"same": data.second[i], "norm": data.median}.get(kind, data.whole[j]).copy()
                source, truth = data.seen[n].copy(), data.first[i].copy()
                weight = np.ones(len(data.outputs))
                for start in (0, BANDS):
                    # As models::target::comparable: beyond either cutoff both stand at the norm.
                    for v in (source, target, truth):
                        v[start + known:start + BANDS] = data.median[start + known:start + BANDS]
                    weight[start + known:start + BANDS] = 0.0
                weight[:SPECTRUM] *= data.first[i][:SPECTRUM] > -60.0  # nobody hears that
                rows.append((i, source, target, p["registered"], data.answer[n], weight, KINSHIPS.index(kind) if kind != "norm" else -1, HARM[kind]))
        self.song, self.source, self.target, registered, self.y, self.weight, self.kinship, self.harm = (np.array(v) for v in zip(*rows))
        self.shift, self.distance = registered[:, :-1], registered[:, -1]
        self.is_norm = self.kinship < 0

    def take(self, mask):
        out = object.__new__(Examples)
        out.__dict__ = {k: v[mask] for k, v in self.__dict__.items()}
        return out


clip = lambda v: np.clip(v, -CLIP, CLIP)


class Expected:
    """The spectrum that records with such dynamics have: ridge regression on standardised statistics."""

    def __init__(self, data, songs, penalty=100.0):
        rows = np.concatenate([data.whole[songs], data.first[songs], data.second[songs]])
        v, s = rows[:, self.columns(data)], rows[:, :SPECTRUM]
        self.mean, self.spread = v.mean(axis=0), v.std(axis=0) + 1e-6
        z = self.standard(v)
        self.matrix = np.linalg.solve(z.T @ z + penalty * np.eye(z.shape[1]), z.T @ (s - data.median[:SPECTRUM]))

    @staticmethod
    def columns(data):
        return list(range(SPECTRUM, SPECTRUM + 16)) + [data.plr, data.plr + 1]

    def standard(self, v):
        return np.clip((v - self.mean) / self.spread, -3.0, 3.0)

    def of(self, data, source):
        return self.standard(source[:, self.columns(data)]) @ self.matrix


def observed(data, x, expected):
    """What curves are told from, and what the rest is told from."""
    d = clip(x.target - x.source)
    u = clip((data.median - x.source)[:, :SPECTRUM] + expected)
    others = np.arange(SPECTRUM, x.source.shape[1])
    return (np.concatenate([d[:, :SPECTRUM], clip(x.shift), u], axis=1),
            np.concatenate([d[:, others], clip(data.median - x.source)[:, others]], axis=1))


def by_lag(c):
    """The covariance with every correlation replaced by the mean over all pairs of bands as far apart: what is left of
    a covariance when it is not known at which frequency songs differ, only how smoothly. Blocks of BANDS."""
    sd = np.sqrt(np.diag(c)) + 1e-9
    r = c / np.outer(sd, sd)
    lag = np.abs(np.subtract.outer(np.arange(BANDS), np.arange(BANDS)))
    out = np.empty_like(r)
    for i in range(0, len(c), BANDS):
        for j in range(0, len(c), BANDS):
            block = r[i:i + BANDS, j:j + BANDS]
            mean = np.array([block[lag == k].mean() for k in range(BANDS)])
            out[i:i + BANDS, j:j + BANDS] = mean[lag]
    return out * np.outer(sd, sd)


def linear_mmse(c, a, s):
    return np.linalg.solve(a @ c @ a.T + s, a @ c).T


def least_deviations(x, y, weight, steps=30, least=0.05):
    """Regression with the least mean magnitude of its errors, by weights that are set anew in every step: a peak that no
    other part of a song has is no reason to expect less of the rest."""
    scale = np.ones(len(y))
    for _ in range(steps):
        w = (weight * scale)[:, None] * x
        told = np.linalg.solve(w.T @ x, w.T @ y)
        scale = 1.0 / np.maximum(np.abs(y - x @ told), least)
    return told


class Expert:
    """Linear estimators for pairs of one distance, or for the norm. w maps what is observed to the outputs."""

    def __init__(self, data, x, o, weight, curves, rest):
        self.curves(x, o[0], weight, *curves)
        self.rest(data, x, o[1], weight, *rest)

    def curves(self, x, o, weight, shrink, inflate):
        y = x.y[:, :SPECTRUM]
        use = slice(2 * SPECTRUM, None) if x.is_norm.all() else slice(None)
        e = o[:, use] - np.tile(y, (1, 1 if x.is_norm.all() else 3))
        w = weight / weight.sum()
        s = (e * w[:, None]).T @ e
        c = y.T @ y / len(y) + 1e-3 * np.eye(SPECTRUM)
        a = np.tile(np.eye(SPECTRUM), (e.shape[1] // SPECTRUM, 1))
        s = inflate * ((1 - shrink) * s + shrink * by_lag(s)) + 1e-2 * np.eye(len(s))
        self.w_curves = np.zeros((SPECTRUM, 3 * SPECTRUM))
        self.w_curves[:, use] = linear_mmse(c, a, s)
        self.left_curves = np.sqrt(np.maximum(np.diag(c - self.w_curves[:, use] @ a @ c), 1e-6))

    def rest(self, data, x, o, weight, shrink, inflate):
        """Ratios from all dynamics; the peak-to-loudness ratio from its own difference."""
        count, n = o.shape[1] // 2, len(x.y)
        ratios, plr = slice(SPECTRUM, SPECTRUM + 4), x.y[:, SPECTRUM + 4]
        self.w_rest, self.left_rest = np.zeros((5, 2 * count)), np.zeros(5)
        columns = np.arange(count, 2 * count) if x.is_norm.all() else np.arange(2 * count)
        y, shown = x.y[:, ratios], o[:, columns]
        c = y.T @ y / n + 1e-6 * np.eye(4)
        a = np.linalg.solve(y.T @ y + 0.02 * n * np.eye(4), y.T @ shown).T
        e = shown - y @ a.T
        s = (e * (weight / weight.sum())[:, None]).T @ e
        s = inflate * ((1 - shrink) * s + shrink * np.diag(np.diag(s))) + 1e-3 * np.eye(len(s))
        self.w_rest[:4, columns] = linear_mmse(c, a, s)
        self.left_rest[:4] = np.sqrt(np.maximum(np.diag(c - self.w_rest[:4, columns] @ a @ c), 1e-6))
        # How dense records are in general says nothing beside a reference: on other artists it did harm.
        columns = np.array([count + data.plr - SPECTRUM if x.is_norm.all() else data.plr - SPECTRUM])
        # A mix has more peaks than its master, whatever the reference: hence the constant.
        shown, w = np.column_stack([o[:, columns], np.ones(n)]), weight / weight.sum()
        told = least_deviations(shown, plr, w)
        self.w_rest[4, columns], self.constant = told[:-1], np.append(np.zeros(x.y.shape[1] - 1), told[-1])
        self.left_rest[4] = np.sqrt(np.sum(w * (plr - shown @ told) ** 2))

    def guess(self, o):
        return np.concatenate([o[0] @ self.w_curves.T, o[1] @ self.w_rest.T], axis=1) + self.constant

    @property
    def left(self):
        return np.concatenate([self.left_curves, self.left_rest])


def belonging(name, x):
    """How much every pair says of an expert."""
    if name == "norm":
        return np.ones(len(x.y))
    kinship, *where = name.split("_")
    far = np.interp(x.distance, NEAR, (0.0, 1.0))
    share = {(): 1.0, ("near",): 1.0 - far, ("far",): far}[tuple(where)]
    return share * (x.kinship == KINSHIPS.index(kinship)) + 1e-9
