"""Trains the decider from the data that `dataset` made, and exports it as ONNX.

    python models/train/train.py DATASET.json [--epochs N]

needs numpy, jax and onnx. Writes models/weights/decider.onnx and .json, models/profiles/universal.json, and prints the figures
of the model card, on artists that were not fitted to (shrinkage and the gate's last epoch are chosen on them, though).

The estimator: what is seen is the difference d between target and source and the deviation u of the source from the mean record.
Both are the wanted correction y plus song: d = G y + s, u = G y + (mean - truth). With the covariances of y and of the
songs known, the best linear estimate is y = C A' (A C A' + S)^-1 [d; u] (linear MMSE). S depends on how alike the two songs are, so
there is one estimator per kinship, and a small network that tells from the shape of d which of them to believe.
"""
import argparse, itertools, json, pathlib
import jax, jax.numpy as jnp
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent.parent
BANDS, SPECTRUM = 40, 80
CLIP = 25.0
EXPERTS = ["same", "kin", "any"]
RATIO_WEIGHT = 8.0  # a logarithm of a ratio against a dB of equalisation
# Ending further from the truth than doing nothing costs so much more than not coming closer: another song is a reason to be
# careful, another part of the same song is not. Ratios are told so badly that they always are.
HARM = {"same": 0.0, "kin": 1.0, "any": 1.0, "norm": 0.5}
RATIO_HARM = 1.0


class Data:
    def __init__(self, path):
        raw = json.load(open(path))
        self.names, self.outputs = raw["features"], raw["outputs"]
        s, c = raw["songs"], raw["cases"]
        self.artist = np.array([x["artist"] for x in s])
        self.genre = np.array([x["genre"] for x in s])
        self.known = np.array([x["known_bands"] for x in s])
        self.loudness = np.array([x["loudness_lufs"] for x in s])
        self.whole, self.first, self.second = (np.array([x[k] for x in s]) for k in ("whole", "first_half", "second_half"))
        self.song = np.array([x["song"] for x in c])
        self.seen = np.array([x["features"] for x in c])
        self.answer = np.array([x["answer"] for x in c])
        self.median, self.spread = np.median(self.whole, axis=0), np.std(self.whole, axis=0)

    def kin(self, i):
        others = np.arange(len(self.artist)) != i
        for same in (self.artist == self.artist[i], self.genre == self.genre[i]):
            found = np.flatnonzero(others & same)
            if len(found):
                return found
        return np.flatnonzero(others)

    def reference(self, i, kind, r):
        """Features of a reference for song i, and its known bands."""
        if kind == "same":
            return self.second[i], self.known[i]
        j = r.choice(self.kin(i) if kind == "kin" else np.flatnonzero(self.artist != self.artist[i]))
        return self.whole[j], self.known[j]

    def comparable(self, source, target, known):
        """As models::target::comparable: beyond either cutoff both stand at the norm."""
        source, target = source.copy(), target.copy()
        for start in (0, BANDS):
            source[start + known:start + BANDS] = self.median[start + known:start + BANDS]
            target[start + known:start + BANDS] = self.median[start + known:start + BANDS]
        return source, target

    def examples(self, songs, kind, seed, count=None):
        """Source, target, answer, weight of each output, for cases of the given songs."""
        r = np.random.default_rng(seed)
        rows = np.flatnonzero(np.isin(self.song, songs))
        if count:
            rows = r.choice(rows, count)
        out = []
        for n in rows:
            i = self.song[n]
            target, known = self.reference(i, kind, r) if kind != "norm" else (self.median, BANDS)
            known = min(known, self.known[i])
            source, target = self.comparable(self.seen[n], target, known)
            weight = np.ones(self.answer.shape[1])
            for start in (0, BANDS):
                weight[start + known:start + BANDS] = 0.0
            weight[:SPECTRUM] *= self.first[i][:SPECTRUM] > -60.0  # nobody hears that
            weight[SPECTRUM:] = RATIO_WEIGHT
            out.append((source, target, self.answer[n], weight))
        return [np.array(v) for v in zip(*out)]


def observations(data, source, target):
    clip = lambda v: np.clip(v, -CLIP, CLIP)
    return np.concatenate([clip(target - source), clip(data.median - source)], axis=-1)


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


