"""Trains the decider from the data that `dataset` made, and exports it as ONNX.

    python models/train/train.py DATASET.json [--songs LIST] [--out FOLDER] [--epochs N] [--tune] [--skip-figures]

needs numpy, jax, onnx and blake3. Writes weights/decider.onnx and .json into models/, and prints the
figures of the model card, on artists that nothing was fitted to (but shrinkage, inflation, caution and the weight of harm were chosen by such figures).

The estimator: what is seen of the wanted correction y is the difference d between the long-term spectra of target and source, the
shift r that lays the moments of one over those of the other, and the deviation u of the source from what records with its dynamics
are like. Each is y plus song: o = A y + s. With the covariances of y and of the songs known, the best linear estimate is
y = C A' (A C A' + S)^-1 o (linear MMSE). S depends on how much the songs have in common, of which the distance of the moments
tells much: there is one estimator (expert, see experts.py) for each of several kinships, and a small network that says, region by region,
which of them, or none, to believe.
"""
import argparse, itertools, json, pathlib
import jax, jax.numpy as jnp
import numpy as np

from experts import (BANDS, CLIP, EXPERTS, KINSHIPS, SPECTRUM, TUNING, Data, Examples, Expected, Expert, belonging, clip,
                     observed)

HERE = pathlib.Path(__file__).resolve().parent.parent
# Outputs that are believed or not as one: thirds of the mid's curve, of the side's, ratios, peak-to-loudness ratio.
REGIONS = [range(0, 13), range(13, 26), range(26, 40), range(40, 53), range(53, 66), range(66, 80), range(80, 84), range(84, 85)]
PARTS = {"mid": slice(0, 40), "side": slice(40, 80), "ratio": slice(80, 84), "plr": slice(84, 85)}
PART_WEIGHT = {"mid": 1.0, "side": 1.0, "ratio": 8.0, "plr": 0.5}  # against a dB of the mid's curve
RATIO_HARM = 1.0
# Width is heard as the side over the mid in four bands: below 120 Hz, 1 kHz, 6 kHz, and above.
WIDTH_BANDS = [slice(0, 10), slice(10, 23), slice(23, 33), slice(33, 40)]
WIDTH_WEIGHT = 0.5
# Of the curves towards a reference only a share is done where its moments are so far from those of the song, in dB, and further: of
# what mid and side have in common, and of what the side does on its own. The gate weighs estimates by the distance that they
# are usually off; who would rather not make things worse does less.
CAUTION_DB, CAUTION_TONE, CAUTION_WIDTH = (4.4, 5.2), 0.65, 0.4


def cost(error, nothing, weight, harm, share=1.0, lib=np):
    """Mean distance from the truth, per case; what is further than doing nothing would leave it counts more. The parts are
    judged by themselves: one does not make up for the other."""
    total = 0.0
    for name, part in PARTS.items():
        count = weight[:, part].sum(axis=1) + 1e-9
        left = (lib.abs(error[:, part]) * weight[:, part]).sum(axis=1) / count
        base = (lib.abs(nothing[:, part]) * weight[:, part]).sum(axis=1) / count
        worse = RATIO_HARM if name == "ratio" else harm
        total = total + PART_WEIGHT[name] * lib.mean(share * (left + worse * lib.maximum(left - base, 0.0)))
    left, base = (width(v, weight, lib) for v in (error, nothing))
    return total + WIDTH_WEIGHT * lib.mean(share * (left + harm * lib.maximum(left - base, 0.0)))


def width(curves, weight, lib):
    """How far the side moves against the mid: mean over four bands of the magnitude, dB, per case."""
    total = 0.0
    curve = lambda v, start, band: v[:, start + band.start:start + band.stop]
    for band in WIDTH_BANDS:
        mid, side = ((curve(curves, start, band) * curve(weight, start, band)).sum(axis=1)
                     / (curve(weight, start, band).sum(axis=1) + 1e-9) for start in (0, BANDS))
        # Smooth at nothing, where a magnitude has no slope.
        total = total + (curve(weight, BANDS, band).sum(axis=1) > 0.0) * lib.sqrt((side - mid) ** 2 + 1e-6)
    return total / len(WIDTH_BANDS)


def folds_of(artists, count, seed):
    names = np.unique(artists)
    return (np.random.default_rng(seed).permutation(len(names)) % count)[np.searchsorted(names, artists)]