def shrunk(c, shrink, inflate, prior):
    return inflate * ((1 - shrink) * c + shrink * prior(c)) + 1e-2 * np.eye(len(c))


def song_differences(data, songs, kind, seed, repeats=20):
    """What observations() shows when nothing is to be mended: the songs alone."""
    r = np.random.default_rng(seed)
    out = []
    for i in np.repeat(songs, repeats):
        target, known = data.reference(i, kind, r) if kind != "norm" else (data.median, BANDS)
        truth, target = data.comparable(data.first[i], target, min(known, data.known[i]))
        out.append(observations(data, truth, target))
    return np.array(out)


def estimator(data, songs, kind, curves, ratios):
    """The linear MMSE matrix for one kinship, and the deviation it leaves. Curves are told from spectra, ratios from
    the other features. Shrinkage and inflation of the songs' covariance are given for both."""
    features, outputs = data.first.shape[1], data.answer.shape[1]
    rows = np.flatnonzero(np.isin(data.song, songs))
    y = data.answer[rows]
    moved = data.first[data.song[rows]] - data.seen[rows]
    e = song_differences(data, songs, kind, 7)
    w, posterior = np.zeros((outputs, 2 * features)), np.zeros(outputs)
    apart = lambda c: np.diag(np.diag(c))
    for wanted, shown, (smooth, shrink, inflate) in ((slice(0, SPECTRUM), slice(0, SPECTRUM), curves),
                                                     (slice(SPECTRUM, None), slice(SPECTRUM, features), ratios)):
        prior = by_lag if smooth and wanted.start == 0 else apart
        a, b = y[:, wanted], moved[:, shown]
        c = a.T @ a / len(a) + 1e-3 * np.eye(a.shape[1])
        g = np.eye(SPECTRUM) if wanted.start == 0 else np.linalg.solve(a.T @ a + 0.02 * len(a) * np.eye(a.shape[1]), a.T @ b).T
        rest = np.cov(b - a @ g.T, rowvar=False, bias=True)
        columns = np.arange(features)[shown]
        both = columns + features if kind == "norm" else np.concatenate([columns, columns + features])
        copies = len(both) // len(columns)
        g = np.tile(g, (copies, 1))
        noise = shrunk(e[:, both].T @ e[:, both] / len(e), shrink, inflate, prior) + np.kron(np.ones((copies, copies)), rest)
        gain = np.linalg.solve(g @ c @ g.T + noise, g @ c).T
        w[np.ix_(np.arange(outputs)[wanted], both)] = gain
        posterior[wanted] = np.sqrt(np.maximum(np.diag(c - gain @ g @ c), 1e-6))
    return w, posterior


CURVES = (slice(0, BANDS), slice(BANDS, SPECTRUM))
RATIOS = (slice(SPECTRUM, None),)


def cost(error, nothing, weight, parts, harm, lib=np):
    """Mean distance from the truth, per case; what is further than doing nothing would leave it counts more. The parts are
    judged by themselves: one does not make up for the other. harm: one value, or one per case."""
    total = 0.0
    for part in parts:
        count = weight[:, part].sum(axis=1) + 1e-9
        left = (lib.abs(error[:, part]) * weight[:, part]).sum(axis=1) / count
        base = (lib.abs(nothing[:, part]) * weight[:, part]).sum(axis=1) / count
        scale, worse = (RATIO_WEIGHT, RATIO_HARM) if part.start == SPECTRUM else (1.0, harm)
        total = total + scale * lib.mean(left + worse * lib.maximum(left - base, 0.0))
    return total


def tuned(data, splits):
    """For each kinship the shrinkage and inflation whose estimates are closest on artists that were not used."""
    chosen = {}
    for kind in EXPERTS + ["norm"]:
        scores = [{}, {}]
        held_out = [data.examples(held, kind, 5) for _, held in splits]
        for setting in itertools.product((True, False), (0.2, 0.5, 0.8), (1.0, 2.0, 4.0, 8.0, 16.0)):
            errors = [[], []]
            for (songs, _), (source, target, y, weight) in zip(splits, held_out):
                guess = observations(data, source, target) @ estimator(data, songs, kind, setting, setting)[0].T
                for parts, found in zip((CURVES, RATIOS), errors):
                    found.append(cost(guess - y, y, weight, parts, HARM[kind]) / cost(y, y, weight, parts, HARM[kind]))
            for score, found in zip(scores, errors):
                score[setting] = float(np.mean(found))
        chosen[kind] = [min(score, key=score.get) for score in scores]
        told = ", ".join(f"{setting}: {score[setting]:.3f}" for setting, score in zip(chosen[kind], scores))
        print(f"{kind}: smooth, shrink, inflate of curves and ratios, and cost over doing nothing: {told}", flush=True)
    return chosen


def estimators(data, songs, tuning):
    experts = {kind: estimator(data, songs, kind, *tuning[kind]) for kind in EXPERTS + ["norm"]}
    y = data.answer[np.isin(data.song, songs)]
    return experts, np.sqrt(np.mean(y * y, axis=0))


def gate_features(features):
    """Fixed matrix that shows the fine structure of d: second differences of the curves, and the dynamics themselves."""
    columns = []
    for start in (0, BANDS):
        for k in range(BANDS - 2):
            v = np.zeros(features)
            v[start + k: start + k + 3] = [0.5, -1.0, 0.5]
            columns.append(v)
    for k in range(SPECTRUM, features):
        v = np.zeros(features)
        v[k] = 1.0
        columns.append(v)
    return np.array(columns).T


def pooling(features):
    """Averages of the magnitudes of gate_features: four regions of mid and of side, four statistics, width, the rest."""
    groups, inner = [], BANDS - 2
    for start in (0, inner):
        groups += [range(start + a, start + b) for a, b in ((0, 9), (9, 19), (19, 29), (29, inner))]
    dynamics = 2 * inner
    groups += [range(dynamics + k, dynamics + 16, 4) for k in range(4)]
    groups += [range(dynamics + 16, dynamics + 20), [dynamics + 20], [dynamics + 21]]
    p = np.zeros((2 * inner + features - SPECTRUM, len(groups)))
    for n, g in enumerate(groups):
        p[list(g), n] = 1.0 / len(g)
    return p


def gate_init(inputs, hidden, seed):
    r = np.random.default_rng(seed)
    return {"w1": r.normal(0, 0.3, (inputs, hidden)), "b1": np.zeros(hidden),
            "w2": np.zeros((hidden, len(EXPERTS) + 1)), "b2": np.array([0.0, 0.5, 0.0, -1.0])}


def gate(p, z):
    h = jnp.maximum(z @ p["w1"] + p["b1"], 0.0)
    return jax.nn.softmax(h @ p["w2"] + p["b2"])


def predict(p, z, guesses):
    """guesses: (cases, experts, outputs); the last share of the gate stands for doing nothing."""
    return jnp.einsum("nk,nko->no", gate(p, z)[:, :-1], guesses)


def loss(p, z, guesses, y, weight, harm):
    return cost(predict(p, z, guesses) - y, y, weight, CURVES + RATIOS, harm, jnp) + 1e-4 * sum(jnp.sum(v * v) for v in p.values())


def train_gate(batches, check, epochs, seed=1):
    inputs = batches[0][0].shape[1]
    p = gate_init(inputs, 16, seed)
    m = jax.tree.map(np.zeros_like, p)
    v = jax.tree.map(np.zeros_like, p)
    step = jax.jit(jax.value_and_grad(loss))
    score = jax.jit(loss)
    best, kept, t = np.inf, p, 0
    for epoch in range(epochs):
        for batch in batches:
            t += 1
            _, g = step(p, *batch)
            m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
            v = jax.tree.map(lambda a, b: 0.99 * a + 0.01 * b * b, v, g)
            rate = 0.01 * (1 - epoch / epochs)
            p = jax.tree.map(lambda w, a, b: w - rate * (a / (1 - 0.9 ** t)) / (jnp.sqrt(b / (1 - 0.99 ** t)) + 1e-8), p, m, v)
        now = float(score(p, *check))
        if now < best:
            best, kept = now, p
    return jax.tree.map(np.asarray, kept), best