def expectations(data, songs, x, seed=3):
    """Expected deviations for examples of songs that the regression has not seen, and the regression on all."""
    out, fold = np.empty((len(x.song), SPECTRUM)), folds_of(data.artist[songs], 5, seed)
    for k in range(5):
        inner = Expected(data, songs[fold != k])
        mask = np.isin(x.song, songs[fold == k])
        out[mask] = inner.of(data, x.source[mask])
    return out, Expected(data, songs)


SETTINGS = list(itertools.product((0.5, 0.8, 0.95), (1.0, 2.0, 4.0)))


def experts(data, x, expected, tuning):
    o = observed(data, x, expected)
    names = ["norm"] if x.is_norm.all() else EXPERTS
    return {name: Expert(data, x, o, belonging(name, x), *tuning[name]) for name in names}


def tuned(data, splits):
    """Shrinkage and inflation of every expert whose estimates are closest on artists that were not used."""
    chosen, everyone = {}, range(len(data.artist))
    for name, kinships in [*((e, KINSHIPS) for e in EXPERTS), ("norm", ["norm"])]:
        scores = [{}, {}]
        for songs, held in splits:
            x, check = Examples(data, songs, kinships), Examples(data, held, kinships, everyone)
            inner, regression = expectations(data, songs, x)
            o, oc = observed(data, x, inner), observed(data, check, regression.of(data, check.source))
            near = [belonging(name, e) for e in (x, check)]
            for setting in SETTINGS:
                guess = Expert(data, x, o, near[0], setting, setting).guess(oc) - check.y
                for score, part in zip(scores, (slice(0, SPECTRUM), slice(SPECTRUM, None))):
                    error, zero = np.zeros_like(guess), np.zeros_like(guess)
                    error[:, part], zero[:, part] = guess[:, part], check.y[:, part]
                    score[setting] = score.get(setting, 0.0) + cost(error, zero, check.weight, check.harm, share=near[1])
        chosen[name] = [min(score, key=score.get) for score in scores]
        print(f"{name}: shrink and inflate for curves {chosen[name][0]}, for the rest {chosen[name][1]}", flush=True)
    return chosen


def shape_of(features):
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
    """Averages of the magnitudes of shape_of: four regions of mid and of side, four statistics, width, the rest."""
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


def gate_input(x):
    features = x.source.shape[1]
    fine = np.abs(clip(x.target - x.source) @ shape_of(features)) @ pooling(features)
    return np.concatenate([fine, x.distance[:, None]], axis=1)


HIDDEN = 24
CHOICES = len(EXPERTS) + 1


def gate_init(inputs, seed):
    r = np.random.default_rng(seed)
    return {"w1": r.normal(0, 0.3, (inputs, HIDDEN)), "b1": np.zeros(HIDDEN),
            "w2": np.zeros((HIDDEN, len(REGIONS) * CHOICES)), "b2": np.zeros(len(REGIONS) * CHOICES)}


def gate(p, z):
    h = jnp.maximum(z @ p["w1"] + p["b1"], 0.0)
    return jax.nn.softmax((h @ p["w2"] + p["b2"]).reshape(-1, len(REGIONS), CHOICES), axis=2)


WHERE = np.array([next(k for k, r in enumerate(REGIONS) if n in r) for n in range(85)])


def predict(p, z, guesses):
    """guesses: (cases, experts, outputs); the last share of the gate stands for doing nothing."""
    shares = gate(p, z)[:, WHERE, :-1]
    return jnp.einsum("nok,nko->no", shares, guesses)


def loss(p, z, guesses, y, weight, harm):
    return cost(predict(p, z, guesses) - y, y, weight, harm, lib=jnp) + DECAY * sum(jnp.sum(v * v) for v in p.values())


DECAY = 3e-4