def prepared(data, experts, songs, kind, seed, scale, count=None):
    source, target, y, weight = data.examples(songs, kind, seed, count)
    o = observations(data, source, target)
    guesses = np.stack([o @ experts[k][0].T for k in EXPERTS], axis=1)
    z = np.abs(o[:, :data.first.shape[1]] @ gate_features(data.first.shape[1])) @ pooling(data.first.shape[1])
    return z / scale, guesses, y, weight, np.full(len(y), HARM[kind])


def median_error(y, guess, weight, part):
    w = weight[:, part] > 0
    per_case = np.sum(np.abs(y - guess)[:, part] * w, axis=1) / np.maximum(w.sum(axis=1), 1)
    return float(np.median(per_case))


def fit(data, songs, held, tuning, epochs):
    experts, prior = estimators(data, songs, tuning)
    scale = prepared(data, experts, songs, "any", 3, 1.0)[0].std(axis=0) + 1e-6
    mixed = lambda which, seed: [np.concatenate(v) for v in zip(*(prepared(data, experts, which, k, seed + n, scale)
                                                                  for n, k in enumerate(["same", "kin", "kin", "any"])))]
    train = [mixed(songs, 10 * e) for e in range(3)]
    # Experts were fitted to these songs and look better on them than they are; the gate is stopped on others.
    gate_parameters, best = train_gate(train, mixed(held, 5), epochs)
    return dict(experts=experts, prior=prior, scale=scale, gate=gate_parameters, held_loss=best)


def figures(data, model, held):
    out = {}
    for kind in ["same", "kin", "any"]:
        z, guesses, y, weight, _ = prepared(data, model["experts"], held, kind, 99, model["scale"])
        guess = np.asarray(predict(model["gate"], z, guesses))
        for name, part in (("mid", slice(0, BANDS)), ("side", slice(BANDS, SPECTRUM)), ("ratio", slice(SPECTRUM, None))):
            out[f"{kind}_{name}"] = (median_error(y, 0 * y, weight, part), median_error(y, guess, weight, part))
    source, target, y, weight = data.examples(held, "norm", 99)
    guess = observations(data, source, target) @ model["experts"]["norm"][0].T
    for name, part in (("mid", slice(0, BANDS)), ("side", slice(BANDS, SPECTRUM)), ("ratio", slice(SPECTRUM, None))):
        out[f"norm_{name}"] = (median_error(y, 0 * y, weight, part), median_error(y, guess, weight, part))
    return out


def export(data, model, path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    features, outputs = data.first.shape[1], data.answer.shape[1]
    constants, nodes = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    lo, hi = constant("lo", np.float32(-CLIP)), constant("hi", np.float32(CLIP))
    d = node("Clip", [node("Sub", ["target", "source"], "difference"), lo, hi], "d")
    u = node("Clip", [node("Sub", [constant("median", data.median[None]), "source"], "deviation"), lo, hi], "u")
    o = node("Concat", [d, u], "observed", axis=1)
    fine = node("Abs", [node("MatMul", [d, constant("fine_structure", gate_features(features))], "fine")], "fine_abs")
    z = node("MatMul", [fine, constant("pooling", pooling(features) / model["scale"])], "z")
    g = model["gate"]
    h = node("Relu", [node("Gemm", [z, constant("w1", g["w1"]), constant("b1", g["b1"])], "hidden_in")], "hidden")
    shares = node("Softmax", [node("Gemm", [h, constant("w2", g["w2"]), constant("b2", g["b2"])], "logits")], "shares", axis=1)
    song = node("Sub", [constant("one", np.ones((1, 1))), "is_norm"], "is_song")
    values, deviations = None, None
    zero = np.zeros((outputs, 2 * features)), model["prior"]
    for n, kind in enumerate(EXPERTS + ["nothing", "norm"]):
        w, posterior = model["experts"].get(kind, zero)
        if kind == "norm":
            share = "is_norm"
        else:
            pick = np.zeros((len(EXPERTS) + 1, 1))
            pick[n] = 1.0
            share = node("Mul", [node("MatMul", [shares, constant(f"pick_{kind}", pick)], f"share_{kind}_if"), song], f"share_{kind}")
        deviation = node("Mul", [share, constant(f"posterior_{kind}", posterior[None])], f"deviation_{kind}")
        deviations = deviation if deviations is None else node("Add", [deviations, deviation], f"deviations_{kind}")
        if kind != "nothing":
            guess = node("MatMul", [o, constant(f"estimator_{kind}", w.T)], f"guess_{kind}")
            part = node("Mul", [share, guess], f"part_{kind}")
            values = part if values is None else node("Add", [values, part], f"values_{kind}")
    node("Identity", [values], "values")
    node("Identity", [deviations], "deviations")
    io = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
    graph = helper.make_graph(nodes, "decider", [io("source", features), io("target", features), io("is_norm", 1)],
                              [io("values", outputs), io("deviations", outputs)], constants)
    onnx_model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="goldmaster")
    onnx.checker.check_model(onnx_model, full_check=True)
    path.write_bytes(onnx_model.SerializeToString(deterministic=True))
    return sum(int(np.prod(c.dims)) for c in constants)