def train_gate(z, guesses, y, weight, harm, epochs, seed=1, batch=1024):
    r = np.random.default_rng(seed)
    p = gate_init(z.shape[1], seed)
    m, v = jax.tree.map(np.zeros_like, p), jax.tree.map(np.zeros_like, p)

    @jax.jit
    def step(p, m, v, t, rate, *data):
        g = jax.grad(loss)(p, *data)
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = jax.tree.map(lambda a, b: 0.99 * a + 0.01 * b * b, v, g)
        p = jax.tree.map(lambda w, a, b: w - rate * (a / (1 - 0.9 ** t)) / (jnp.sqrt(b / (1 - 0.99 ** t)) + 1e-8), p, m, v)
        return p, m, v

    t = 0
    for epoch in range(epochs):
        order = r.permutation(len(z))
        for k in range(0, len(z) - batch + 1, batch):
            rows, t = order[k:k + batch], t + 1
            p, m, v = step(p, m, v, float(t), 0.01 * (1 - epoch / epochs), z[rows], guesses[rows], y[rows], weight[rows], harm[rows])
    return jax.tree.map(np.asarray, p)


class Model:
    def __init__(self, data, songs, tuning, epochs):
        x = Examples(data, songs)
        inner, self.expected = expectations(data, songs, x)
        self.experts = experts(data, x, inner, tuning)
        norm = Examples(data, songs, ["norm"])
        self.experts |= experts(data, norm, expectations(data, songs, norm)[0], tuning)
        self.prior = np.sqrt(np.mean(x.y ** 2, axis=0))
        # The gate learns from estimates of songs that the experts have not seen.
        guesses, fold = np.empty((len(x.y), len(EXPERTS), x.y.shape[1])), folds_of(data.artist[songs], 5, 4)
        for k in range(5):
            rest = songs[fold != k]
            y = Examples(data, rest)
            e, regression = expectations(data, rest, y)
            fitted = experts(data, y, e, tuning)
            mask = np.isin(x.song, songs[fold == k])
            o = observed(data, x.take(mask), regression.of(data, x.source[mask]))
            guesses[mask] = np.stack([fitted[name].guess(o) for name in EXPERTS], axis=1)
        z = gate_input(x)
        self.centre, self.scale = z.mean(axis=0), z.std(axis=0) + 1e-6
        self.gate = train_gate((z - self.centre) / self.scale, guesses, x.y, x.weight, x.harm, epochs)

    def answer(self, data, x):
        o = observed(data, x, self.expected.of(data, x.source))
        if x.is_norm.all():
            return self.experts["norm"].guess(o), np.tile(self.experts["norm"].left, (len(x.y), 1))
        z = (gate_input(x) - self.centre) / self.scale
        shares = np.asarray(gate(self.gate, z), np.float64)[:, WHERE]
        guesses = np.stack([self.experts[name].guess(o) for name in EXPERTS], axis=1)
        left = np.stack([self.experts[name].left for name in EXPERTS] + [self.prior])
        values = np.einsum("nok,nko->no", shares[:, :, :-1], guesses)
        mid, side = values[:, :BANDS].copy(), values[:, BANDS:SPECTRUM].copy()
        tone, own = (np.interp(x.distance, CAUTION_DB, (1.0, least))[:, None] for least in (CAUTION_TONE, CAUTION_WIDTH))
        values[:, :BANDS], values[:, BANDS:SPECTRUM] = tone * mid, tone * mid + own * (side - mid)
        return values, np.einsum("nok,ko->no", shares, left)


def figures(data, model, held):
    out = {}
    for kind in [*KINSHIPS, "norm"]:
        x = Examples(data, held, [kind], range(len(data.artist)))
        guess = model.answer(data, x)[0]
        for name, part in PARTS.items():
            w = x.weight[:, part]
            distance = lambda v: (np.abs(v)[:, part] * w).sum(axis=1) / np.maximum(w.sum(axis=1), 1)
            out[f"{kind}_{name}"] = (distance(x.y), distance(guess - x.y))
    return out


def table(runs):
    out = {}
    for key in runs[0]:
        nothing, ours = (np.concatenate([r[key][n] for r in runs]) for n in (0, 1))
        mend = nothing >= np.median(nothing) / 2
        out[key] = [round(float(v), 3) for v in (np.median(nothing), np.median(ours), np.median(ours) / np.median(nothing),
                    np.mean(ours[mend] < nothing[mend]), np.mean((ours > 1.25 * nothing) & (ours > nothing + 0.2)))]
    return out