def evaluate(data, model, source, target, is_norm):
    """The exported graph once more, in double precision."""
    o = observations(data, source, target)
    if is_norm:
        w, posterior = model["experts"]["norm"]
        return o @ w.T, posterior
    features = data.first.shape[1]
    z = np.abs(o[:features] @ gate_features(features)) @ pooling(features) / model["scale"]
    shares = np.asarray(gate(model["gate"], z[None]), np.float64)[0]
    values = sum(s * (o @ model["experts"][k][0].T) for s, k in zip(shares, EXPERTS))
    return values, sum(s * model["experts"][k][1] for s, k in zip(shares, EXPERTS)) + shares[-1] * model["prior"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--epochs", type=int, default=60)
    a = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    data = Data(a.dataset)
    artists = np.unique(data.artist)
    folds = np.random.default_rng(11).permutation(len(artists)) % 5
    fold_of = folds[np.searchsorted(artists, data.artist)]
    splits = [(np.flatnonzero(fold_of != f), np.flatnonzero(fold_of == f)) for f in range(5)]
    tuning = tuned(data, splits)
    runs = [figures(data, fit(data, *s, tuning, a.epochs), s[1]) for s in splits]
    table = {k: [round(float(np.mean([r[k][n] for r in runs])), 3) for n in (0, 1)] for k in runs[0]}
    print("median error, dB or log ratio: [doing nothing, this network]\n" + json.dumps(table))
    # The shipped estimators see every song; the gate, which needs songs to be stopped on, is a fold's.
    everyone = np.arange(len(data.artist))
    model = fit(data, everyone, splits[0][1], tuning, a.epochs)
    fold = fit(data, *splits[0], tuning, a.epochs)
    model["gate"], model["scale"] = fold["gate"], fold["scale"]
    weights = HERE / "weights"
    count = export(data, model, weights / "decider.onnx")
    import blake3
    parity = []
    for n, (kind, is_norm) in enumerate([("same", False), ("kin", False), ("any", False), ("norm", True)]):
        source, target, _, _ = (v[0] for v in data.examples(everyone, kind, n, 1))
        # The graph computes in single precision: the vectors are what it is given.
        source, target = source.astype(np.float32).astype(float), target.astype(np.float32).astype(float)
        values, deviations = evaluate(data, model, source, target, is_norm)
        parity.append({"source": source.tolist(), "target": target.tolist(), "is_norm": is_norm,
                       "values": values.tolist(), "deviations": np.asarray(deviations).tolist()})
    sidecar = {"blake3": blake3.blake3((weights / "decider.onnx").read_bytes()).hexdigest(), "features": data.names,
               "outputs": data.outputs, "parity": parity}
    (weights / "decider.json").write_text(json.dumps(sidecar, indent=1) + "\n")
    norm = {"version": 1, "name": "universal", "songs": len(data.artist),
            "loudness_lufs": [round(float(f(data.loudness)), 2) for f in (np.median, np.std)], "names": data.names,
            "median": data.median.round(3).tolist(), "spread": data.spread.round(3).tolist()}
    (HERE / "profiles" / "universal.json").write_text(json.dumps(norm, indent=1) + "\n")
    print(f"{count} numbers in the graph")


if __name__ == "__main__":
    main()