def wide(expert, features):
    """An expert's weights over all that is observed: d, the registration, u."""
    outputs = len(expert.left)
    w, others = np.zeros((outputs, 2 * features + SPECTRUM + 1)), features - SPECTRUM
    u = features + SPECTRUM + 1
    for k, start in enumerate((0, features, u)):
        w[:SPECTRUM, start:start + SPECTRUM] = expert.w_curves[:, k * SPECTRUM:(k + 1) * SPECTRUM]
    for k, start in enumerate((SPECTRUM, u + SPECTRUM)):
        w[SPECTRUM:, start:start + others] = expert.w_rest[:, k * others:(k + 1) * others]
    return w


def export(data, model, path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    features, outputs = data.first.shape[1], data.answer.shape[1]
    constants, nodes = [], []

    def constant(name, value, kind=np.float32):
        constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    lo, hi = constant("lo", np.float32(-CLIP)), constant("hi", np.float32(CLIP))
    d = node("Clip", [node("Sub", ["target", "source"], "difference"), lo, hi], "d")
    # What records with such dynamics are like; scaling folded into one Gemm.
    pick = np.zeros((features, len(model.expected.mean)))
    pick[Expected.columns(data), np.arange(pick.shape[1])] = 1.0 / model.expected.spread
    standard = node("Gemm", ["source", constant("standard_w", pick), constant("standard_b", -model.expected.mean / model.expected.spread)], "standard_if")
    standard = node("Clip", [standard, constant("lo3", np.float32(-3.0)), constant("hi3", np.float32(3.0))], "standard")
    expected = np.zeros((pick.shape[1], features))
    expected[:, :SPECTRUM] = model.expected.matrix
    expected = node("Gemm", [standard, constant("expected_w", expected), constant("median", data.median)], "expected")
    u = node("Clip", [node("Sub", [expected, "source"], "deviation"), lo, hi], "u")
    registered = node("Clip", ["registered", lo, hi], "registered_in_bounds")
    o = node("Concat", [d, registered, u], "observed", axis=1)
    fine = node("Abs", [node("MatMul", [d, constant("fine_structure", shape_of(features))], "fine")], "fine_abs")
    pooled = node("MatMul", [fine, constant("pooling", pooling(features))], "pooled")
    last = np.zeros((SPECTRUM + 1, 1))
    last[-1] = 1.0
    distance = node("MatMul", [registered, constant("pick_distance", last)], "distance")
    z = node("Concat", [pooled, distance], "z", axis=1)
    g = model.gate
    w1 = g["w1"] / model.scale[:, None]
    h = node("Relu", [node("Gemm", [z, constant("w1", w1), constant("b1", g["b1"] - model.centre @ w1)], "hidden_in")], "hidden")
    shares = []
    for k in range(len(REGIONS)):
        columns = slice(k * CHOICES, (k + 1) * CHOICES)
        logits = node("Gemm", [h, constant(f"w2_{k}", g["w2"][:, columns]), constant(f"b2_{k}", g["b2"][columns])], f"logits_{k}")
        shares.append(node("Softmax", [logits], f"shares_{k}", axis=1))
    shares = node("Concat", shares, "shares", axis=1)
    song = node("Sub", [constant("one", np.ones((1, 1))), "is_norm"], "is_song")
    values, deviations = None, None
    for n, name in enumerate([*EXPERTS, "nothing", "norm"]):
        if name == "norm":
            share = "is_norm"
        else:
            to_outputs = np.zeros((len(REGIONS) * CHOICES, outputs))
            to_outputs[WHERE * CHOICES + n, np.arange(outputs)] = 1.0
            share = node("Mul", [node("MatMul", [shares, constant(f"pick_{name}", to_outputs)], f"share_{name}_if"), song], f"share_{name}")
        left = model.prior if name == "nothing" else model.experts[name].left
        deviation = node("Mul", [share, constant(f"posterior_{name}", left[None])], f"deviation_{name}")
        deviations = deviation if deviations is None else node("Add", [deviations, deviation], f"deviations_{name}")
        if name != "nothing":
            expert = model.experts[name]
            guess = node("Gemm", [o, constant(f"estimator_{name}", wide(expert, features).T), constant(f"constant_{name}", expert.constant)],
                         f"guess_{name}")
            part = node("Mul", [share, guess], f"part_{name}")
            values = part if values is None else node("Add", [values, part], f"values_{name}")

    def cautious(name, least):
        slope = (least - 1.0) / (CAUTION_DB[1] - CAUTION_DB[0])
        line = node("Add", [node("Mul", [distance, constant(f"slope_{name}", slope)], f"fall_{name}"),
                            constant(f"start_{name}", 1.0 - slope * CAUTION_DB[0])], f"line_{name}")
        share = node("Clip", [line, constant(f"least_{name}", least), constant(f"most_{name}", 1.0)], f"caution_{name}_if")
        return node("Max", [share, "is_norm"], f"caution_{name}")  # the norm is no stranger

    axis = constant("axis", [1], np.int64)
    cut = lambda name, start, stop: node("Slice", [values, constant(f"{name}_start", [start], np.int64), constant(f"{name}_stop", [stop], np.int64), axis], name)
    mid, side, rest = cut("mid", 0, BANDS), cut("side", BANDS, SPECTRUM), cut("rest", SPECTRUM, outputs)
    tone = node("Mul", [mid, cautious("tone", CAUTION_TONE)], "careful_mid")
    own = node("Mul", [node("Sub", [side, mid], "own"), cautious("width", CAUTION_WIDTH)], "careful_own")
    node("Concat", [tone, node("Add", [tone, own], "careful_side"), rest], "values", axis=1)
    node("Identity", [deviations], "deviations")
    io = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
    inputs = [io("source", features), io("target", features), io("registered", SPECTRUM + 1), io("is_norm", 1)]
    graph = helper.make_graph(nodes, "decider", inputs, [io("values", outputs), io("deviations", outputs)], constants)
    onnx_model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="goldmaster")
    onnx.checker.check_model(onnx_model, full_check=True)
    path.write_bytes(onnx_model.SerializeToString(deterministic=True))
    return sum(int(np.prod(c.dims)) for c in constants)


def parity(data, model):
    """What the graph must answer, computed once more in double precision."""
    out, everyone = [], np.arange(len(data.artist))
    for n, kind in enumerate([*KINSHIPS, "norm"]):
        x = Examples(data, everyone, [kind])
        x = x.take(np.array([np.random.default_rng(n).integers(len(x.y))]))
        # The graph computes in single precision: the vectors are what it is given.
        for name in ("source", "target", "shift", "distance"):
            setattr(x, name, getattr(x, name).astype(np.float32).astype(float))
        values, deviations = model.answer(data, x)
        out.append({"source": x.source[0].tolist(), "target": x.target[0].tolist(),
                    "registered": [*x.shift[0].tolist(), float(x.distance[0])], "is_norm": kind == "norm",
                    "values": values[0].tolist(), "deviations": np.asarray(deviations)[0].tolist()})
    return out


def print_figures(data, splits, tuning, epochs):
    print("median error doing nothing, of this network, their ratio; share closer where there is something to mend, share harmed")
    for key, row in table([figures(data, Model(data, songs, tuning, epochs), held) for songs, held in splits]).items():
        print(f"{key:11s}", *(f"{v:6.3f}" for v in row), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--songs", metavar="LIST", help="train on the songs whose file names are in this list alone, one per line")
    parser.add_argument("--out", metavar="FOLDER", type=pathlib.Path, default=HERE, help="for weights/ (models/)")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--tune", action="store_true", help="choose shrinkage and inflation anew")
    parser.add_argument("--skip-figures", action="store_true", help="train what is shipped without the table of the model card")
    a = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    (a.out / "weights").mkdir(parents=True, exist_ok=True)
    data = Data(a.dataset, a.songs and set(pathlib.Path(a.songs).read_text().splitlines()))
    fold = folds_of(data.artist, 5, 11)
    splits = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(5)]
    tuning = tuned(data, splits) if a.tune else TUNING
    if not a.skip_figures:
        print_figures(data, splits, tuning, a.epochs)
    model = Model(data, np.arange(len(data.artist)), tuning, a.epochs)
    weights = a.out / "weights"
    count = export(data, model, weights / "decider.onnx")
    import blake3
    sidecar = {"blake3": blake3.blake3((weights / "decider.onnx").read_bytes()).hexdigest(), "features": data.names,
               "outputs": data.outputs, "parity": parity(data, model)}
    (weights / "decider.json").write_text(json.dumps(sidecar, indent=1) + "\n")
    print(f"{count} numbers in the graph")


if __name__ == "__main__":
    main()
